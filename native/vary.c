/*
 * vary WORD... -- COMMAND [ARGUMENT...]: becomes COMMAND in circumstances that must not show in what it makes.
 * vary --probe: prints the words that this machine allows.
 *   old-kernel       uname tells a release that begins with 2.6
 *   fixed-addresses  programs and their stacks are always at the same addresses
 *   one-processor    there is one processor to run on
 *   small-stack      the stack may grow to 16 MiB, and the limits of files are others
 *   closed-umask     what is made is nobody else's
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OK = 0, USAGE = 2, CANNOT_RUN = 126, OLD_RELEASE = 0x0020000 };

static int add_personality(unsigned long flag)
{
	int now = personality(0xffffffff);
	return now < 0 ? -1 : personality((unsigned)now | flag) < 0 ? -1 : 0;
}

static int old_kernel(void)
{
	return add_personality(OLD_RELEASE);
}

static int fixed_addresses(void)
{
	return add_personality(ADDR_NO_RANDOMIZE);
}

static int one_processor(void)
{
	cpu_set_t allowed, one;
	if (sched_getaffinity(0, sizeof allowed, &allowed) < 0)
		return -1;
	CPU_ZERO(&one);
	for (unsigned cpu = CPU_SETSIZE; cpu-- > 0;) {
		if (!CPU_ISSET(cpu, &allowed))
			continue;
		CPU_SET(cpu, &one);
		return sched_setaffinity(0, sizeof one, &one);
	}
	return -1;
}

static int limit(int which, rlim_t most)
{
	struct rlimit now;
	if (getrlimit(which, &now) < 0)
		return -1;
	now.rlim_cur = now.rlim_max < most ? now.rlim_max : most;
	return setrlimit(which, &now);
}

static int small_stack(void)
{
	return limit(RLIMIT_STACK, 16 << 20) < 0 ? -1 : limit(RLIMIT_NOFILE, 512);
}

static int closed_umask(void)
{
	umask(077);
	return 0;
}

static const struct {
	const char *word;
	int (*apply)(void);
} variations[] = {
	{"old-kernel", old_kernel},
	{"fixed-addresses", fixed_addresses},
	{"one-processor", one_processor},
	{"small-stack", small_stack},
	{"closed-umask", closed_umask},
};

enum { COUNT = sizeof variations / sizeof *variations };

int main(int argc, char **argv)
{
	static const char help[] =
		"usage: vary WORD... -- COMMAND [ARGUMENT...], vary --probe\n"
		"Run COMMAND in circumstances that must not matter; --probe lists the words.\n"
		"Example: vary old-kernel one-processor -- make\n";
	int at = 1;
	if (argc == 2 && strcmp(argv[1], "--probe") == 0) {
		for (int i = 0; i < COUNT; i++) {
			if (variations[i].apply() == 0)
				puts(variations[i].word);
		}
		return fflush(stdout) == 0 ? OK : CANNOT_RUN;
	}
	for (; at < argc && strcmp(argv[at], "--") != 0; at++) {
		int i = 0;
		while (i < COUNT && strcmp(argv[at], variations[i].word) != 0)
			i++;
		if (i == COUNT) {
			fputs(help, strcmp(argv[at], "--help") == 0 ? stdout : stderr);
			return strcmp(argv[at], "--help") == 0 ? OK : USAGE;
		}
		if (variations[i].apply() < 0) {
			fprintf(stderr, "vary: %s: %s\n", argv[at], strerror(errno));
			return CANNOT_RUN;
		}
	}
	if (at + 1 >= argc) {
		fputs(help, stderr);
		return USAGE;
	}
	execv(argv[at + 1], argv + at + 1);
	fprintf(stderr, "vary: %s: %s\n", argv[at + 1], strerror(errno));
	return CANNOT_RUN;
}
