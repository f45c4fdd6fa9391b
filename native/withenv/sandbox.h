/*
 * One run: the monitor (outside; the caller's child) makes the init (process 1 of the new namespaces), which
 * builds the root, gives up all power and starts the command (process 2). They share this, written before the
 * init is made, and talk over a pair of packet sockets whose end also tells each that the other is gone.
 */
#ifndef SANDBOX_H
#define SANDBOX_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "identity.h"
#include "options.h"

enum { DEVICES = 6 };

struct sandbox {
	const struct options *options;
	struct identity who;
	struct stat profile;      /* of the locked directory */
	int profile_tree;         /* these trees: made by root's monitor, otherwise by the init */
	int device_trees[DEVICES];
	int monitor, init;        /* the two ends */
	int terminal;             /* the controlling one, or -1 */
	bool takes_terminal;      /* the command is to be its foreground from the start */
	char *words;              /* argv and environ as the kernel shows them in /proc */
	size_t words_length;
};

/* To the init: a signal to send to the command, or one of these. */
enum { ORDER_GO = 0x80, ORDER_TAKE_TERMINAL = 0x81 };

/* To the monitor. `status` is of STOPPED the signal, of ENDED what wait gave. */
enum report_kind { STARTED, STOPPED, ENDED };
struct report {
	enum report_kind kind;
	int status;
};

/* trees.c: makes the detached mounts of everything that comes from outside; as root before the clone, with owners
 * mapped, otherwise in the init. */
void take_trees(struct sandbox *sandbox);
void take_tree(struct mount *mount, const struct identity *who);
void take_devices(int trees[DEVICES]);

/* root.c: in the init, makes the new root this process's only one. */
void enter_root(struct sandbox *sandbox);
void mount_proc(const char *target);
void open_network(void);

/* init.c: what process 1 does, from its first instruction. */
_Noreturn void run_init(struct sandbox *sandbox);

/* command.c: what process 2 does. */
_Noreturn void run_command(const struct sandbox *sandbox);

/* drop.c: for good, no capability and no way to one; then, for the command, the system calls it may use. */
void drop_power(void);
void close_scopes(void);
bool can_close_scopes(void);
void filter_calls(void);

/* monitor.c: waits for the end, passes signals on; the status to exit with. */
int run_monitor(struct sandbox *sandbox, pid_t init);

#endif
