#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "probe.h"

extern char **environ;

/* The files, as they are. */
static int cat(char **words)
{
	char data[65536];
	for (; *words != NULL; words++) {
		int fd = open(*words, O_RDONLY);
		if (fd < 0) {
			say(*words, -1);
			return 1;
		}
		for (ssize_t n; (n = read(fd, data, sizeof data)) > 0;)
			fwrite(data, 1, (size_t)n, stdout);
		close(fd);
	}
	return 0;
}

static int list(char **words)
{
	for (; *words != NULL; words++) {
		DIR *directory = opendir(*words);
		if (directory == NULL) {
			say(*words, -1);
			return 1;
		}
		for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
			if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
				puts(entry->d_name);
		closedir(directory);
	}
	return 0;
}

/* uid, gid, octal mode. */
static int show_owner(char **words)
{
	struct stat is;
	for (; *words != NULL; words++) {
		if (lstat(*words, &is) < 0)
			say(*words, -1);
		else
			printf("%s: %u %u %o\n", *words, is.st_uid, is.st_gid, is.st_mode & 07777);
	}
	return 0;
}

static int show_link(char **words)
{
	char text[PATH_MAX];
	ssize_t length = readlink(words[0], text, sizeof text - 1);
	text[length < 0 ? 0 : length] = '\0';
	puts(text);
	return 0;
}

static int show_environment(char **words)
{
	(void)words;
	for (char **variable = environ; *variable != NULL; variable++)
		puts(*variable);
	return 0;
}

static int show_arguments(char **words)
{
	for (; *words != NULL; words++)
		puts(*words);
	return 0;
}

/* Open descriptors, with what they are: f(ile) d(irectory) c(haracter) p(ipe) s(ocket); B: would block is an error. */
static int show_descriptors(char **words)
{
	struct stat is;
	(void)words;
	for (int fd = 0; fd < 1024; fd++) {
		if (fstat(fd, &is) < 0)
			continue;
		char kind = S_ISREG(is.st_mode) ? 'f' : S_ISDIR(is.st_mode) ? 'd' : S_ISCHR(is.st_mode) ? 'c' :
			S_ISFIFO(is.st_mode) ? 'p' : S_ISSOCK(is.st_mode) ? 's' : '?';
		printf("%d%c%s ", fd, kind, (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0 ? "B" : "");
	}
	puts("");
	return 0;
}

static int show_self(char **words)
{
	char path[PATH_MAX];
	gid_t groups[64];
	struct utsname name;
	struct rlimit files, core;
	(void)words;
	mode_t mask = umask(0);
	int count = getgroups(64, groups);
	if (getcwd(path, sizeof path) == NULL || uname(&name) < 0 || getrlimit(RLIMIT_NOFILE, &files) < 0 ||
	    getrlimit(RLIMIT_CORE, &core) < 0)
		return 1;
	printf("uid: %u %u\ngid: %u %u\n", getuid(), geteuid(), getgid(), getegid());
	for (int i = 0; i < count; i++)
		printf("group: %u\n", groups[i]);
	printf("cwd: %s\nhost: %s\ndomain: %s\numask: %03o\n", path, name.nodename, name.domainname, mask);
	printf("files: %llu\ncore: %llu\npid: %d\nparent: %d\ngroup leader: %s\n", (unsigned long long)files.rlim_cur,
	    (unsigned long long)core.rlim_cur, getpid(), getppid(), getpgrp() == getpid() ? "yes" : "no");
	return 0;
}

/* Makes a file or replaces its content: PATH TEXT. */
static int put(char **words)
{
	for (; words[0] != NULL && words[1] != NULL; words += 2) {
		int fd = open(words[0], O_WRONLY | O_CREAT | O_TRUNC, 0644);
		say(words[0], fd < 0 ? -1 : write(fd, words[1], strlen(words[1])));
		if (fd >= 0)
			close(fd);
	}
	return 0;
}

static int make_directories(char **words)
{
	for (; *words != NULL; words++)
		say(*words, mkdir(*words, 0755));
	return 0;
}

/* Writes that many KiB to a file, in pieces; says how many came in. */
static int fill(char **words)
{
	char block[1024];
	memset(block, 'x', sizeof block);
	int fd = open(words[0], O_WRONLY | O_CREAT | O_TRUNC, 0644);
	long most = strtol(words[1], NULL, 10), done = 0;
	while (done < most && write(fd, block, sizeof block) == (ssize_t)sizeof block)
		done++;
	say(words[0], done < most ? -1 : 0);
	printf("written: %ld\n", done);
	return 0;
}

const struct word look_words[] = {{"cat", cat}, {"list", list}, {"owner", show_owner}, {"link", show_link}, {"env", show_environment},
    {"arguments", show_arguments}, {"descriptors", show_descriptors}, {"self", show_self}, {"put", put},
    {"mkdir", make_directories}, {"fill", fill}, {NULL, NULL}};
