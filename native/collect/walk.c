#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collect.h"

enum { LONGEST_TARGET = 4096 };

static void walk(struct collector *collector, int from, int to, unsigned depth);

static void enter(struct path *path, const char *name)
{
	size_t length = strlen(name);
	if (path->length + length + 2 > path->room) {
		path->room = (path->length + length + 2) * 2;
		path->text = realloc(path->text, path->room);
		if (path->text == NULL)
			fail("taking memory for", name);
	}
	if (path->length > 0)
		path->text[path->length++] = '/';
	memcpy(path->text + path->length, name, length + 1);
	path->length += length;
}

static void leave(struct path *path, size_t length)
{
	path->length = length;
	path->text[length] = '\0';
}

static int by_bytes(const void *a, const void *b)
{
	const char *const *one = a, *const *other = b;
	return strcmp(*one, *other);
}

/* Sorted; the list's end is a null pointer. */
static char **names_in(struct collector *collector, int directory)
{
	size_t count = 0, room = 64;
	char **names = malloc(room * sizeof *names);
	/* A descriptor of its own: closing the stream closes it. */
	int own = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = own < 0 ? NULL : fdopendir(own);
	if (names == NULL || stream == NULL)
		fail("reading", collector->path.text);
	for (;;) {
		errno = 0;
		struct dirent *entry = readdir(stream);
		if (entry == NULL)
			break;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (++collector->entries > collector->limits.entries)
			stop("entries", collector->path.text);
		if (count + 1 == room)
			names = realloc(names, (room *= 2) * sizeof *names);
		if (names == NULL || (names[count++] = strdup(entry->d_name)) == NULL)
			fail("taking memory for", entry->d_name);
	}
	if (errno != 0)
		fail("reading", collector->path.text);
	closedir(stream);
	names[count] = NULL;
	qsort(names, count, sizeof *names, by_bytes);
	return names;
}

/* Opens what was looked at, which has to be the same file still, though its owner may have closed it to itself. */
static int reopen(struct collector *collector, int from, const char *name, int looked, const struct stat *stats,
	int flags)
{
	struct stat now;
	mode_t needed = S_ISDIR(stats->st_mode) ? 0500 : 0400;
	if ((stats->st_mode & needed) != needed) {
		char self[40];
		snprintf(self, sizeof self, "/proc/self/fd/%d", looked);
		if (chmod(self, (stats->st_mode & 0777) | needed) < 0)
			fail("opening", collector->path.text);
	}
	int fd = open_beneath(from, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | flags);
	if (fd < 0 || fstat(fd, &now) < 0)
		fail("opening", collector->path.text);
	if (now.st_dev != stats->st_dev || now.st_ino != stats->st_ino) {
		errno = ESTALE;
		fail("reading what changed meanwhile,", collector->path.text);
	}
	return fd;
}

/* What is ours has one mode and time, and no owner or group but the caller's. */
static void finish(struct collector *collector, int fd, mode_t mode)
{
	const struct timespec times[2] = {{.tv_sec = collector->time}, {.tv_sec = collector->time}};
	if (fchown(fd, geteuid(), getegid()) < 0 || fchmod(fd, mode) < 0 || futimens(fd, times) < 0)
		fail("writing", collector->path.text);
}

static void take_directory(struct collector *collector, int from, int to, const char *name, unsigned depth)
{
	int made = -1;
	if (to >= 0) {
		if (mkdirat(to, name, 0700) < 0)
			fail("writing", collector->path.text);
		made = openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (made < 0)
			fail("writing", collector->path.text);
	}
	say("directory", collector->path.text, NULL);
	walk(collector, from, made, depth + 1);
	if (made >= 0)
		close(made);
}

static void take_link(struct collector *collector, int looked, int to, const char *name)
{
	char target[LONGEST_TARGET + 1];
	ssize_t length = readlinkat(looked, "", target, LONGEST_TARGET);
	if (length < 0)
		fail("reading", collector->path.text);
	target[length] = '\0';
	say("symlink", collector->path.text, target, NULL);
	if (to < 0)
		return;
	const struct timespec times[2] = {{.tv_sec = collector->time}, {.tv_sec = collector->time}};
	if (symlinkat(target, to, name) < 0 || utimensat(to, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		fail("writing", collector->path.text);
}

static void take_regular(struct collector *collector, int from, int to, const char *name, const struct stat *stats)
{
	const char *first = NULL, *path = collector->path.text;
	if (stats->st_nlink > 1)
		first = first_name(collector->firsts, stats->st_dev, stats->st_ino, path);
	if (first != NULL) {
		say("hardlink", path, first, NULL);
		if (to >= 0 && linkat(collector->copy, first, to, name, 0) < 0)
			fail("writing", path);
		return;
	}
	/* A file with holes is larger than what was written of it. */
	if (stats->st_size > 0 && (uint64_t)stats->st_size > collector->limits.bytes - collector->bytes)
		stop("bytes", path);
	int made = to < 0 ? -1 : openat(to, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (to >= 0 && made < 0)
		fail("writing", path);
	take_file(collector, from, made, stats->st_mode & 07777);
	if (made < 0)
		return;
	finish(collector, made, stats->st_mode & 0111 ? 0755 : 0644);
	if (close(made) < 0)
		fail("writing", path);
}

static void take(struct collector *collector, int from, int to, const char *name, unsigned depth)
{
	struct stat stats;
	const char *path = collector->path.text;
	int looked = open_beneath(from, name, O_PATH);
	if (looked < 0 || fstat(looked, &stats) < 0)
		fail("looking at", path);
	if (S_ISDIR(stats.st_mode)) {
		if (depth >= collector->limits.depth)
			stop("depth", path);
		int inner = reopen(collector, from, name, looked, &stats, O_DIRECTORY);
		take_directory(collector, inner, to, name, depth);
		close(inner);
	} else if (S_ISLNK(stats.st_mode)) {
		take_link(collector, looked, to, name);
	} else if (S_ISREG(stats.st_mode)) {
		int file = reopen(collector, from, name, looked, &stats, 0);
		take_regular(collector, file, to, name, &stats);
		close(file);
	} else {
		say("special", path, S_ISFIFO(stats.st_mode) ? "fifo" : S_ISSOCK(stats.st_mode) ? "socket" : "device", NULL);
	}
	close(looked);
}

static void walk(struct collector *collector, int from, int to, unsigned depth)
{
	size_t length = collector->path.length;
	char **names = names_in(collector, from);
	for (char **name = names; *name != NULL; name++) {
		enter(&collector->path, *name);
		take(collector, from, to, *name, depth);
		leave(&collector->path, length);
		free(*name);
	}
	free(names);
	if (to >= 0)
		finish(collector, to, 0755);
}

void take_tree(struct collector *collector, int from, int to)
{
	enter(&collector->path, "");
	leave(&collector->path, 0);
	collector->copy = to;
	collector->firsts = new_firsts();
	walk(collector, from, to, 0);
	free_firsts(collector->firsts);
}
