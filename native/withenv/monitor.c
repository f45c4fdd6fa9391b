#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fail.h"
#include "kernel.h"
#include "sandbox.h"

/*
 * Job control. The command has a process group of its own. If the caller's job is the terminal's foreground and the
 * command reads from and writes to the terminal, it gets the terminal at once; otherwise when it first stops for want
 * of it, so that in `withenv ... | less` the pager keeps it. Signals of the terminal reach one of the two groups
 * only, so everything that reaches this process is passed on, and nothing arrives twice.
 */
struct monitor {
	const struct sandbox *sandbox;
	pid_t init;
	bool started, ended, has_terminal;
	int status;     /* of the command, as wait gives it */
	int killed_by;  /* why this process killed the init */
	uint64_t early; /* signals that came before the command was started, to be passed on then */
	int patience;   /* milliseconds that the start may still take; -1 for ever */
};

static void order(const struct monitor *monitor, int what)
{
	unsigned char byte = (unsigned char)what;
	/* Where the init has gone, its end says so. */
	if (send(monitor->sandbox->monitor, &byte, 1, MSG_NOSIGNAL) < 0)
		return;
}

static bool job_is_foreground(const struct monitor *monitor)
{
	int terminal = monitor->sandbox->terminal;
	return terminal >= 0 && tcgetpgrp(terminal) == getpgrp();
}

static void resume(struct monitor *monitor)
{
	if (monitor->has_terminal && job_is_foreground(monitor))
		order(monitor, ORDER_TAKE_TERMINAL);
	order(monitor, SIGCONT);
}

/*
 * The whole job stops, as a shell waits for all of it: others in it did not get the signal where the command had the
 * terminal. In a group without a shell that could continue it the kernel ignores this signal, and so the command goes
 * on at once.
 */
static void stop_job(struct monitor *monitor)
{
	sigset_t stop, pending;
	sigemptyset(&stop);
	sigaddset(&stop, SIGTSTP);
	kill(monitor->has_terminal ? 0 : getpid(), SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &stop, NULL);
	sigprocmask(SIG_BLOCK, &stop, NULL);
	sigpending(&pending);
	if (sigismember(&pending, SIGCONT) == 0)
		resume(monitor);
}

static void command_stopped(struct monitor *monitor, int signal)
{
	bool wants_terminal = signal == SIGTTIN || signal == SIGTTOU;
	if (wants_terminal && job_is_foreground(monitor)) {
		monitor->has_terminal = true;
		resume(monitor);
		return;
	}
	stop_job(monitor);
	if (wants_terminal)
		monitor->has_terminal = true;
}

static void end_all(struct monitor *monitor, int signal)
{
	monitor->killed_by = signal;
	kill(monitor->init, SIGKILL);
}

/* The start takes a millisecond, but it may also hang, with a file system that does not answer. */
static void pass_signal(struct monitor *monitor, int signal)
{
	if (!monitor->started) {
		monitor->early |= 1ULL << (signal - 1);
		if (signal == SIGHUP || signal == SIGINT || signal == SIGQUIT || signal == SIGTERM)
			monitor->patience = 1000;
	} else if (signal == SIGCONT) {
		resume(monitor);
	} else {
		order(monitor, signal);
	}
}

static void command_started(struct monitor *monitor)
{
	monitor->started = true;
	monitor->patience = -1;
	for (int signal = 1; signal <= 64; signal++)
		if ((monitor->early >> (signal - 1) & 1) != 0)
			pass_signal(monitor, signal);
}

/* False at the init's end. */
static bool hear(struct monitor *monitor)
{
	struct report report;
	ssize_t n;
	do
		n = recv(monitor->sandbox->monitor, &report, sizeof report, 0);
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof report)
		return false;
	switch (report.kind) {
	case STARTED:
		command_started(monitor);
		break;
	case STOPPED:
		command_stopped(monitor, report.status);
		break;
	case ENDED:
		monitor->ended = true;
		monitor->status = report.status;
		break;
	}
	return true;
}

/* The command's group, or one that a shell in it made, may still be the terminal's foreground, and is gone. */
static void take_terminal_back(const struct monitor *monitor)
{
	int terminal = monitor->sandbox->terminal;
	pid_t group = terminal >= 0 ? tcgetpgrp(terminal) : -1;
	if (group > 0 && group != getpgrp() && kill(-group, 0) < 0 && errno == ESRCH)
		tcsetpgrp(terminal, getpgrp());
}

static int final_status(const struct monitor *monitor, int init_status)
{
	if (monitor->killed_by != 0)
		return 128 + monitor->killed_by;
	if (monitor->ended)
		return WIFSIGNALED(monitor->status) ? 128 + WTERMSIG(monitor->status) : WEXITSTATUS(monitor->status);
	if (WIFEXITED(init_status) && WEXITSTATUS(init_status) != 0)
		return WEXITSTATUS(init_status); /* It has said why. */
	fail(0, "process 1 of the root was killed", NULL, "by someone outside, or for want of memory");
}

int run_monitor(struct sandbox *sandbox, pid_t init)
{
	struct monitor monitor = {.sandbox = sandbox, .init = init, .has_terminal = sandbox->takes_terminal,
	    .patience = -1};
	struct signalfd_siginfo info;
	sigset_t passed;
	int parent = -1, status;
	sigfillset(&passed);
	sigdelset(&passed, SIGCHLD);
	sigdelset(&passed, SIGTTIN);
	sigdelset(&passed, SIGTTOU);
	int signals = signalfd(-1, &passed, SFD_CLOEXEC | SFD_NONBLOCK);
	if (sandbox->options->die_with_parent)
		parent = (int)syscall(NR_pidfd_open, getppid(), 0);
	if (signals < 0 || (sandbox->options->die_with_parent && parent < 0))
		fail(errno, "watching", "signals and the calling process", NULL);
	struct pollfd watched[3] = {{.fd = sandbox->monitor, .events = POLLIN}, {.fd = signals, .events = POLLIN},
	    {.fd = parent, .events = POLLIN}};
	for (;;) {
		int ready = poll(watched, 3, monitor.patience);
		if (ready < 0 && errno != EINTR)
			fail(errno, "waiting for", "the command", NULL);
		if (ready == 0)
			end_all(&monitor, SIGTERM);
		if (watched[0].revents != 0 && !hear(&monitor))
			break;
		if (watched[1].revents != 0 && read(signals, &info, sizeof info) == (ssize_t)sizeof info)
			pass_signal(&monitor, (int)info.ssi_signo);
		if (watched[2].revents != 0) {
			end_all(&monitor, SIGKILL);
			watched[2].fd = -1;
		}
	}
	/* Not before the kernel has ended and reaped all that was left inside. */
	while (waitpid(init, &status, 0) < 0)
		if (errno != EINTR)
			fail(errno, "waiting for", "process 1 of the root", NULL);
	take_terminal_back(&monitor);
	return final_status(&monitor, status);
}
