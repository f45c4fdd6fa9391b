/*
 * lock [--shared] [--nonblock] FILE: holds a lock for a program that has no flock (Node).
 * Takes flock on FILE (made if missing; may be a directory), prints "ok", and holds it until standard input
 * is at its end, so that a caller that dies lets go. Status: 0 held and given back (also when the caller
 * went away while waiting), 75 busy (--nonblock), 1 failure, 2 wrong usage.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OK = 0, FAILED = 1, USAGE = 2, BUSY = 75 };

static const char help[] =
    "usage: lock [--shared] [--nonblock] FILE\n"
    "Lock FILE, print \"ok\", hold the lock until standard input ends.\n"
    "Example: mkfifo hold; lock --shared store/lock <hold &\n";

static int fail(const char *file, const char *doing)
{
	fprintf(stderr, "lock: %s %s: %s\n", doing, file, strerror(errno));
	return FAILED;
}

/* An existing file is only read, so that read-only stores can be locked too; O_NONBLOCK for a fifo. */
static int open_target(const char *file)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT)
		fd = open(file, O_RDONLY | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666);
	return fd;
}

/* Reads input away; true at its end. */
static int input_ended(void)
{
	char ignored[512];
	ssize_t n = read(STDIN_FILENO, ignored, sizeof ignored);
	return n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN);
}

/*
 * Waits for the lock while watching the input. The lock belongs to the open file, which a child shares: the
 * child waits and exits, this process keeps the lock. Returns 1 held, 0 input ended first, -1 error.
 */
static int wait_for(int fd, int operation)
{
	int done[2], status = 0;
	if (pipe2(done, O_CLOEXEC) < 0)
		return -1;
	pid_t self = getpid(), child = fork();
	if (child < 0)
		return -1;
	if (child == 0) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != self)
			_exit(FAILED);
		int result;
		do
			result = flock(fd, operation);
		while (result < 0 && errno == EINTR);
		_exit(result < 0 ? FAILED : OK);
	}
	close(done[1]);
	struct pollfd watched[2] = {{.fd = done[0], .events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};
	for (;;) {
		if (poll(watched, 2, -1) < 0)
			continue;
		if (watched[0].revents != 0)
			break;
		if (watched[1].revents != 0 && input_ended()) {
			kill(child, SIGKILL);
			return 0;
		}
	}
	if (waitpid(child, &status, 0) < 0 || status != 0) {
		errno = ENOLCK;
		return -1;
	}
	return 1;
}

int main(int argc, char **argv)
{
	int operation = LOCK_EX, nonblock = 0, at = 1;
	for (; at < argc && strncmp(argv[at], "--", 2) == 0; at++) {
		if (strcmp(argv[at], "--shared") == 0)
			operation = LOCK_SH;
		else if (strcmp(argv[at], "--nonblock") == 0)
			nonblock = 1;
		else if (strcmp(argv[at], "--help") == 0)
			return fputs(help, stdout) < 0 ? FAILED : OK;
		else
			break;
	}
	if (argc - at != 1 || strncmp(argv[at], "--", 2) == 0) {
		fputs(help, stderr);
		return USAGE;
	}
	const char *file = argv[at];
	/* Otherwise the lock file itself would become standard input. */
	if (fcntl(STDIN_FILENO, F_GETFD) < 0 || fcntl(STDOUT_FILENO, F_GETFD) < 0)
		return fail(file, "standard input or output is closed, locking");
	signal(SIGPIPE, SIG_IGN);
	int fd = open_target(file);
	if (fd < 0)
		return fail(file, "opening");
	if (flock(fd, operation | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			return fail(file, "locking");
		if (nonblock) {
			fprintf(stderr, "lock: %s: somebody else holds it\n", file);
			return BUSY;
		}
		int held = wait_for(fd, operation);
		if (held <= 0)
			return held < 0 ? fail(file, "locking") : OK;
	}
	if (write(STDOUT_FILENO, "ok\n", 3) != 3)
		return errno == EPIPE ? OK : fail(file, "reporting");
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	while (poll(&input, 1, -1) < 0 || !input_ended())
		;
	return OK;
}
