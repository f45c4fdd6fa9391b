#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fail.h"
#include "interpreter.h"
#include "sandbox.h"

/* Some callers leave signals ignored (Node: SIGPIPE, SIGXFSZ); a command expects none to be. */
static void reset_signals(void)
{
	const struct sigaction usual = {.sa_handler = SIG_DFL};
	for (int signal = 1; signal < NSIG; signal++)
		if (sigaction(signal, &usual, NULL) < 0 && errno != EINVAL)
			fail(errno, "resetting", "signals", NULL);
}

/* Some callers raise the number of open files (Node); and no core files, which are made by the host's handler. */
static void reset_limits(void)
{
	struct rlimit limit;
	must(getrlimit(RLIMIT_NOFILE, &limit), "resetting", "limits");
	limit.rlim_cur = limit.rlim_max < 1024 ? limit.rlim_max : 1024;
	must(setrlimit(RLIMIT_NOFILE, &limit), "resetting", "limits");
	must(getrlimit(RLIMIT_CORE, &limit), "resetting", "limits");
	limit.rlim_cur = 0;
	must(setrlimit(RLIMIT_CORE, &limit), "resetting", "limits");
}

static void enter_directory(const char *directory)
{
	char path[PATH_MAX];
	must(chdir(directory), "chdir", directory);
	if (getcwd(path, sizeof path) == NULL || path[0] != '/')
		fail(errno, "outside of the root: chdir", directory, NULL);
}

_Noreturn static void cannot_run(const char *command, const char *found, int error)
{
	const char *advice = NULL, *object = command;
	int status = error == ENOENT || error == ENOTDIR ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE;
	if (found != NULL) {
		object = found;
		advice = missing_interpreter(found);
	}
	if (error == ENOEXEC)
		advice = "it is no program of this machine, and no script that begins with #!";
	else if (found == NULL && strchr(command, '/') == NULL && command[0] != '\0')
		advice = "no directory of PATH has it";
	fail_with(status, error, "run", object, advice);
}

/* As execvp, but text without #! is never given to a shell, and a file that is there is told from one that is not. */
_Noreturn static void search(char *const *command, char *const *environment)
{
	const char *path = "/bin";
	char candidate[PATH_MAX], found[PATH_MAX] = "";
	int error = ENOENT;
	for (char *const *variable = environment; *variable != NULL; variable++)
		if (strncmp(*variable, "PATH=", 5) == 0)
			path = *variable + 5;
	for (;; path++) {
		int length = (int)strcspn(path, ":");
		int n = snprintf(candidate, sizeof candidate, "%.*s/%s", length, length > 0 ? path : ".", command[0]);
		if (n > 0 && (size_t)n < sizeof candidate) {
			execve(candidate, command, environment);
			bool is_there = errno != ENOENT && errno != ENOTDIR;
			if (is_there || (found[0] == '\0' && access(candidate, F_OK) == 0)) {
				error = errno;
				memcpy(found, candidate, sizeof found);
			}
			if (is_there && errno != EACCES)
				break;
		}
		path += length;
		if (*path == '\0')
			break;
	}
	cannot_run(command[0], found[0] != '\0' ? found : NULL, error);
}

void run_command(const struct sandbox *sandbox)
{
	char *const *command = sandbox->options->command, *const *environment = sandbox->options->environment;
	sigset_t none;
	/* A group of its own: kill(0, n) inside must not reach the job that the helper belongs to. */
	must(setpgid(0, 0), "making", "a process group");
	if (sandbox->takes_terminal)
		must(tcsetpgrp(sandbox->terminal, getpid()), "taking", "the terminal");
	reset_signals();
	reset_limits();
	umask(022);
	enter_directory(sandbox->options->directory);
	close_scopes();
	filter_calls();
	sigemptyset(&none);
	must(sigprocmask(SIG_SETMASK, &none, NULL), "resetting", "signals");
	if (strchr(command[0], '/') == NULL && command[0][0] != '\0')
		search(command, environment);
	execve(command[0], command, environment);
	int error = errno;
	cannot_run(command[0], access(command[0], F_OK) == 0 ? command[0] : NULL, error);
}
