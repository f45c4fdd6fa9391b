#include <errno.h>
#include <sys/prctl.h>

#include "fail.h"
#include "kernel.h"
#include "sandbox.h"

/* Looked at afterwards, too: all the rest relies on it. */
static void drop_capabilities(void)
{
	struct cap_header header = {CAP_VERSION_3, 0};
	struct cap_set sets[2] = {{0, 0, 0}, {0, 0, 0}};
	int capability = 0;
	must(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0), "dropping", "ambient capabilities");
	while (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0)
		capability++;
	if (errno != EINVAL || capability == 0)
		fail(errno, "dropping", "the bounding set", NULL);
	must(prctl(PR_SET_SECUREBITS, SECUREBITS | SECUREBITS_LOCKS, 0, 0, 0), "setting", "secure bits");
	must(syscall(SYS_capset, &header, sets), "dropping", "capabilities");
	must(syscall(SYS_capget, &header, sets), "reading", "capabilities");
	for (int i = 0; i < 2; i++)
		if ((sets[i].effective | sets[i].permitted | sets[i].inheritable) != 0)
			fail(0, "capabilities are left", NULL, NULL);
}

void drop_power(void)
{
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "setting", "no_new_privs");
	drop_capabilities();
}

bool can_close_scopes(void)
{
	long version = syscall(NR_landlock_create_ruleset, NULL, 0, LANDLOCK_VERSION_FLAG);
	if (version < 0 && errno != ENOSYS && errno != EOPNOTSUPP)
		fail(errno, "asking for", "Landlock", NULL);
	return version >= LANDLOCK_SCOPED_SINCE;
}

/*
 * Abstract sockets and signals end at the command's processes. No file rules: a process under them can mount
 * nothing, so no root could be made inside. Older kernels rely on the namespaces alone.
 */
void close_scopes(void)
{
	const struct landlock_rules rules = {.scoped = LANDLOCK_ABSTRACT_SOCKETS | LANDLOCK_SIGNALS};
	if (!can_close_scopes())
		return;
	int fd = must(syscall(NR_landlock_create_ruleset, &rules, sizeof rules, 0), "making", "a Landlock scope");
	if (syscall(NR_landlock_restrict_self, fd, 0) < 0)
		fail(errno, "entering", "a Landlock scope",
		    errno == E2BIG ? "roots are nested too deep (Landlock allows 16 levels)" : NULL);
	close(fd);
}
