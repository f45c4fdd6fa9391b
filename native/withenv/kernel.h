/*
 * The kernel's interface as far as libc headers (musl's, older glibc's) do not have it. Numbers above 424 are
 * the same on every architecture. Linux 5.14 or newer: mount_setattr, and MOUNT_ATTR_NOSYMFOLLOW in it.
 */
#ifndef KERNEL_H
#define KERNEL_H

#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	NR_open_tree = 428,
	NR_move_mount = 429,
	NR_fsopen = 430,
	NR_fsconfig = 431,
	NR_fsmount = 432,
	NR_pidfd_open = 434,
	NR_close_range = 436,
	NR_openat2 = 437,
	NR_mount_setattr = 442,
	NR_landlock_create_ruleset = 444,
	NR_landlock_restrict_self = 446,
	NR_fchmodat2 = 452,
	NR_setxattrat = 463,
};

enum {
	TREE_CLONE = 1,           /* OPEN_TREE_CLONE */
	TREE_CLOEXEC = 02000000,  /* OPEN_TREE_CLOEXEC is O_CLOEXEC */
	TREE_RECURSIVE = 0x8000,  /* AT_RECURSIVE */
	TREE_ITSELF = 0x1000,     /* AT_EMPTY_PATH */
	MOVE_FROM_FD = 0x04,      /* MOVE_MOUNT_F_EMPTY_PATH */
	MOVE_FOLLOW = 0x10,       /* MOVE_MOUNT_T_SYMLINKS */
	ATTR_RDONLY = 0x01,
	ATTR_NOSUID = 0x02,
	ATTR_NODEV = 0x04,
	ATTR_NOEXEC = 0x08,
	ATTR_NOSYMFOLLOW = 0x200000,
	ATTR_IDMAP = 0x100000,
};

struct mount_change {
	uint64_t set, clear, propagation, userns_fd;
};

static inline int clone_tree(const char *path, unsigned flags)
{
	return (int)syscall(NR_open_tree, -100 /* AT_FDCWD */, path, flags | TREE_CLONE | TREE_CLOEXEC);
}

static inline int change_mount(int fd, const char *path, unsigned flags, struct mount_change change)
{
	return (int)syscall(NR_mount_setattr, fd, path, flags, &change, sizeof change);
}

static inline int attach_tree(int from, int to, const char *path)
{
	return (int)syscall(NR_move_mount, from, "", to, path, MOVE_FROM_FD | MOVE_FOLLOW);
}

static inline int close_range_from(unsigned first, unsigned last)
{
	return (int)syscall(NR_close_range, first, last, 0);
}

enum { CAP_VERSION_3 = 0x20080522 };

struct cap_header {
	uint32_t version;
	int pid;
};

struct cap_set {
	uint32_t effective, permitted, inheritable;
};

/* NOROOT, NO_SETUID_FIXUP, NO_CAP_AMBIENT_RAISE; their locks and the one that keeps KEEP_CAPS off. */
enum { SECUREBITS = 0x01 | 0x04 | 0x40, SECUREBITS_LOCKS = 0x02 | 0x08 | 0x20 | 0x80 };

enum { LANDLOCK_VERSION_FLAG = 1, LANDLOCK_SCOPED_SINCE = 6 };

struct landlock_rules {
	uint64_t handled_fs, handled_net, scoped;
};

enum { LANDLOCK_ABSTRACT_SOCKETS = 1, LANDLOCK_SIGNALS = 2 };

#endif
