/*
 * withenv: runs a command in a root of its own. It knows nothing of packages: it is given a prepared directory and
 * what to mount in it. docs/security.md says what it promises; sandbox.h how its processes work together.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "doctor.h"
#include "fail.h"
#include "kernel.h"
#include "sandbox.h"

/*
 * The arguments again, in memory of their own, so that the init can wipe what /proc shows. Kernels lay out arguments,
 * environment and the program's path one after the other; what `environ` has may be elsewhere, as glibc writes
 * GLIBC_TUNABLES anew.
 */
static char **copy_words(int argc, char **argv, struct sandbox *sandbox)
{
	char *start = argv[0], *end = argv[argc - 1] + strlen(argv[argc - 1]) + 1;
	size_t length = (size_t)(end - start);
	static char *text; /* kept until the end */
	char **copy = calloc((size_t)argc + 1, sizeof *copy);
	text = malloc(length);
	if (text == NULL || copy == NULL)
		fail(ENOMEM, "reading", "the command line", NULL);
	memcpy(text, start, length);
	for (int i = 0; i < argc; i++)
		copy[i] = text + (argv[i] - start);
	char *path = (char *)getauxval(AT_EXECFN);
	if (path > end)
		end = path;
	sandbox->words = start;
	sandbox->words_length = (size_t)(end - start);
	return copy;
}

/*
 * A closed one would be replaced by the next file that is opened; a directory would be a way out of the root; and a
 * non-blocking one (Node leaves them) is what few programs can use.
 */
static void check_standard_files(void)
{
	struct stat is;
	for (int fd = 0; fd <= 2; fd++) {
		if (fstat(fd, &is) < 0) {
			if (errno != EBADF || must(open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY), "opening", "/dev/null") != fd)
				fail(errno, "looking at", "standard input, output and error", NULL);
			continue;
		}
		if (S_ISDIR(is.st_mode))
			fail(0, "a directory is standard input, output or error", NULL, "the command could leave its root by it");
		int flags = fcntl(fd, F_GETFL);
		if (flags >= 0 && (flags & O_NONBLOCK) != 0 && !S_ISREG(is.st_mode))
			fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
	}
}

/* A shared lock, on what the path still names once it is held: a collector may have removed it before. */
static struct stat lock(const char *path)
{
	struct stat is, named;
	int fd = must(open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), "lock", path);
	while (flock(fd, LOCK_SH) < 0)
		if (errno != EINTR)
			fail(errno, "lock", path, NULL);
	must(fstat(fd, &is), "lock", path);
	must(stat(path, &named), "lock", path);
	if (is.st_dev != named.st_dev || is.st_ino != named.st_ino)
		fail(0, "replaced while it was locked:", path, "run it again");
	return is;
}

static void open_ends(struct sandbox *sandbox)
{
	int ends[2];
	must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), "making", "a pair of sockets");
	sandbox->monitor = ends[0];
	sandbox->init = ends[1];
	sandbox->terminal = open("/dev/tty", O_RDWR | O_CLOEXEC);
	sandbox->takes_terminal = sandbox->terminal >= 0 && tcgetpgrp(STDIN_FILENO) == getpgrp() && isatty(STDOUT_FILENO);
}

/* All mounts are open at once where root makes them before the clone. */
static void raise_limit(void)
{
	struct rlimit limit;
	must(getrlimit(RLIMIT_NOFILE, &limit), "raising", "limits");
	limit.rlim_cur = limit.rlim_max;
	must(setrlimit(RLIMIT_NOFILE, &limit), "raising", "limits");
}

static pid_t start_init(struct sandbox *sandbox)
{
	unsigned long flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
	if (!sandbox->options->network)
		flags |= CLONE_NEWNET;
	pid_t init = (pid_t)syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
	if (init == 0)
		run_init(sandbox);
	must_be_allowed(init, "making", "namespaces");
	close(sandbox->init);
	if (sandbox->who.stand_in) {
		const unsigned char go = ORDER_GO;
		/* If this fails, the init sees the end of the socket and ends. */
		map_ids_of(init, &sandbox->who);
		must(send(sandbox->monitor, &go, 1, MSG_NOSIGNAL), "starting", "process 1 of the root");
	}
	return init;
}

int main(int argc, char **argv)
{
	struct sandbox sandbox = {.profile_tree = -1};
	sigset_t all;
	if (argc < 1 || argv[0] == NULL)
		fail(0, "started without arguments", NULL, NULL);
	if (getauxval(AT_SECURE) != 0 || getuid() != geteuid() || getgid() != getegid())
		fail(0, "set-id or with file capabilities, for which this helper is not made", NULL, NULL);
	/* Ignored by some callers, and then no end of a child could be waited for. */
	must(sigaction(SIGCHLD, &(struct sigaction){.sa_handler = SIG_DFL}, NULL), "resetting", "signals");
	must(close_range_from(3, ~0U), "closing", "descriptors");
	check_standard_files();
	struct options options = parse_options(argc, copy_words(argc, argv, &sandbox));
	if (options.doctor)
		return run_doctor(options.json);
	sandbox.options = &options;
	sandbox.who = choose_identity(options.unsafe_root);
	raise_limit();
	open_ends(&sandbox);
	sandbox.profile = lock(options.profile);
	for (size_t i = 0; i < options.lock_count; i++)
		lock(options.locks[i]);
	if (options.network && !can_close_scopes())
		warn("this kernel cannot close abstract sockets off (Landlock of Linux 6.12 can): with --net the command "
		     "reaches those of the machine", NULL);
	if (sandbox.who.stand_in)
		take_trees(&sandbox);
	sigfillset(&all);
	must(sigprocmask(SIG_SETMASK, &all, NULL), "blocking", "signals");
	pid_t init = start_init(&sandbox);
	/* What the command closes is closed. Messages still come. */
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	return run_monitor(&sandbox, init);
}
