#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe.h"

enum { SET_ID = 04755 };

static void answer(const char *what, long result)
{
	say(what, result);
	if (result > 2)
		close((int)result);
}

/* DIR: every way to a file with a set-id bit in it; the test looks at what is there afterwards. */
static int set_id(char **words)
{
	struct {
		uint64_t flags, mode, resolve;
	} how = {O_CREAT | O_WRONLY, SET_ID, 0};
	struct {
		uint64_t value;
		uint32_t size, flags;
	} attribute = {(uintptr_t) "x", 1, 0};
	char place[64];
	if (chdir(words[0]) < 0)
		return 1;
	umask(0);
	int fd = open("plain", O_CREAT | O_RDWR, 0755), here = open(".", O_RDONLY);
	answer("open", syscall(SYS_openat, AT_FDCWD, "by-openat", O_CREAT | O_WRONLY, SET_ID));
	answer("open sgid", syscall(SYS_openat, AT_FDCWD, "by-openat-g", O_CREAT | O_WRONLY, 02755));
	answer("open high", syscall(SYS_openat, AT_FDCWD, "by-openat-h", O_CREAT | O_WRONLY | (1UL << 40), SET_ID | (1UL << 40)));
	answer("openat2", syscall(437, AT_FDCWD, "by-openat2", &how, sizeof how));
	int nameless = (int)syscall(SYS_openat, AT_FDCWD, ".", O_TMPFILE | O_WRONLY, SET_ID);
	say("tmpfile", nameless);
	snprintf(place, sizeof place, "/proc/self/fd/%d", nameless);
	if (nameless >= 0)
		linkat(AT_FDCWD, place, AT_FDCWD, "by-tmpfile", AT_SYMLINK_FOLLOW);
	answer("mknodat", syscall(SYS_mknodat, AT_FDCWD, "by-mknodat", S_IFREG | SET_ID, 0));
	answer("fchmod", syscall(SYS_fchmod, fd, SET_ID));
	answer("fchmodat", syscall(SYS_fchmodat, AT_FDCWD, "plain", SET_ID));
	answer("fchmodat2", syscall(452, AT_FDCWD, "plain", SET_ID, 0));
	answer("chmod directory", syscall(SYS_fchmod, here, 02755));
#ifdef SYS_open
	answer("old open", syscall(SYS_open, "by-open", O_CREAT | O_WRONLY, SET_ID));
	answer("creat", syscall(SYS_creat, "by-creat", SET_ID));
	answer("chmod", syscall(SYS_chmod, "plain", SET_ID));
	answer("mknod", syscall(SYS_mknod, "by-mknod", S_IFREG | SET_ID, 0));
#endif
	answer("io_uring_setup", syscall(425, 4, "x"));
	answer("setxattr", syscall(SYS_setxattr, "plain", "user.x", "x", 1, 0));
	answer("lsetxattr", syscall(SYS_lsetxattr, "plain", "security.capability", "x", 1, 0));
	answer("fsetxattr", syscall(SYS_fsetxattr, fd, "user.x", "x", 1, 0));
	answer("setxattrat", syscall(463, AT_FDCWD, "plain", 0, "user.x", &attribute, sizeof attribute));
	answer("mkdir", mkdir("directory", 06755));
	answer("fine chmod", chmod("plain", 01755));
	answer("fine open", open("fine", O_CREAT | O_WRONLY, 0640));
	/* Without O_CREAT the mode is no mode. */
	answer("fine garbage", syscall(SYS_openat, AT_FDCWD, "fine", O_RDONLY, SET_ID));
	return 0;
}

/* What else is refused, or must not be. */
static int calls(char **words)
{
	static const struct {
		const char *name;
		long number;
	} all[] = {{"bpf", SYS_bpf}, {"perf_event_open", SYS_perf_event_open}, {"userfaultfd", SYS_userfaultfd},
	    {"open_by_handle_at", SYS_open_by_handle_at}, {"syslog", SYS_syslog}, {"kexec_load", SYS_kexec_load},
	    {"init_module", SYS_init_module}, {"finit_module", SYS_finit_module}, {"delete_module", SYS_delete_module},
	    {"add_key", SYS_add_key}, {"request_key", SYS_request_key}, {"keyctl", SYS_keyctl}, {"io_uring_enter", 426}};
	(void)words;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		answer(all[i].name, syscall(all[i].number, -1L, 0L, 0L, 0L, 0L));
	return 0;
}

/* System calls of the machine's other instruction sets. */
static int foreign(char **words)
{
	(void)words;
#ifdef __x86_64__
	long result;
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "memory");
	errno = (int)-result;
	say("i386 getpid", result < 0 ? -1 : 0);
	say("x32 getpid", syscall(39L | 0x40000000L));
#endif
	return 0;
}

/* Types a character into the terminal, as if the user had. */
static int type(char **words)
{
	char key[2] = {(char)(words[0] == NULL ? 'X' : words[0][0]), '\0'};
	char selection[2] = {2, 0};
	int tty = open("/dev/tty", O_RDWR);
	say("TIOCSTI", ioctl(0, TIOCSTI, key));
	say("TIOCSTI high", syscall(SYS_ioctl, 0L, TIOCSTI | (1L << 32), key));
	say("TIOCSTI tty", ioctl(tty, TIOCSTI, key));
	say("TIOCLINUX", syscall(SYS_ioctl, 0L, TIOCLINUX | (1L << 32), selection));
	return 0;
}

static int walk(const char *directory)
{
	DIR *entries = opendir(directory);
	char path[4096];
	struct stat is;
	int opened = 0;
	if (entries == NULL)
		return 0;
	for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
		if (entry->d_name[0] == '.' || (entry->d_name[0] >= '0' && entry->d_name[0] <= '9'))
			continue;
		snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
		if (lstat(path, &is) < 0 || S_ISLNK(is.st_mode))
			continue;
		if (S_ISDIR(is.st_mode)) {
			opened += walk(path);
			continue;
		}
		int fd = open(path, O_WRONLY | O_NONBLOCK);
		if (fd >= 0) {
			puts(path);
			close(fd);
			opened++;
		}
	}
	closedir(entries);
	return opened;
}

/* DIR...: which of the kernel's files below can be opened to be written; not those of processes. */
static int writable(char **words)
{
	int opened = 0;
	for (; *words != NULL; words++)
		opened += walk(*words);
	printf("opened: %d\n", opened);
	return 0;
}

/* PID: what its own user may do to a process. */
static int pry(char **words)
{
	static const char *const files[] = {"environ", "mem", "maps", "auxv", "stack", "fd", "root/etc", "cwd/etc", "map_files"};
	char path[64], data[64];
	pid_t pid = (pid_t)strtol(words[0], NULL, 10);
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		snprintf(path, sizeof path, "/proc/%d/%s", pid, files[i]);
		answer(files[i], open(path, O_RDONLY));
	}
	snprintf(path, sizeof path, "/proc/%d/exe", pid);
	answer("exe", open(path, O_RDONLY));
	answer("exe chmod", chmod(path, 0777));
	snprintf(path, sizeof path, "/proc/%d/ns/user", pid);
	answer("namespace", open(path, O_RDONLY));
	struct iovec here = {data, sizeof data}, there = {&data, sizeof data};
	say("process_vm_readv", process_vm_readv(pid, &here, 1, &there, 1, 0));
	say("ptrace", ptrace(PTRACE_SEIZE, pid, NULL, NULL));
	return 0;
}

/* Ways back to power. */
static int rise(char **words)
{
	struct {
		uint32_t version;
		int pid;
	} header = {0x20080522, 0};
	uint32_t all[6] = {~0U, ~0U, ~0U, ~0U, ~0U, ~0U};
	gid_t group = 0;
	(void)words;
	say("setuid", setuid(0));
	say("setresuid", setresuid(0, 0, 0));
	say("setgid", setgid(0));
	say("setgroups", syscall(SYS_setgroups, 1, &group));
	say("capset", syscall(SYS_capset, &header, all));
	say("ambient", prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 0, 0, 0));
	say("securebits", prctl(PR_SET_SECUREBITS, 0, 0, 0, 0));
	say("no_new_privs off", prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
	say("chroot", chroot("/"));
	say("mount", mount("tmpfs", "/tmp", "tmpfs", 0, NULL));
	say("umount", umount2("/proc", MNT_DETACH));
	say("mknod device", mknod("/tmp/device", S_IFCHR | 0666, makedev(1, 1)));
	say("sethostname", sethostname("x", 1));
	say("unshare mounts", unshare(CLONE_NEWNS));
	return 0;
}

/* PATH DIR: the classic way out of a chroot, then opens PATH. DIR is a directory to make and to enter. */
static int escape(char **words)
{
	int above = open("/", O_RDONLY | O_DIRECTORY);
	mkdir(words[1], 0755);
	say("chroot", chroot(words[1]));
	say("fchdir", fchdir(above));
	for (int i = 0; i < 64; i++)
		if (chdir("..") < 0)
			return 1;
	say("chroot", chroot("."));
	answer("open", open(words[0], O_RDONLY));
	return 0;
}

/* DIR: mounts that hide or protect something. */
static int remount(char **words)
{
	struct {
		uint64_t set, clear, propagation, fd;
	} change = {0, 1, 0, 0};
	say("remount", mount(NULL, words[0], NULL, MS_REMOUNT | MS_BIND, NULL));
	say("mount_setattr", syscall(442, AT_FDCWD, words[0], 0, &change, sizeof change));
	say("umount", umount2(words[0], MNT_DETACH));
	say("umount mnt", umount2("/mnt", MNT_DETACH));
	answer("bare copy", syscall(428, AT_FDCWD, words[0], 1));
	answer("bare root", syscall(428, AT_FDCWD, "/", 1));
	say("write", open(words[1], O_WRONLY | O_CREAT, 0644));
	return 0;
}

static void map(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		say(path, -1);
	close(fd);
}

/* WORDS: the probe again, as root of a user namespace (and a mount namespace) of its own. */
static int nested(char **words)
{
	char uid[64], gid[64];
	snprintf(uid, sizeof uid, "0 %u 1", geteuid());
	snprintf(gid, sizeof gid, "0 %u 1", getegid());
	int made = unshare(CLONE_NEWUSER | CLONE_NEWNS);
	say("nested", made);
	fflush(stdout);
	if (made < 0)
		return 1;
	map("/proc/self/setgroups", "deny");
	map("/proc/self/gid_map", gid);
	map("/proc/self/uid_map", uid);
	static char name[] = "probe";
	char *arguments[32] = {name};
	for (int i = 0; i < 30 && words[i] != NULL; i++)
		arguments[i + 1] = words[i];
	execv("/proc/self/exe", arguments);
	return 96;
}

const struct word attack_words[] = {{"set-id", set_id}, {"calls", calls}, {"foreign", foreign}, {"type", type},
    {"writable", writable}, {"pry", pry}, {"rise", rise}, {"escape", escape}, {"remount", remount}, {"nested", nested},
    {NULL, NULL}};
