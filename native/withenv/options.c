#include "options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fail.h"

const char usage[] =
    "usage: withenv --profile DIR [OPTION...] -- COMMAND [ARGUMENT...]\n"
    "       withenv --doctor [--json]\n"
    "Run COMMAND in a root of its own, made of the prepared directory DIR and of what is mounted in it.\n"
    "  --bind SRC DST       mount a file or directory, read-only; DST is a path of the root without leading /\n"
    "  --share SRC DST      mount a directory of the user's, read-only; --share-rw: with write access\n"
    "  --chdir DIR          where COMMAND starts, a path inside (default /)\n"
    "  --setenv NAME=VALUE  a variable; there are no others\n"
    "  --keepenv NAME       a variable of the caller's, if it has it: its value is in no command line\n"
    "  --net                the machine's network instead of an empty one\n"
    "  --tmp-size BYTES     limit of everything written to /tmp, /run, /var, /dev/shm\n"
    "  --hostname NAME      (default localhost)\n"
    "  --lock PATH          hold a shared lock while COMMAND runs; on the profile always\n"
    "  --name TOOL          what messages begin with\n"
    "  --unsafe-root        called by root, let COMMAND be the machine's root without capabilities\n"
    "  --die-with-parent    end with the calling process\n"
    "  --doctor             say what this machine lacks, and what to do\n"
    "Status: COMMAND's, 128+n if signal n ended it, 126 cannot be run, 127 not found, 125 failure of ours.\n"
    "Example: withenv --profile root --bind /opt/busybox packages/busybox/1 --setenv PATH=/bin -- sh\n";

_Noreturn static void misused(const char *what, const char *object)
{
	fail(0, what, object, "withenv --help lists the options");
}

static bool is_relative_and_plain(const char *path)
{
	for (;;) {
		size_t length = strcspn(path, "/");
		if (length == 0 || (length <= 2 && strncmp(path, "..", length) == 0))
			return false;
		if (path[length] == '\0')
			return true;
		path += length + 1;
	}
}

/* Directly below mnt, as the helper makes these mount points and makes only one level. */
static bool is_target(const char *path)
{
	if (!is_relative_and_plain(path) || strcmp(path, "mnt") == 0)
		return false;
	return strncmp(path, "mnt/", 4) != 0 || strchr(path + 4, '/') == NULL;
}

static unsigned long long parse_size(const char *text)
{
	char *end;
	errno = 0;
	unsigned long long size = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || size == 0 || size >> 62 != 0)
		misused("--tmp-size needs a number of bytes, not", text);
	return size;
}

static void add_mount(struct options *options, enum mount_kind kind, const char *source, const char *target)
{
	if (!is_target(target))
		misused("not a place in the root:", target);
	options->mounts[options->mount_count++] = (struct mount){kind, source, target, -1};
}

static void *array(int count, size_t size)
{
	void *memory = calloc((size_t)count + 1, size);
	if (memory == NULL)
		fail(ENOMEM, "reading", "the command line", NULL);
	return memory;
}

/* The value of the option at `*at`, on which it moves. */
static char *next(char **argv, int *at)
{
	char *option = argv[*at];
	if (argv[*at + 1] == NULL)
		misused("a value is missing after", option);
	return argv[++*at];
}

/* A copy of "NAME=VALUE" from the caller's environment, which the init wipes; null if it is not there. */
static char *inherited(const char *name)
{
	size_t length = strlen(name);
	for (char **variable = environ; *variable != NULL; variable++) {
		if (strncmp(*variable, name, length) != 0 || (*variable)[length] != '=')
			continue;
		char *copy = strdup(*variable);
		if (copy == NULL)
			fail(ENOMEM, "reading", "the environment", NULL);
		return copy;
	}
	return NULL;
}

static void check(const struct options *options)
{
	if (options->doctor)
		return;
	if (options->profile == NULL)
		misused("needs", "--profile");
	if (options->command == NULL || options->command[0] == NULL)
		misused("needs a command after", "--");
	if (options->directory[0] != '/')
		misused("--chdir needs a path inside that begins with /, not", options->directory);
	if (options->hostname[0] == '\0' || strlen(options->hostname) > 64)
		misused("no host name:", options->hostname);
}

struct options parse_options(int argc, char **argv)
{
	struct options options = {.directory = "/", .hostname = "localhost"};
	size_t variables = 0;
	options.mounts = array(argc / 3, sizeof *options.mounts);
	options.locks = array(argc / 2, sizeof *options.locks);
	options.environment = array(argc / 2, sizeof *options.environment);
	for (int at = 1; at < argc && options.command == NULL; at++) {
		const char *option = argv[at];
		bool bind = strcmp(option, "--bind") == 0, share = strcmp(option, "--share") == 0;
		if (bind || share || strcmp(option, "--share-rw") == 0) {
			const char *source = next(argv, &at);
			add_mount(&options, bind ? BIND : share ? SHARE : SHARE_RW, source, next(argv, &at));
		} else if (strcmp(option, "--setenv") == 0) {
			char *variable = next(argv, &at);
			if (strchr(variable, '=') == NULL || variable[0] == '=')
				misused("--setenv needs NAME=VALUE, not", variable);
			options.environment[variables++] = variable;
		} else if (strcmp(option, "--keepenv") == 0) {
			char *variable = inherited(next(argv, &at));
			if (variable != NULL)
				options.environment[variables++] = variable;
		} else if (strcmp(option, "--lock") == 0) {
			options.locks[options.lock_count++] = next(argv, &at);
		} else if (strcmp(option, "--profile") == 0) {
			options.profile = next(argv, &at);
		} else if (strcmp(option, "--chdir") == 0) {
			options.directory = next(argv, &at);
		} else if (strcmp(option, "--name") == 0) {
			tool = next(argv, &at);
		} else if (strcmp(option, "--hostname") == 0) {
			options.hostname = next(argv, &at);
		} else if (strcmp(option, "--tmp-size") == 0) {
			options.tmp_size = parse_size(next(argv, &at));
		} else if (strcmp(option, "--net") == 0) {
			options.network = true;
		} else if (strcmp(option, "--unsafe-root") == 0) {
			options.unsafe_root = true;
		} else if (strcmp(option, "--die-with-parent") == 0) {
			options.die_with_parent = true;
		} else if (strcmp(option, "--doctor") == 0) {
			options.doctor = true;
		} else if (strcmp(option, "--json") == 0) {
			options.json = true;
		} else if (strcmp(option, "--help") == 0) {
			_exit(write(STDOUT_FILENO, usage, sizeof usage - 1) < 0);
		} else if (strcmp(option, "--") == 0) {
			options.command = argv + at + 1;
		} else {
			misused("unknown option", option);
		}
	}
	check(&options);
	return options;
}
