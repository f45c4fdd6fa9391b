#include "identity.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "diagnose.h"
#include "fail.h"
#include "kernel.h"

enum { OVERFLOW_ID = 65534 };

/* Root of another user namespace (a rootless container) owns no more than any user: only the kernel's own files
 * tell. An owner that has no id here shows as the overflow id. */
static bool is_machine_root(void)
{
	struct stat sys;
	if (stat("/proc/sys", &sys) < 0)
		fail(errno, "looking at", "/proc/sys", "a mounted /proc is needed");
	return sys.st_uid == geteuid() && sys.st_uid != OVERFLOW_ID;
}

/* Not everywhere: root may be in a user namespace that has no other ids. */
static bool is_mapped(const char *file, unsigned id)
{
	char text[4096];
	unsigned inside, outside, count;
	int length;
	read_small(file, text, sizeof text);
	for (const char *line = text; sscanf(line, "%u %u %u%n", &inside, &outside, &count, &length) == 3; line += length)
		if (id >= inside && id - inside < count)
			return true;
	return false;
}

struct identity choose_identity(bool unsafe_root)
{
	if (is_machine_root() && !unsafe_root) {
		if (!is_mapped("/proc/self/uid_map", STAND_IN_ID) || !is_mapped("/proc/self/gid_map", STAND_IN_ID))
			fail(0, "the machine's root, without other ids in this user namespace", NULL,
			    "call as an ordinary user, or let the command be the machine's root by --unsafe-root");
		return (struct identity){true, STAND_IN_ID, STAND_IN_ID};
	}
	return (struct identity){false, geteuid(), getegid()};
}

static void write_map(pid_t process, const char *file, const char *text)
{
	char path[64];
	if (process == 0)
		snprintf(path, sizeof path, "/proc/self/%s", file);
	else
		snprintf(path, sizeof path, "/proc/%d/%s", (int)process, file);
	int fd = must_be_allowed(open(path, O_WRONLY | O_CLOEXEC), "opening", path);
	must_be_allowed(write(fd, text, strlen(text)), "mapping ids in", path);
	close(fd);
}

void map_own_ids(const struct identity *who)
{
	char text[64];
	write_map(0, "setgroups", "deny");
	snprintf(text, sizeof text, "%d %u 1", INSIDE_ID, who->gid);
	write_map(0, "gid_map", text);
	snprintf(text, sizeof text, "%d %u 1", INSIDE_ID, who->uid);
	write_map(0, "uid_map", text);
}

void map_ids_of(pid_t child, const struct identity *who)
{
	char text[64];
	snprintf(text, sizeof text, "%d %u 1", INSIDE_ID, who->gid);
	write_map(child, "gid_map", text);
	snprintf(text, sizeof text, "%d %u 1", INSIDE_ID, who->uid);
	write_map(child, "uid_map", text);
}

void become_inside(void)
{
	must(setgroups(0, NULL), "leaving", "supplementary groups");
	must(setresgid(INSIDE_ID, INSIDE_ID, INSIDE_ID), "becoming", "group 1000");
	must(setresuid(INSIDE_ID, INSIDE_ID, INSIDE_ID), "becoming", "user 1000");
}

/* `owner` becomes `id`; all other ids but `id` itself, which must have one meaning, stay. */
static void write_owner_map(char *text, size_t size, unsigned owner, unsigned id)
{
	const unsigned last = 4294967294U, low = owner < id ? owner : id, high = owner < id ? id : owner;
	int n = snprintf(text, size, "%u %u 1\n", owner, id);
	if (low > 0)
		n += snprintf(text + n, size - (size_t)n, "0 0 %u\n", low);
	if (high > low + 1)
		n += snprintf(text + n, size - (size_t)n, "%u %u %u\n", low + 1, low + 1, high - low - 1);
	if (high < last)
		snprintf(text + n, size - (size_t)n, "%u %u %u\n", high + 1, high + 1, last - high);
}

int owner_namespace(const struct identity *who, uid_t uid, gid_t gid)
{
	static int cached = -1;
	static uid_t cached_uid;
	static gid_t cached_gid;
	if (cached >= 0 && cached_uid == uid && cached_gid == gid)
		return cached;
	char text[160];
	pid_t parent = getpid(), holder = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
	if (holder == 0) {
		/* It only lives until its namespace has been opened. */
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent)
			pause();
		_exit(0);
	}
	must_be_allowed(holder, "making", "a namespace of owners");
	write_owner_map(text, sizeof text, gid, who->gid);
	write_map(holder, "gid_map", text);
	write_owner_map(text, sizeof text, uid, who->uid);
	write_map(holder, "uid_map", text);
	snprintf(text, sizeof text, "/proc/%d/ns/user", (int)holder);
	if (cached >= 0)
		close(cached);
	cached = must(open(text, O_RDONLY | O_CLOEXEC), "opening", text);
	cached_uid = uid;
	cached_gid = gid;
	must(kill(holder, SIGKILL), "ending", "a namespace's holder");
	must(waitpid(holder, NULL, 0), "ending", "a namespace's holder");
	return cached;
}
