/*
 * Who the command is: user and group 1000 inside, always. Outside, the caller; but the machine's root is
 * replaced by an id that owns nothing, since the owner of /proc/sys may write there without any capability.
 */
#ifndef IDENTITY_H
#define IDENTITY_H

#include <stdbool.h>
#include <sys/types.h>

enum {
	INSIDE_ID = 1000,
	/* In 1879048192..2147352575, which systemd's table of ids leaves to nobody; below 2^31 for programs that
	 * count ids with a sign; below the ranges that containers get. */
	STAND_IN_ID = 2000001000,
};

struct identity {
	bool stand_in; /* the caller is the machine's root, and the command is not */
	uid_t uid;     /* the command's, as the caller's namespace names it */
	gid_t gid;
};

struct identity choose_identity(bool unsafe_root);

/* In the new namespace, by the process that becomes the command's ancestor. */
void map_own_ids(const struct identity *who);

/* By root, for a child in a new namespace that waits for it; then in that child. */
void map_ids_of(pid_t child, const struct identity *who);
void become_inside(void);

/*
 * A namespace that, set on a mount, shows what `uid` and `gid` own on disk as the command's, and writes the
 * command's files as theirs. Other owners stay what they are. Made by root only; a descriptor.
 */
int owner_namespace(const struct identity *who, uid_t uid, gid_t gid);

#endif
