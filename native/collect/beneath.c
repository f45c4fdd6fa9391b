#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "../withenv/kernel.h"
#include "collect.h"

/* As the kernel's headers have them: NO_XDEV, NO_MAGICLINKS, NO_SYMLINKS, BENEATH. */
enum { RESOLVE = 0x01 | 0x02 | 0x04 | 0x08 };

int open_beneath(int directory, const char *path, int flags)
{
	struct {
		uint64_t flags, mode, resolve;
	} how = {.flags = (uint64_t)(unsigned)(flags | O_CLOEXEC | O_NOFOLLOW), .resolve = RESOLVE};
	int fd;
	/* EAGAIN: something was renamed meanwhile; here nobody is left to do that for long. */
	for (int tries = 0; tries < 64; tries++) {
		fd = (int)syscall(NR_openat2, directory, path, &how, sizeof how);
		if (fd >= 0 || errno != EAGAIN)
			break;
	}
	return fd;
}
