#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"

static int leave(char **words)
{
	return (int)strtol(words[0], NULL, 10);
}

static int die(char **words)
{
	signal((int)strtol(words[0], NULL, 10), SIG_DFL);
	kill(getpid(), (int)strtol(words[0], NULL, 10));
	return 97;
}

static void nap(double seconds)
{
	struct timespec time = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
	nanosleep(&time, NULL);
}

/* SECONDS, and any words that mark the process for those who look at command lines; says when it has begun. */
static int rest(char **words)
{
	puts("ready");
	fflush(stdout);
	nap(strtod(words[0], NULL));
	return 0;
}

/*
 * SIGNAL...: says "ready", then how often each came, until the last one came. What a test sends twice it must see twice.
 */
static int hear(char **words)
{
	sigset_t set;
	int number, last = 0;
	sigemptyset(&set);
	for (; *words != NULL; words++) {
		last = (int)strtol(*words, NULL, 10);
		sigaddset(&set, last);
	}
	sigprocmask(SIG_BLOCK, &set, NULL);
	puts("ready");
	fflush(stdout);
	do {
		if (sigwait(&set, &number) != 0)
			return 1;
		printf("signal %d\n", number);
		fflush(stdout);
	} while (number != last);
	/* Anything that is late. */
	struct timespec short_time = {0, 200000000};
	while ((number = sigtimedwait(&set, NULL, &short_time)) > 0)
		printf("signal %d again\n", number);
	return 0;
}

/* From the terminal, wherever standard input and output lead. */
static int read_line(char **words)
{
	char text[256];
	(void)words;
	puts("ready");
	fflush(stdout);
	ssize_t length = read(open("/dev/tty", O_RDWR), text, sizeof text - 1);
	text[length < 0 ? 0 : length] = '\0';
	printf("heard %s", text);
	return length <= 0;
}

/* SECONDS MARK...: a process in its own session, twice removed, that sleeps; this one ends at once. */
static int abandon(char **words)
{
	pid_t child = fork();
	if (child == 0) {
		setsid();
		if (fork() != 0)
			_exit(0);
		for (int fd = 0; fd < 3; fd++)
			close(fd);
		for (int number = 1; number < NSIG; number++)
			signal(number, SIG_IGN);
		nap(strtod(words[0], NULL));
		_exit(0);
	}
	waitpid(child, NULL, 0);
	return 0;
}

/* COUNT orphans that end at once, whom only process 1 can reap; says how many are still there afterwards. */
static int orphans(char **words)
{
	long count = strtol(words[0], NULL, 10);
	for (long i = 0; i < count; i++) {
		pid_t child = fork();
		if (child == 0)
			_exit(fork() == 0 ? 0 : 0);
		waitpid(child, NULL, 0);
	}
	for (int tries = 0; tries < 500; tries++) {
		int left = 0;
		char path[64];
		/* No number beyond is in use, as each is used once. */
		for (long pid = 3; pid < 2 * count + 100; pid++) {
			snprintf(path, sizeof path, "/proc/%ld", pid);
			left += access(path, F_OK) == 0 && pid != getpid();
		}
		if (left == 0) {
			puts("left: none");
			return 0;
		}
		nap(0.02);
	}
	puts("left: some");
	return 0;
}

/* Signals all that it can, then says that it is alive. */
static int kill_all(char **words)
{
	int number = (int)strtol(words[0], NULL, 10);
	signal(number, SIG_IGN);
	say("own group", kill(0, number));
	say("everybody", kill(-1, number));
	say("process 1", kill(1, SIGKILL));
	nap(0.2);
	puts("alive");
	return 0;
}

/* Runs the words with standard input, output and error closed where a dash stands in the first: "0-" to "--2". */
static int closed(char **words)
{
	for (int fd = 0; fd < 3; fd++)
		if (strchr(words[0], '0' + fd) != NULL)
			close(fd);
	execv(words[1], words + 1);
	return 96;
}

/* Runs the words with the descriptors 3, 10 and 1000 open on the directory, the first of them. */
static int opened(char **words)
{
	int fd = open(words[0], O_RDONLY | O_DIRECTORY);
	if (dup2(fd, 3) < 0 || dup2(fd, 10) < 0 || dup2(fd, 1000) < 0)
		return 96;
	execv(words[1], words + 1);
	return 96;
}

/* Runs the words with all signals ignored and blocked. */
static int deaf(char **words)
{
	sigset_t all;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_IGN);
	umask(0777);
	execv(words[0], words);
	return 96;
}

/* Runs the program with no arguments at all, not even its name. */
static int nameless(char **words)
{
	char *none[] = {NULL};
	execve(words[0], none, none);
	return 96;
}

/* Runs the words with standard output non-blocking, as Node leaves it. */
static int nonblocking(char **words)
{
	for (int fd = 0; fd < 3; fd++)
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	execv(words[0], words);
	return 96;
}

const struct word process_words[] = {{"exit", leave}, {"die", die}, {"sleep", rest}, {"hear", hear}, {"read-line", read_line},
    {"abandon", abandon}, {"orphans", orphans}, {"kill-all", kill_all}, {"closed", closed}, {"opened", opened},
    {"deaf", deaf}, {"nameless", nameless}, {"nonblocking", nonblocking}, {NULL, NULL}};
