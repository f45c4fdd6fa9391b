#include "diagnose.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

void read_small(const char *path, char *text, size_t size)
{
	size_t length = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	while (fd >= 0 && length + 1 < size) {
		ssize_t n = read(fd, text + length, size - length - 1);
		if (n <= 0)
			break;
		length += (size_t)n;
	}
	if (fd >= 0)
		close(fd);
	if (length > 0 && text[length - 1] == '\n')
		length--;
	text[length] = '\0';
}

static int file_says(const char *path, const char *value)
{
	char text[64];
	read_small(path, text, sizeof text);
	return strcmp(text, value) == 0;
}

static int filtered(void)
{
	char status[4096];
	read_small("/proc/self/status", status, sizeof status);
	return strstr(status, "\nSeccomp:\t2") != NULL;
}

/* Root in a container, without the capability that containers are denied first. */
static int is_powerless_root(void)
{
	char status[4096];
	read_small("/proc/self/status", status, sizeof status);
	const char *line = strstr(status, "\nCapEff:\t");
	return geteuid() == 0 && line != NULL && (strtoull(line + 9, NULL, 16) >> 21 & 1) == 0;
}

/* No mount at "/" can be seen by a process that was only chrooted; the kernel refuses it user namespaces. */
static int chrooted(void)
{
	static char mounts[65536];
	read_small("/proc/self/mountinfo", mounts, sizeof mounts);
	for (char *line = mounts; line != NULL && *line != '\0';) {
		char root[4096], point[4096];
		if (sscanf(line, "%*s %*s %*s %4095s %4095s", root, point) == 2 && strcmp(point, "/") == 0)
			return 0;
		line = strchr(line, '\n');
		if (line != NULL)
			line++;
	}
	return mounts[0] != '\0';
}

static const char *too_old(void)
{
	static char text[160];
	struct utsname name;
	if (uname(&name) < 0)
		return NULL;
	char *rest;
	long major = strtol(name.release, &rest, 10), minor = *rest == '.' ? strtol(rest + 1, NULL, 10) : 0;
	if (major > 5 || (major == 5 && minor >= 14))
		return NULL;
	snprintf(text, sizeof text, "this is Linux %.64s; 5.14 or newer is needed (mount_setattr)", name.release);
	return text;
}

static const char *limits(void)
{
	if (file_says("/proc/sys/user/max_user_namespaces", "0"))
		return "user namespaces are switched off: sysctl -w user.max_user_namespaces=15000";
	return "roots are nested too deep (the kernel allows 32 levels), or a limit in /proc/sys/user/ is reached";
}

const char *diagnose(int error)
{
	switch (error) {
	case ENOSPC:
	case EUSERS:
		return limits();
	case EPERM:
	case EACCES:
		if (file_says("/proc/sys/kernel/unprivileged_userns_clone", "0"))
			return "Debian's switch is off: sysctl -w kernel.unprivileged_userns_clone=1";
		if (file_says("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1"))
			return "AppArmor keeps user namespaces from unknown programs: load a profile for the helper "
			       "(docs/security.md), or sysctl -w kernel.apparmor_restrict_unprivileged_userns=0";
		if (is_powerless_root())
			return "root without CAP_SYS_ADMIN: give the container --cap-add SYS_ADMIN --security-opt "
			       "seccomp=unconfined, or call as an ordinary user";
		if (filtered())
			return "a container's seccomp filter refuses it: docker and podman need --security-opt seccomp=unconfined";
		if (chrooted())
			return "inside a chroot the kernel allows no user namespace: enter it with pivot_root instead";
		return NULL;
	case ENOSYS:
		if (too_old() == NULL)
			return "the kernel lacks this call, or a container's seccomp filter hides it";
		return too_old();
	case EINVAL:
		return too_old();
	default:
		return NULL;
	}
}
