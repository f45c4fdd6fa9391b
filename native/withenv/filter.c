#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "fail.h"
#include "kernel.h"
#include "sandbox.h"

#if defined __x86_64__
enum { ARCHITECTURE = (int)0xc000003e };
#elif defined __aarch64__
enum { ARCHITECTURE = (int)0xc00000b7 };
#else
#error "filter.c knows the system calls of x86_64 and aarch64"
#endif

/* What becomes of a call; of what is not listed: allowed. */
enum action {
	REFUSED,     /* EPERM */
	UNKNOWN,     /* ENOSYS: programs then take another way */
	NO_XATTR,    /* EOPNOTSUPP */
	MODE_SECOND, /* EPERM if that argument has a set-id bit */
	MODE_THIRD,
	OPEN_SECOND, /* that argument: flags; the next: mode, where the flags create */
	OPEN_THIRD,
	TERMINAL, /* ioctl */
	FAMILY,   /* socket */
	ACTIONS,
};

/*
 * Set-id bits: through a mapped mount such a file would be the real owner's. Every way to make one is here; those
 * whose mode is in memory, out of a filter's reach, do not exist: openat2, io_uring. A nested user namespace has
 * CAP_SETFCAP, so no extended attributes. Mounts and namespaces stay allowed, or no root could be made inside.
 */
static const struct call {
	unsigned number;
	enum action action;
} listed[] = {
    {SYS_ioctl, TERMINAL}, {SYS_socket, FAMILY}, {SYS_socketpair, FAMILY}, {SYS_openat, OPEN_THIRD},
    {SYS_fchmod, MODE_SECOND}, {SYS_fchmodat, MODE_THIRD}, {NR_fchmodat2, MODE_THIRD}, {SYS_mknodat, MODE_THIRD},
#ifdef SYS_open
    {SYS_open, OPEN_SECOND}, {SYS_creat, MODE_SECOND}, {SYS_chmod, MODE_SECOND}, {SYS_mknod, MODE_SECOND},
#endif
    {NR_openat2, UNKNOWN}, {425, UNKNOWN}, {426, UNKNOWN}, {427, UNKNOWN}, /* io_uring's three */
    {SYS_setxattr, NO_XATTR}, {SYS_lsetxattr, NO_XATTR}, {SYS_fsetxattr, NO_XATTR}, {NR_setxattrat, NO_XATTR},
    {SYS_add_key, UNKNOWN}, {SYS_request_key, UNKNOWN}, {SYS_keyctl, UNKNOWN}, {SYS_bpf, REFUSED},
    {SYS_perf_event_open, REFUSED}, {SYS_userfaultfd, REFUSED}, {SYS_open_by_handle_at, REFUSED},
    {SYS_syslog, REFUSED}, {SYS_kexec_load, REFUSED}, {SYS_kexec_file_load, REFUSED}, {SYS_init_module, REFUSED},
    {SYS_finit_module, REFUSED}, {SYS_delete_module, REFUSED},
};

enum { CALLS = sizeof listed / sizeof *listed };

/* A program of the kernel's packet filter. */
struct step {
	uint16_t code;
	uint8_t if_true, if_false;
	uint32_t value;
};

enum { LOAD = 0x20, EQUAL = 0x15, AT_LEAST = 0x35, ANY_BIT = 0x45, RETURN = 0x06 };

struct program {
	struct step steps[8 * CALLS];
	size_t length;
	size_t leaf[CALLS];
	enum action action[CALLS];
	size_t leaves;
};

static void add(struct program *program, uint16_t code, uint32_t value, uint8_t if_true, uint8_t if_false)
{
	program->steps[program->length++] = (struct step){code, if_true, if_false, value};
}

static void give_back(struct program *program, int error)
{
	add(program, RETURN, error == 0 ? 0x7fff0000U : 0x00050000U | (uint32_t)error, 0, 0);
}

/* Low half of an argument, all that the kernel looks at of these; both architectures are little-endian. */
static void load_argument(struct program *program, unsigned index)
{
	add(program, LOAD, 16 + 8 * index, 0, 0);
}

/* A binary search: the kernel runs the whole of it for each call there is when it takes the filter. */
static void add_search(struct program *program, const struct call *calls, size_t count)
{
	if (count == 1) {
		program->leaf[program->leaves] = program->length;
		program->action[program->leaves++] = calls->action;
		add(program, EQUAL, calls->number, 0, 0);
		return;
	}
	size_t half = count / 2;
	/* A search among n has 2n - 1 steps. */
	add(program, AT_LEAST, calls[half].number, (uint8_t)(2 * half - 1), 0);
	add_search(program, calls, half);
	add_search(program, calls + half, count - half);
}

static void refuse_set_id(struct program *program, unsigned argument)
{
	load_argument(program, argument);
	add(program, ANY_BIT, S_ISUID | S_ISGID, 0, 1);
	give_back(program, EPERM);
	give_back(program, 0);
}

static void add_action(struct program *program, enum action action)
{
	unsigned flags = action == OPEN_SECOND ? 1 : 2;
	switch (action) {
	case REFUSED:
		give_back(program, EPERM);
		break;
	case UNKNOWN:
		give_back(program, ENOSYS);
		break;
	case NO_XATTR:
		give_back(program, EOPNOTSUPP);
		break;
	case MODE_SECOND:
	case MODE_THIRD:
		refuse_set_id(program, action == MODE_SECOND ? 1 : 2);
		break;
	case OPEN_SECOND:
	case OPEN_THIRD:
		load_argument(program, flags);
		add(program, ANY_BIT, O_CREAT | (O_TMPFILE & ~O_DIRECTORY), 1, 0);
		give_back(program, 0);
		refuse_set_id(program, flags + 1);
		break;
	case TERMINAL:
		load_argument(program, 1);
		add(program, EQUAL, TIOCSTI, 1, 0);
		add(program, EQUAL, TIOCLINUX, 0, 1);
		give_back(program, EPERM);
		give_back(program, 0);
		break;
	case FAMILY:
		load_argument(program, 0);
		add(program, EQUAL, AF_UNIX, 4, 0);
		add(program, EQUAL, AF_INET, 3, 0);
		add(program, EQUAL, AF_INET6, 2, 0);
		add(program, EQUAL, AF_NETLINK, 1, 0);
		give_back(program, EAFNOSUPPORT);
		give_back(program, 0);
		break;
	case ACTIONS:
		break;
	}
}

/* By number; the list is short. */
static void sort(struct call *calls)
{
	for (size_t i = 1; i < CALLS; i++) {
		struct call call = listed[i];
		size_t at = i;
		for (; at > 0 && calls[at - 1].number > call.number; at--)
			calls[at] = calls[at - 1];
		calls[at] = call;
	}
}

void filter_calls(void)
{
	struct call calls[CALLS];
	struct program program = {.length = 0};
	for (size_t i = 0; i < CALLS; i++)
		calls[i] = listed[i];
	sort(calls);
	add(&program, LOAD, 4, 0, 0);
	add(&program, EQUAL, (uint32_t)ARCHITECTURE, 1, 0);
	give_back(&program, ENOSYS);
	add(&program, LOAD, 0, 0, 0);
	/* x32 calls have this bit. */
	add(&program, AT_LEAST, 0x40000000, 0, 1);
	give_back(&program, ENOSYS);
	add_search(&program, calls, CALLS);
	size_t allow = program.length, start[ACTIONS];
	give_back(&program, 0);
	for (enum action action = REFUSED; action < ACTIONS; action++) {
		start[action] = program.length;
		add_action(&program, action);
	}
	for (size_t i = 0; i < program.leaves; i++) {
		struct step *leaf = &program.steps[program.leaf[i]];
		leaf->if_true = (uint8_t)(start[program.action[i]] - program.leaf[i] - 1);
		leaf->if_false = (uint8_t)(allow - program.leaf[i] - 1);
	}
	struct {
		unsigned short length;
		struct step *steps;
	} given = {(unsigned short)program.length, program.steps};
	must(syscall(SYS_seccomp, 1 /* SECCOMP_SET_MODE_FILTER */, 0, &given), "setting", "the filter of system calls");
}
