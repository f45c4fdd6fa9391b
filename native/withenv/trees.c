#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#include "fail.h"
#include "kernel.h"
#include "sandbox.h"

/* While the root is built no symbolic link is followed anywhere in it, so a target cannot lead out of it. */
enum { ATTR_ALWAYS = ATTR_NOSUID | ATTR_NOSYMFOLLOW };

static const char *const stages[] = {[BIND] = "bind", [SHARE] = "share", [SHARE_RW] = "share-rw"};

static const char *file_system(int fd)
{
	static const struct {
		unsigned magic;
		const char *name;
	} names[] = {
	    {0x6969, "nfs"}, {0x794c7630, "overlay"}, {0x65735546, "fuse"}, {0x01021997, "9p"},
	    {0xff534d42, "cifs"}, {0xfe534d42, "smb"}, {0x9fa0, "proc"}, {0x62656572, "sysfs"},
	    {0x01021994, "tmpfs"}, {0x858458f6, "ramfs"}, {0x4d44, "vfat"}, {0x2fc12fc1, "zfs"},
	    {0x786f4256, "vboxsf"}, {0x00c36400, "ceph"},
	};
	static char text[32];
	struct statfs is;
	if (fstatfs(fd, &is) < 0)
		return "unknown";
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].magic == (unsigned)is.f_type)
			return names[i].name;
	snprintf(text, sizeof text, "type 0x%x", (unsigned)is.f_type);
	return text;
}

_Noreturn static void cannot_map(const struct mount *mount, uint64_t owners, int error)
{
	char advice[256];
	const struct mount_change alone = {.set = ATTR_IDMAP, .userns_fd = owners};
	/* If the tree's own root takes the map, something that is mounted further down does not. */
	bool below = change_mount(mount->tree, "", TREE_ITSELF, alone) == 0;
	snprintf(advice, sizeof advice,
	    "%s (%s) cannot show its owner as another: take a directory elsewhere, or run the command as the "
	    "machine's root by --unsafe-root",
	    below ? "what is mounted below it" : "its file system", below ? "look at findmnt -R" : file_system(mount->tree));
	fail(error, "share-rw", mount->source, advice);
}

void take_tree(struct mount *mount, const struct identity *who)
{
	const char *stage = stages[mount->kind];
	struct mount_change change = {.set = ATTR_ALWAYS | ATTR_NODEV};
	if (mount->kind != SHARE_RW)
		change.set |= ATTR_RDONLY;
	mount->tree = must(clone_tree(mount->source, TREE_RECURSIVE), stage, mount->source);
	if (who->stand_in && mount->kind != BIND) {
		struct stat is;
		struct mount_change mapped = change;
		must(fstat(mount->tree, &is), stage, mount->source);
		mapped.set |= ATTR_IDMAP;
		mapped.userns_fd = (uint64_t)owner_namespace(who, is.st_uid, is.st_gid);
		if (change_mount(mount->tree, "", TREE_ITSELF | TREE_RECURSIVE, mapped) == 0)
			return;
		if (mount->kind == SHARE_RW)
			cannot_map(mount, mapped.userns_fd, errno);
	}
	must_be_allowed(change_mount(mount->tree, "", TREE_ITSELF | TREE_RECURSIVE, change), stage, mount->source);
}

/* A name in /dev is no proof: only these numbers are bound. */
static int take_device(int index)
{
	static const struct {
		const char *path;
		unsigned major, minor;
	} devices[DEVICES] = {{"/dev/null", 1, 3}, {"/dev/zero", 1, 5}, {"/dev/full", 1, 7},
	    {"/dev/random", 1, 8}, {"/dev/urandom", 1, 9}, {"/dev/tty", 5, 0}};
	const char *path = devices[index].path;
	struct stat is;
	const struct mount_change change = {.set = ATTR_ALWAYS | ATTR_RDONLY | ATTR_NOEXEC};
	int tree = must(clone_tree(path, 0), "device", path);
	must(fstat(tree, &is), "device", path);
	if (!S_ISCHR(is.st_mode) || is.st_rdev != makedev(devices[index].major, devices[index].minor))
		fail(0, "not the device that its name says:", path, NULL);
	must(change_mount(tree, "", TREE_ITSELF, change), "device", path);
	return tree;
}

void take_devices(int trees[DEVICES])
{
	for (int i = 0; i < DEVICES; i++)
		trees[i] = take_device(i);
}

void take_trees(struct sandbox *sandbox)
{
	const struct options *options = sandbox->options;
	const struct mount_change change = {.set = ATTR_ALWAYS | ATTR_NODEV | ATTR_RDONLY};
	struct stat is;
	int tree = must_be_allowed(clone_tree(options->profile, 0), "profile", options->profile);
	must(fstat(tree, &is), "profile", options->profile);
	if (is.st_dev != sandbox->profile.st_dev || is.st_ino != sandbox->profile.st_ino)
		fail(0, "replaced while it was opened: profile", options->profile, NULL);
	must_be_allowed(change_mount(tree, "", TREE_ITSELF, change), "profile", options->profile);
	sandbox->profile_tree = tree;
	take_devices(sandbox->device_trees);
	for (size_t i = 0; i < options->mount_count; i++)
		take_tree(&options->mounts[i], &sandbox->who);
}
