#include "interpreter.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LONGEST = 1024, SCRIPTS = 5 };

/* The file is the command's, so any byte of it may be false. */
static void read_linker(int fd, const Elf64_Ehdr *header, char *name)
{
	Elf64_Phdr program;
	for (unsigned i = 0; i < header->e_phnum && header->e_phentsize == sizeof program; i++) {
		off_t at = (off_t)(header->e_phoff + i * sizeof program);
		if (pread(fd, &program, sizeof program, at) != (ssize_t)sizeof program)
			return;
		if (program.p_type != PT_INTERP)
			continue;
		size_t length = program.p_filesz < LONGEST - 1 ? (size_t)program.p_filesz : LONGEST - 1;
		ssize_t n = pread(fd, name, length, (off_t)program.p_offset);
		name[n > 0 ? n : 0] = '\0';
		return;
	}
}

static void read_script(const char *line, char *name)
{
	line += strspn(line, " \t");
	size_t length = strcspn(line, " \t\n");
	memcpy(name, line, length);
	name[length] = '\0';
}

/* `name` becomes the interpreter that the program at `path` asks for; empty if it asks for none. */
static void read_interpreter(const char *path, char *name)
{
	union {
		Elf64_Ehdr header;
		char text[LONGEST];
	} start = {.text = ""};
	name[0] = '\0';
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return;
	ssize_t n = pread(fd, start.text, sizeof start.text - 1, 0);
	if (n > 2 && memcmp(start.text, "#!", 2) == 0)
		read_script(start.text + 2, name);
	else if (n >= (ssize_t)sizeof start.header && memcmp(start.text, ELFMAG, SELFMAG) == 0 &&
		 start.text[EI_CLASS] == ELFCLASS64)
		read_linker(fd, &start.header, name);
	close(fd);
}

const char *missing_interpreter(const char *program)
{
	static char name[LONGEST], text[LONGEST + 64];
	const char *path = program;
	char previous[LONGEST];
	/* The interpreter of a script may be a script. */
	for (int i = 0; i < SCRIPTS; i++) {
		read_interpreter(path, name);
		if (name[0] == '\0')
			return NULL;
		if (access(name, F_OK) < 0) {
			snprintf(text, sizeof text, "it needs %s, which is not in this root", name);
			return text;
		}
		memcpy(previous, name, sizeof previous);
		path = previous;
	}
	return NULL;
}
