/*
 * collect [OPTION...] DIR OUTPUT [PATH [COPY]]...: reads what a build wrote. OUTPUT is a directory in DIR, each PATH
 * one in OUTPUT, or . for OUTPUT itself; it is copied to COPY, which is made, unless that is -. Nothing is followed,
 * whatever the build left there, and everything is read once. docs/security.md says what that is for.
 *
 * On standard output are records (collect.h): "names DIRECTORY NAME" for each --names, "missing PATH" for what is no
 * directory, "tree PATH" and then what is in it: "directory PATH", "file PATH MODE SIZE SHA256", "hardlink PATH
 * FIRST", "symlink PATH TARGET", "special PATH KIND", and "trait PATH KIND TEXT" for what was seen in files; "end"
 * is last. "limit KIND PATH" or "error DOING PATH ERRNO" instead, and status 1, where it could not go on.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collect.h"

enum { OK = 0, FAILED = 1, USAGE = 2, BUFFER = 1 << 20 };

static const char help[] =
	"usage: collect [OPTION...] DIR OUTPUT [PATH COPY]...\n"
	"Copy each directory PATH of OUTPUT, a directory in DIR, to COPY (-: only read it), and say what is in it.\n"
	"  --names PATH     say the names in this directory of OUTPUT\n"
	"  --entries N, --depth N, --bytes N   go no further\n"
	"  --look-for DIR   say which files hold paths below DIR\n"
	"  --time SECONDS   the time of everything in the copy\n"
	"Example: collect --look-for /work work out packages/lua/5.4.4 - | tr '\\0' ' '\n";

void say(const char *kind, ...)
{
	va_list fields;
	va_start(fields, kind);
	for (const char *field = kind; field != NULL; field = va_arg(fields, const char *)) {
		if (fwrite(field, 1, strlen(field) + 1, stdout) == 0)
			_exit(FAILED);
	}
	va_end(fields);
}

_Noreturn void fail(const char *doing, const char *path)
{
	char number[12];
	snprintf(number, sizeof number, "%d", errno);
	say("error", doing, path, number, NULL);
	fflush(stdout);
	_exit(FAILED);
}

_Noreturn void stop(const char *limit, const char *path)
{
	say("limit", limit, path, NULL);
	fflush(stdout);
	_exit(FAILED);
}

static void say_names(int output, const char *path)
{
	int fd = open_beneath(output, path, O_RDONLY | O_DIRECTORY);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	if (stream == NULL)
		return;
	/* More than this is seen to be too much. */
	for (int count = 0; count < 10000; count++) {
		struct dirent *entry = readdir(stream);
		if (entry == NULL)
			break;
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			say("names", path, entry->d_name, NULL);
	}
	closedir(stream);
}

static void collect(struct collector *collector, int output, const char *path, const char *copy)
{
	int to = -1, from = open_beneath(output, path, O_RDONLY | O_DIRECTORY);
	if (from < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)) {
		say("missing", path, NULL);
		return;
	}
	if (from < 0)
		fail("opening", path);
	if (strcmp(copy, "-") != 0) {
		if (mkdir(copy, 0700) < 0)
			fail("making", copy);
		to = open(copy, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (to < 0)
			fail("opening", copy);
	}
	say("tree", path, NULL);
	take_tree(collector, from, to);
	close(from);
	if (to >= 0)
		close(to);
}

static int misused(void)
{
	fputs(help, stderr);
	return USAGE;
}

int main(int argc, char **argv)
{
	struct collector collector = {.limits = {UINT64_MAX, UINT64_MAX, 256}, .buffer = malloc(BUFFER), .copy = -1};
	const char **names = calloc((size_t)argc + 1, sizeof *names);
	int at = 1, count = 0;
	if (collector.buffer == NULL || names == NULL)
		fail("taking memory for", "reading");
	for (; at + 1 < argc && strncmp(argv[at], "--", 2) == 0; at += 2) {
		const char *option = argv[at], *value = argv[at + 1];
		if (strcmp(option, "--names") == 0)
			names[count++] = value;
		else if (strcmp(option, "--entries") == 0)
			collector.limits.entries = strtoull(value, NULL, 10);
		else if (strcmp(option, "--depth") == 0)
			collector.limits.depth = (unsigned)strtoul(value, NULL, 10);
		else if (strcmp(option, "--bytes") == 0)
			collector.limits.bytes = strtoull(value, NULL, 10);
		else if (strcmp(option, "--time") == 0)
			collector.time = strtoll(value, NULL, 10);
		else if (strcmp(option, "--look-for") == 0)
			collector.looked_for = value;
		else
			return misused();
	}
	if (argc == 2 && strcmp(argv[1], "--help") == 0)
		return fputs(help, stdout) < 0 ? FAILED : OK;
	if (argc - at < 2 || (argc - at) % 2 != 0 || strncmp(argv[at], "--", 2) == 0)
		return misused();
	umask(077);
	int work = open(argv[at], O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (work < 0)
		fail("opening", argv[at]);
	int output = open_beneath(work, argv[at + 1], O_PATH | O_DIRECTORY);
	if (output < 0 && errno != ENOENT && errno != ENOTDIR && errno != ELOOP)
		fail("opening", argv[at + 1]);
	if (output < 0)
		say("missing", "", NULL);
	for (int i = 0; output >= 0 && i < count; i++)
		say_names(output, names[i]);
	for (at += 2; output >= 0 && at < argc; at += 2)
		collect(&collector, output, argv[at], argv[at + 1]);
	say("end", NULL);
	return fflush(stdout) == 0 ? OK : FAILED;
}
