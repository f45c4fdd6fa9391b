#include "probe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *name_of(int error)
{
	static const struct {
		int code;
		const char *name;
	} names[] = {{EPERM, "EPERM"}, {EACCES, "EACCES"}, {ENOSYS, "ENOSYS"}, {EINVAL, "EINVAL"}, {EROFS, "EROFS"},
	    {ENOENT, "ENOENT"}, {EOPNOTSUPP, "EOPNOTSUPP"}, {EAFNOSUPPORT, "EAFNOSUPPORT"}, {ESRCH, "ESRCH"},
	    {ENETUNREACH, "ENETUNREACH"}, {ECONNREFUSED, "ECONNREFUSED"}, {EBADF, "EBADF"}, {ENOTTY, "ENOTTY"},
	    {EFAULT, "EFAULT"}, {EEXIST, "EEXIST"}, {ELOOP, "ELOOP"}, {ENXIO, "ENXIO"}, {EIO, "EIO"},
	    {ENOTDIR, "ENOTDIR"}, {ENODATA, "ENODATA"}, {EBUSY, "EBUSY"}, {ENOSPC, "ENOSPC"}, {ENODEV, "ENODEV"},
	    {EPROTONOSUPPORT, "EPROTONOSUPPORT"}, {ESOCKTNOSUPPORT, "ESOCKTNOSUPPORT"}, {EISDIR, "EISDIR"}};
	static char other[16];
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].code == error)
			return names[i].name;
	snprintf(other, sizeof other, "E%d", error);
	return other;
}

void say(const char *what, long result)
{
	printf("%s: %s\n", what, result < 0 ? name_of(errno) : "ok");
}

int main(int argc, char **argv)
{
	const struct word *const all[] = {look_words, attack_words, process_words, network_words};
	for (size_t i = 0; argc > 1 && i < sizeof all / sizeof *all; i++)
		for (const struct word *word = all[i]; word->name != NULL; word++)
			if (strcmp(word->name, argv[1]) == 0) {
				int status = word->answer(argv + 2);
				return fflush(stdout) == 0 ? status : 99;
			}
	fprintf(stderr, "probe: what is %s?\n", argc > 1 ? argv[1] : "nothing");
	return 98;
}
