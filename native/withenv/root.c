#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/sysinfo.h>

#include "fail.h"
#include "kernel.h"
#include "sandbox.h"

/* All paths here are relative to the new root, the working directory. */

static void attach(int tree, const char *target)
{
	must(attach_tree(tree, AT_FDCWD, target), "mounting on", target);
	close(tree);
}

/* Attached on the old root's own place, it needs no directory of the host to be on. */
static void attach_profile(struct sandbox *sandbox)
{
	const char *profile = sandbox->options->profile;
	must_be_allowed(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "making private", "all mounts");
	must_be_allowed(attach_tree(sandbox->profile_tree, AT_FDCWD, "/"), "mounting", profile);
	must(fchdir(sandbox->profile_tree), "entering", profile);
	close(sandbox->profile_tree);
}

/* Shows one directory of the file system on mnt at another place. */
static void attach_part(const char *part, const char *target, unsigned set)
{
	const struct mount_change change = {.set = ATTR_NOSUID | ATTR_NODEV | ATTR_NOSYMFOLLOW | set};
	int tree = must(clone_tree(part, 0), "opening", part);
	must(change_mount(tree, "", TREE_ITSELF, change), "sealing", target);
	attach(tree, target);
}

/*
 * What can be written beside the shares is one tmpfs with one limit. It is mounted on mnt; its directory mnt/mnt
 * comes on top of it and hides it.
 */
static void attach_writable(const struct options *options)
{
	static const struct {
		const char *part;
		unsigned mode;
	} parts[] = {{"mnt/tmp", 01777}, {"mnt/shm", 01777}, {"mnt/run", 0755}, {"mnt/var", 0755},
	    {"mnt/var/tmp", 01777}, {"mnt/mnt", 0755}};
	unsigned long long size = options->tmp_size;
	char text[128], place[4096];
	struct sysinfo memory;
	if (size == 0) {
		must(sysinfo(&memory), "asking for", "the size of the memory");
		size = (unsigned long long)memory.totalram * memory.mem_unit / 2;
	}
	/* A file that is almost empty takes about a page; so the number of names is bounded, too. */
	snprintf(text, sizeof text, "mode=755,size=%llu,nr_inodes=%llu", size, size / 4096 + 64);
	must_be_allowed(mount("tmpfs", "mnt", "tmpfs", MS_NOSUID | MS_NODEV, text), "mounting", "a tmpfs");
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		must(mkdirat(AT_FDCWD, parts[i].part, parts[i].mode), "making", parts[i].part);
	for (size_t i = 0; i < options->mount_count; i++) {
		if (strncmp(options->mounts[i].target, "mnt/", 4) != 0)
			continue;
		int n = snprintf(place, sizeof place, "mnt/%s", options->mounts[i].target);
		if (n < 0 || (size_t)n >= sizeof place)
			fail(0, "too long:", options->mounts[i].target, NULL);
		must(mkdirat(AT_FDCWD, place, 0755), "making", options->mounts[i].target);
	}
	attach_part("mnt/tmp", "tmp", 0);
	attach_part("mnt/shm", "dev/shm", 0);
	attach_part("mnt/run", "run", 0);
	attach_part("mnt/var", "var", 0);
	attach_part("mnt/mnt", "mnt", ATTR_RDONLY);
}

static void attach_outside(struct sandbox *sandbox)
{
	static const char *const devices[DEVICES] = {
	    "dev/null", "dev/zero", "dev/full", "dev/random", "dev/urandom", "dev/tty"};
	for (int i = 0; i < DEVICES; i++)
		attach(sandbox->device_trees[i], devices[i]);
	for (size_t i = 0; i < sandbox->options->mount_count; i++)
		attach(sandbox->options->mounts[i].tree, sandbox->options->mounts[i].target);
}

/* Nothing may be mounted over parts of it: the kernel would then refuse a fresh one to a nested root. */
void mount_proc(const char *target)
{
	if (mount("proc", target, "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0)
		return;
	if (errno == EPERM)
		fail(errno, "mounting", "a fresh /proc",
		    "a container around this covers parts of its own: start it with --security-opt systempaths=unconfined "
		    "(docker) or unmask=ALL (podman)");
	must_be_allowed(-1, "mounting", "a fresh /proc");
}

void open_network(void)
{
	static const char ports[] = "proc/sys/net/ipv4/ip_unprivileged_port_start";
	struct ifreq loopback = {.ifr_name = "lo"};
	int fd = must_be_allowed(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "opening", "a socket");
	loopback.ifr_flags = IFF_UP;
	must_be_allowed(ioctl(fd, SIOCSIFFLAGS, &loopback), "starting", "the loopback interface");
	close(fd);
	fd = must(open(ports, O_WRONLY | O_CLOEXEC), "opening", ports);
	must(write(fd, "0", 1), "writing", ports);
	close(fd);
}

void enter_root(struct sandbox *sandbox)
{
	const struct options *options = sandbox->options;
	const struct mount_change finish = {.set = ATTR_NOSUID, .clear = ATTR_NOSYMFOLLOW};
	must_be_allowed(sethostname(options->hostname, strlen(options->hostname)), "setting", "the host name");
	must(setdomainname("(none)", 6), "setting", "the domain name");
	attach_profile(sandbox);
	attach_writable(options);
	attach_outside(sandbox);
	mount_proc("proc");
	if (!options->network)
		open_network();
	/* The old root comes to lie on the new one, and goes. */
	must(syscall(SYS_pivot_root, ".", "."), "entering", "the new root");
	must(umount2(".", MNT_DETACH), "leaving", "the old root");
	must(chdir("/"), "entering", "the new root");
	must(change_mount(AT_FDCWD, "/", TREE_RECURSIVE, finish), "sealing", "the new root");
}
