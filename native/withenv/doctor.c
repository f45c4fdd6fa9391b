#include "doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fail.h"
#include "kernel.h"
#include "sandbox.h"

/* Each check does what a run does, by the same functions, in a process of its own that may fail and say why. */

static void in_namespaces(unsigned long more, void (*attempt)(void))
{
	const unsigned long flags =
	    CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
	struct identity who = choose_identity(false);
	int mapped[2], status;
	char byte = 0;
	must(pipe2(mapped, O_CLOEXEC), "making", "a pipe");
	pid_t child = (pid_t)syscall(SYS_clone, flags | more | SIGCHLD, 0, 0, 0, 0);
	if (child == 0) {
		close(mapped[1]);
		if (!who.stand_in)
			map_own_ids(&who);
		else if (read(mapped[0], &byte, 1) == 1)
			become_inside();
		else
			_exit(STATUS_FAILED);
		must_be_allowed(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "making private", "all mounts");
		attempt();
		_exit(0);
	}
	must_be_allowed(child, "making", "namespaces");
	if (who.stand_in)
		map_ids_of(child, &who);
	must(write(mapped[1], &byte, 1), "writing to", "a pipe");
	must(waitpid(child, &status, 0), "waiting for", "a check");
	if (status != 0)
		_exit(STATUS_FAILED);
}

static void name_host(void)
{
	must_be_allowed(sethostname("localhost", 9), "setting", "the host name");
}

static void try_kernel(void)
{
	const struct mount_change none = {0};
	/* Without power it is refused, but known. */
	if (change_mount(-1, "", TREE_ITSELF, none) < 0 && errno == ENOSYS)
		must_be_allowed(-1, "asking for", "mount_setattr");
}

static void try_namespaces(void)
{
	in_namespaces(0, name_host);
}

static void mount_tree(void)
{
	const struct mount_change change = {.set = ATTR_RDONLY | ATTR_NOSUID | ATTR_NOSYMFOLLOW};
	int tree = must_be_allowed(clone_tree("/", TREE_RECURSIVE), "cloning", "the mounts");
	must_be_allowed(change_mount(tree, "", TREE_ITSELF | TREE_RECURSIVE, change), "sealing", "mounts");
	must_be_allowed(attach_tree(tree, AT_FDCWD, "/"), "mounting", "a tree");
}

static void try_mounts(void)
{
	/* As it is root that makes them then, and not the process inside. */
	if (choose_identity(false).stand_in)
		close(must_be_allowed(clone_tree("/", 0), "cloning", "a mount"));
	in_namespaces(0, mount_tree);
}

static void mount_own_proc(void)
{
	mount_proc("/proc");
}

static void try_proc(void)
{
	in_namespaces(0, mount_own_proc);
}

static void take_own_devices(void)
{
	int trees[DEVICES];
	take_devices(trees);
}

static void try_devices(void)
{
	in_namespaces(0, take_own_devices);
}

static void open_own_network(void)
{
	mount_proc("/proc");
	must(chdir("/"), "entering", "/");
	open_network();
}

static void try_network(void)
{
	in_namespaces(CLONE_NEWNET, open_own_network);
}

static void try_filter(void)
{
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "setting", "no_new_privs");
	filter_calls();
}

static void try_scopes(void)
{
	if (!can_close_scopes())
		fail(0, "needs Landlock of Linux 6.12 or newer", NULL, "without it, do not use --net with what you do not trust");
}

static void try_owners(void)
{
	struct identity who = choose_identity(false);
	struct mount here = {.kind = SHARE_RW, .source = ".", .target = "work"};
	if (who.stand_in)
		take_tree(&here, &who);
}

static const struct check {
	const char *name;
	bool needed;
	void (*attempt)(void);
} checks[] = {
    {"kernel", true, try_kernel},
    {"user namespaces", true, try_namespaces},
    {"mounts in them", true, try_mounts},
    {"fresh /proc", true, try_proc},
    {"devices", true, try_devices},
    {"own network", true, try_network},
    {"filter of system calls", true, try_filter},
    {"owners on this file system (only for root)", false, try_owners},
    {"closed abstract sockets (only for --net)", false, try_scopes},
};

/* What the check said, as two lines without the tool's name; empty if all is well. */
static void run_check(const struct check *check, char *said, size_t size)
{
	int ends[2], status;
	size_t length = 0, prefix = strlen(tool) + 2;
	must(pipe2(ends, O_CLOEXEC), "making", "a pipe");
	pid_t child = fork();
	if (child == 0) {
		must(dup2(ends[1], STDERR_FILENO), "redirecting", "messages");
		check->attempt();
		_exit(0);
	}
	must(child, "starting", "a check");
	close(ends[1]);
	for (ssize_t n = 1; n > 0 && length + 1 < size; length += n > 0 ? (size_t)n : 0)
		n = read(ends[0], said + length, size - length - 1);
	said[length] = '\0';
	close(ends[0]);
	must(waitpid(child, &status, 0), "waiting for", "a check");
	if (length > prefix)
		memmove(said, said + prefix, length - prefix + 1);
	else if (status != 0)
		snprintf(said, size, "ended with wait status 0x%x", (unsigned)status);
}

static void print_json_text(const char *key, const char *text)
{
	printf(",\"%s\":\"", key);
	for (; *text != '\0'; text++)
		printf((unsigned char)*text < 0x20 ? "\\u%04x" : *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
	putchar('"');
}

static void print(const struct check *check, char *said, bool json)
{
	char *advice = strchr(said, '\n');
	if (advice != NULL) {
		*advice++ = '\0';
		advice[strcspn(advice, "\n")] = '\0';
		advice += strspn(advice, " ");
	}
	bool good = said[0] == '\0';
	if (json) {
		printf("{\"check\":\"%s\",\"needed\":%s,\"ok\":%s", check->name, check->needed ? "true" : "false",
		    good ? "true" : "false");
		if (!good)
			print_json_text("reason", said);
		if (advice != NULL && *advice != '\0')
			print_json_text("advice", advice);
		printf("}");
		return;
	}
	printf("%-4s %s%s%s\n", good ? "ok" : check->needed ? "NO" : "no", check->name, good ? "" : ": ", said);
	if (advice != NULL && *advice != '\0')
		printf("     %s\n", advice);
}

int run_doctor(bool json)
{
	char said[4096];
	int status = 0;
	if (json)
		printf("[");
	for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
		fflush(stdout);
		run_check(&checks[i], said, sizeof said);
		if (said[0] != '\0' && checks[i].needed)
			status = 1;
		if (json && i > 0)
			printf(",");
		print(&checks[i], said, json);
	}
	if (json)
		printf("]\n");
	return fflush(stdout) == 0 ? status : 1;
}
