/* The program in the images of the tests: shows how it was started, and what is in the paths that are told. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

/* Every name below a directory with its type, mode and link target, or what could not be read of it. */
static void list(const char *path)
{
	struct stat status;
	char target[4096], below[4096];
	if (lstat(path, &status) < 0) {
		printf("path %s absent\n", path);
		return;
	}
	ssize_t length = S_ISLNK(status.st_mode) ? readlink(path, target, sizeof target - 1) : 0;
	target[length > 0 ? length : 0] = 0;
	printf("path %s %o %u:%u %lld %s\n", path, (unsigned)status.st_mode, status.st_uid, status.st_gid,
	       S_ISREG(status.st_mode) ? (long long)status.st_size : 0LL, target);
	DIR *directory = S_ISDIR(status.st_mode) ? opendir(path) : NULL;
	if (!directory)
		return;
	for (struct dirent *entry; (entry = readdir(directory));) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(below, sizeof below, "%s/%s", path, entry->d_name);
		list(below);
	}
	closedir(directory);
}

int main(int argc, char **argv)
{
	char directory[4096];
	printf("ids %u:%u\ncwd %s\n", getuid(), getgid(), getcwd(directory, sizeof directory));
	for (int i = 0; i < argc; i++)
		printf("arg %s\n", argv[i]);
	for (char **variable = environ; *variable; variable++)
		printf("env %s\n", *variable);
	for (int i = 1; i < argc; i++)
		if (argv[i][0] == '/')
			list(argv[i]);
	return 7;
}
