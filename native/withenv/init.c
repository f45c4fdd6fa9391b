#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fail.h"
#include "kernel.h"
#include "sandbox.h"

static void tell(const struct sandbox *sandbox, enum report_kind kind, int status)
{
	const struct report report = {kind, status};
	if (send(sandbox->init, &report, sizeof report, MSG_NOSIGNAL) < 0)
		_exit(STATUS_FAILED); /* The monitor is gone; with this process all others go. */
}

/* The next order, a byte; ends everything if the monitor is gone. */
static int next_order(const struct sandbox *sandbox)
{
	unsigned char order;
	ssize_t n;
	do
		n = recv(sandbox->init, &order, 1, 0);
	while (n < 0 && errno == EINTR);
	if (n != 1)
		_exit(STATUS_FAILED);
	return order;
}

static void take_identity(const struct sandbox *sandbox)
{
	if (sandbox->who.stand_in) {
		next_order(sandbox);
		become_inside();
	} else {
		map_own_ids(&sandbox->who);
	}
	/* Beside the sockets, as a call may hang before they are looked at; a change of ids clears it. */
	must(prctl(PR_SET_PDEATHSIG, SIGKILL), "watching", "the monitor");
}

/*
 * The command's user is this process's, too: undumpable, it cannot be traced, nor its memory, program and descriptors
 * be reached through /proc/1. What /proc shows to everyone is wiped, as it names the host's directories.
 */
static void become_opaque(const struct sandbox *sandbox)
{
	must(prctl(PR_SET_DUMPABLE, 0), "hiding", "process 1");
	memset(sandbox->words, 0, sandbox->words_length);
}

/* The monitor opens these two first, so all that is to be closed comes after them. */
static void close_others(const struct sandbox *sandbox)
{
	int last = sandbox->terminal > sandbox->init ? sandbox->terminal : sandbox->init;
	must(close_range_from((unsigned)last + 1, ~0U), "closing", "descriptors");
}

/* With the command's own power, so that a share is refused now and not by its first write. */
static void check_shares(const struct options *options)
{
	char place[4096];
	for (size_t i = 0; i < options->mount_count; i++) {
		if (options->mounts[i].kind != SHARE_RW)
			continue;
		snprintf(place, sizeof place, "/%s", options->mounts[i].target);
		if (access(place, W_OK | X_OK) < 0)
			fail(errno, "share-rw: cannot write to", options->mounts[i].source, NULL);
	}
}

/* What the caller's processes see, too: /proc/keys lists what is in a session's keyring. */
static void leave_keyring(void)
{
	/* Only names are at stake, and an outer filter or a quota may refuse it. */
	syscall(SYS_keyctl, 1 /* KEYCTL_JOIN_SESSION_KEYRING */, NULL);
}

static void obey(const struct sandbox *sandbox, pid_t command)
{
	int order = next_order(sandbox);
	if (order == ORDER_TAKE_TERMINAL)
		tcsetpgrp(sandbox->terminal, command); /* It may have hung up. */
	else
		kill(-command, order);
}

/* Whatever has ended is reaped; the command's own end is everybody's. */
static void reap(const struct sandbox *sandbox, pid_t command)
{
	int status;
	pid_t child;
	while ((child = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
		if (child != command)
			continue;
		if (WIFSTOPPED(status)) {
			tell(sandbox, STOPPED, WSTOPSIG(status));
		} else {
			tell(sandbox, ENDED, status);
			_exit(0);
		}
	}
}

void run_init(struct sandbox *sandbox)
{
	struct signalfd_siginfo ignored;
	sigset_t children;
	close(sandbox->monitor);
	umask(0);
	take_identity(sandbox);
	if (!sandbox->who.stand_in)
		take_trees(sandbox);
	enter_root(sandbox);
	leave_keyring();
	drop_power();
	become_opaque(sandbox);
	close_others(sandbox);
	check_shares(sandbox->options);
	sigemptyset(&children);
	sigaddset(&children, SIGCHLD);
	int ended = must(signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK), "watching", "children");
	/* Not vfork: a Ctrl-Z before the program runs would stop both, and nobody could continue them. */
	pid_t command = must(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0), "starting", "the command");
	if (command == 0)
		run_command(sandbox);
	/* Done by both, so that neither can be too early; it fails where the program runs already. */
	setpgid(command, command);
	tell(sandbox, STARTED, 0);
	struct pollfd watched[2] = {{.fd = sandbox->init, .events = POLLIN}, {.fd = ended, .events = POLLIN}};
	for (;;) {
		if (poll(watched, 2, -1) < 0 && errno != EINTR)
			_exit(STATUS_FAILED);
		if (watched[1].revents != 0 && read(ended, &ignored, sizeof ignored) > 0)
			reap(sandbox, command);
		if (watched[0].revents != 0)
			obey(sandbox, command);
	}
}
