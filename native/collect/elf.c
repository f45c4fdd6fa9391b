#include <elf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "collect.h"

/* Everything here is what a build wrote: each number is looked at before it is used. */

enum { MOST_HEADERS = 128, MOST_DYNAMIC = 4096, LONGEST_NAME = 256 };

/* A program header of either class. */
struct part {
	uint64_t type, offset, address, size;
};

struct program {
	int file;
	uint64_t size;
	bool wide; /* 64 bits */
	size_t count;
	struct part parts[MOST_HEADERS];
};

static bool read_at(const struct program *program, uint64_t offset, void *to, size_t length)
{
	if (offset > program->size || length > program->size - offset)
		return false;
	return pread(program->file, to, length, (off_t)offset) == (ssize_t)length;
}

/* Text that ends within `most` bytes, cut there otherwise. */
static bool read_text(const struct program *program, uint64_t offset, char text[LONGEST_NAME])
{
	uint64_t left = offset < program->size ? program->size - offset : 0;
	size_t length = left < LONGEST_NAME - 1 ? (size_t)left : LONGEST_NAME - 1;
	memset(text, 0, LONGEST_NAME);
	return length > 0 && read_at(program, offset, text, length);
}

/* Little-endian programs of either class, as our machines run them; the type, or ET_NONE for anything else. */
static unsigned read_headers(struct program *program)
{
	unsigned char ident[EI_NIDENT];
	union {
		Elf64_Ehdr wide;
		Elf32_Ehdr narrow;
	} head;
	if (!read_at(program, 0, ident, sizeof ident) || memcmp(ident, ELFMAG, SELFMAG) != 0 ||
	    ident[EI_DATA] != ELFDATA2LSB)
		return ET_NONE;
	program->wide = ident[EI_CLASS] == ELFCLASS64;
	memset(&head, 0, sizeof head);
	if (!read_at(program, 0, &head, program->wide ? sizeof head.wide : sizeof head.narrow))
		return ET_NONE;
	uint64_t offset = program->wide ? head.wide.e_phoff : head.narrow.e_phoff;
	size_t count = program->wide ? head.wide.e_phnum : head.narrow.e_phnum;
	size_t size = program->wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	for (size_t i = 0; i < count && i < MOST_HEADERS; i++) {
		union {
			Elf64_Phdr wide;
			Elf32_Phdr narrow;
		} found;
		if (!read_at(program, offset + i * size, &found, size))
			break;
		program->parts[program->count++] = program->wide
			? (struct part){found.wide.p_type, found.wide.p_offset, found.wide.p_vaddr, found.wide.p_filesz}
			: (struct part){found.narrow.p_type, found.narrow.p_offset, found.narrow.p_vaddr, found.narrow.p_filesz};
	}
	return program->wide ? head.wide.e_type : head.narrow.e_type;
}

/* Where in the file what is loaded at an address is; the file's end if nowhere. */
static uint64_t offset_of(const struct program *program, uint64_t address)
{
	for (size_t i = 0; i < program->count; i++) {
		const struct part *part = program->parts + i;
		if (part->type == PT_LOAD && address >= part->address && address - part->address < part->size)
			return part->offset + (address - part->address);
	}
	return program->size;
}

/* Says the first library that is needed, if any. */
static void look_at_dynamic(const struct program *program, const struct part *dynamic, const char *path)
{
	uint64_t strings = 0, needed = 0, size = program->wide ? sizeof(Elf64_Dyn) : sizeof(Elf32_Dyn);
	bool any = false;
	for (uint64_t i = 0; i < MOST_DYNAMIC && (i + 1) * size <= dynamic->size; i++) {
		union {
			Elf64_Dyn wide;
			Elf32_Dyn narrow;
		} found;
		if (!read_at(program, dynamic->offset + i * size, &found, (size_t)size))
			break;
		int64_t tag = program->wide ? found.wide.d_tag : found.narrow.d_tag;
		uint64_t value = program->wide ? found.wide.d_un.d_val : found.narrow.d_un.d_val;
		if (tag == DT_NULL)
			break;
		if (tag == DT_STRTAB)
			strings = value;
		if (tag == DT_NEEDED && !any) {
			any = true;
			needed = value;
		}
	}
	char name[LONGEST_NAME] = "";
	if (any)
		say("trait", path, "needed",
			read_text(program, offset_of(program, strings) + needed, name) ? name : "?", NULL);
}

void look_at_program(int file, uint64_t size, const char *path)
{
	static struct program program;
	memset(&program, 0, sizeof program);
	program.file = file;
	program.size = size;
	unsigned type = read_headers(&program);
	if (type != ET_EXEC && type != ET_DYN)
		return;
	say("trait", path, "program", "", NULL);
	for (size_t i = 0; i < program.count; i++) {
		char name[LONGEST_NAME];
		if (program.parts[i].type == PT_INTERP)
			say("trait", path, "interpreter", read_text(&program, program.parts[i].offset, name) ? name : "?", NULL);
		if (program.parts[i].type == PT_DYNAMIC)
			look_at_dynamic(&program, program.parts + i, path);
	}
}
