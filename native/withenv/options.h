/* The command line: prepared by src/run or by a script, so it is strict and has no short forms. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

enum mount_kind { BIND, SHARE, SHARE_RW };

/* `target` is relative to the new root; its components are neither empty nor "." nor "..". */
struct mount {
	enum mount_kind kind;
	const char *source, *target;
	int tree; /* a detached mount, or -1 */
};

struct options {
	const char *profile, *directory, *hostname;
	struct mount *mounts;
	size_t mount_count;
	const char **locks;
	size_t lock_count;
	char **environment, **command; /* both end with a null */
	unsigned long long tmp_size;   /* bytes; 0 for half of the memory */
	bool network, unsafe_root, die_with_parent, doctor, json;
};

/* Fails on anything that is not understood. `argv` must last as long as the options. */
struct options parse_options(int argc, char **argv);

extern const char usage[];

#endif
