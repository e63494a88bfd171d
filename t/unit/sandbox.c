/*
 * sandbox: for each role a process enters its sandbox and tries what it may
 * and what it may not. A forbidden call must fail or kill; being let
 * through is the failure.
 */
#include "lib/sandbox.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/inotify.h>
#endif
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/span.h"
#include "t/unit/tap.h"

static char root[] = "/tmp/postern-sandbox.XXXXXX";
static char outside[sizeof(root) + 16];
static int root_fd, listen_fd, log_fd, pair_fd[2];

/* Each returns whether it was let through. */

static bool
try_read_write(void)
{
	char c = 'x';

	return write(pair_fd[0], &c, 1) == 1 && read(pair_fd[1], &c, 1) == 1;
}

static bool
try_memory(void)
{
	void *p = malloc(1 << 20);
	struct timespec now;

	if (p == NULL)
		return false;
	memset(p, 1, 1 << 20);
	free(p);
	return clock_gettime(CLOCK_MONOTONIC, &now) == 0;
}

static bool
try_epoll(void)
{
	return syscall(SYS_epoll_create1, 0) != -1;
}

static bool
try_accept(void)
{
	/* Nobody calls: EAGAIN is as good as a client. */
	return accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC) != -1 ||
	    errno == EAGAIN;
}

static bool
try_socketpair(void)
{
	int fd[2];

	return socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0;
}

static bool
try_root_file(void)
{
	int fd = openat(root_fd, "a/new", O_WRONLY | O_CREAT | O_EXCL, 0600);

	return fd != -1 && write(fd, "x", 1) == 1 && fsync(fd) == 0 &&
	    renameat(root_fd, "a/new", root_fd, "b/new") == 0 &&
	    unlinkat(root_fd, "b/new", 0) == 0;
}

/* A log: open for appending since before the sandbox. */
static bool
try_cut(void)
{
	return ftruncate(log_fd, 0) == 0;
}

static bool
try_watch(void)
{
#ifdef __linux__
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	return fd != -1 && fchdir(root_fd) == 0 &&
	    inotify_add_watch(fd, "a", IN_CREATE) != -1;
#else
	return false;
#endif
}

static bool
try_punch(void)
{
	return syscall(SYS_fallocate, log_fd, 3 /* punch, keep size */, 0L,
		   4096L) == 0;
}

static bool
try_overwrite(void)
{
	return fcntl(log_fd, F_SETFL, 0) == 0;
}

/* What its user owns, but another mailbox's: Landlock would let it. */
static bool
try_chmod(void)
{
	return chmod(root, 0700) == 0 || fchmod(root_fd, 0700) == 0 ||
	    fchmodat(AT_FDCWD, root, 0700, 0) == 0;
}

static bool
try_date_path(void)
{
	return utimensat(AT_FDCWD, root, NULL, 0) == 0;
}

static bool
try_date(void)
{
	return futimens(log_fd, NULL) == 0;
}

static bool
try_open_etc(void)
{
	return open("/etc/passwd", O_RDONLY) != -1;
}

static bool
try_open_above(void)
{
	return openat(root_fd, "../", O_RDONLY | O_DIRECTORY) != -1;
}

static bool
try_open_outside(void)
{
	return open(outside, O_WRONLY | O_CREAT, 0600) != -1;
}

static bool
try_rename_out(void)
{
	return renameat(root_fd, "a/kept", AT_FDCWD, outside) == 0;
}

static bool
try_link_in(void)
{
	return linkat(AT_FDCWD, "/etc/passwd", root_fd, "a/link", 0) == 0;
}

static bool
try_symlink(void)
{
	return symlinkat("/etc/passwd", root_fd, "a/sym") == 0;
}

static bool
try_exec(void)
{
	char *argv[] = { (char *)(uintptr_t) "true", NULL };

	/* Returns only if it was refused. */
	execv("/bin/true", argv);
	return false;
}

static bool
try_exec_fd(void)
{
	char *argv[] = { (char *)(uintptr_t) "true", NULL };

	syscall(SYS_execveat, root_fd, "a/kept", argv, argv, 0);
	return errno == EACCES || errno == ENOEXEC; /* looked at */
}

static bool
try_fork(void)
{
	return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) != -1;
}

static bool
try_inet(void)
{
	return socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
		   0) != -1;
}

static bool
try_datagrams(void)
{
	return socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
		   0) != -1;
}

static bool
try_packets(void)
{
	return socket(AF_PACKET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
		   0) != -1;
}

static bool
try_unix(void)
{
	return socket(AF_UNIX, SOCK_DGRAM, 0) != -1;
}

static bool
try_connect(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(25) };

	return connect(pair_fd[0], (struct sockaddr *)&to, sizeof(to)) == 0 ||
	    (errno != EACCES && errno != EPERM);
}

static bool
try_bind(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_DGRAM, 0); /* dns has no other need */

	return bind(fd == -1 ? listen_fd : fd, (struct sockaddr *)&to, sizeof(to)) == 0 ||
	    (errno != EACCES && errno != EPERM);
}

static bool
try_listen(void)
{
	return listen(listen_fd, 5) == 0;
}

static bool
try_raw(void)
{
	return socket(AF_INET, SOCK_RAW, 1) != -1;
}

static bool
try_ptrace(void)
{
	return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) == 0;
}

static bool
try_read_parent(void)
{
	return syscall(SYS_process_vm_readv, getppid(), NULL, 0L, NULL, 0L,
		   0L) == 0;
}

static bool
try_signal_parent(void)
{
	return kill(getppid(), 0) == 0;
}

#ifndef SANITIZED /* sanitizers map what they like */
static bool
try_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

static bool
try_code_later(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mprotect(p, 4096, PROT_READ | PROT_EXEC) == 0;
}

#endif

static bool
try_setuid(void)
{
	return syscall(SYS_setuid, 0) == 0;
}

static bool
try_chroot(void)
{
	return chroot("/") == 0;
}

static bool
try_new_namespace(void)
{
	return syscall(SYS_unshare, 0x10000000 /* CLONE_NEWUSER */) == 0;
}

static bool
try_bpf(void)
{
	return syscall(SYS_bpf, 0, NULL, 0) != -1 || errno == EFAULT ||
	    errno == EINVAL;
}

static bool
try_io_uring(void)
{
	return syscall(SYS_io_uring_setup, 1, NULL) != -1 || errno == EFAULT;
}

static bool
try_more_files(void)
{
	struct rlimit r = { RLIM_INFINITY, RLIM_INFINITY };

	return setrlimit(RLIMIT_NOFILE, &r) == 0;
}

static bool
try_core(void)
{
	struct rlimit r;

	return getrlimit(RLIMIT_CORE, &r) != 0 || r.rlim_max != 0;
}

static bool
try_other_numbers(void)
{
#ifdef __x86_64__
	/* x32's getpid: the same calls under other numbers */
	return syscall(0x40000000 | SYS_getpid) != -1;
#else
	return false;
#endif
}

static bool
try_other_arch(void)
{
#ifdef __x86_64__
	long rc;

	/* i386's getpid(), number 20 */
	__asm__ volatile("int $0x80" : "=a"(rc) : "a"(20L) : "memory");
	return rc > 0;
#else
	return false;
#endif
}

#define R(role) (1u << ROLE_##role)
#define FRONT (R(SMTPD) | R(LOGIN))
#define OWNER (R(DELIVER) | R(POP3D) | R(IMAPD))
#define ALL (FRONT | OWNER | R(AUTH) | R(DNS) | R(QUEUE) | R(RELAY))

/* clang-format off */
static const struct {
	const char *what;
	bool (*fn)(void);
	unsigned may; /* roles */
} probes[] = {
	{ "use what it holds", try_read_write, ALL },
	{ "take memory and tell the time", try_memory, ALL },
	{ "make an event queue", try_epoll, FRONT | R(AUTH) | R(DNS) |
	    R(QUEUE) | R(RELAY) },
	{ "accept", try_accept, FRONT | R(QUEUE) },
	{ "make a socket pair", try_socketpair, R(LOGIN) },
	{ "work with files below its root", try_root_file,
	    OWNER | R(QUEUE) },
	{ "cut what it may write", try_cut, R(QUEUE) },
	{ "be told of changes in a directory", try_watch, R(IMAPD) },
	{ "make a hole in its log", try_punch, 0 },
	{ "write over its log", try_overwrite, 0 },
	{ "date a file that it holds", try_date, OWNER | R(QUEUE) },
	{ "date a file by its name", try_date_path, 0 },
	{ "change a mode", try_chmod, 0 },
	{ "open /etc/passwd", try_open_etc, 0 },
	{ "open the directory above its root", try_open_above, 0 },
	{ "make a file outside", try_open_outside, 0 },
	{ "rename a file out of its root", try_rename_out, 0 },
	{ "link a file into its root", try_link_in, 0 },
	{ "make a symbolic link", try_symlink, 0 },
	{ "run a program", try_exec, 0 },
	{ "run a program by descriptor", try_exec_fd, 0 },
	{ "fork", try_fork, 0 },
	{ "make a TCP socket", try_inet, R(DNS) | R(RELAY) },
	{ "make a UDP socket", try_datagrams, R(DNS) },
	{ "make a packet socket", try_packets, 0 },
	{ "make a local socket", try_unix, 0 },
	{ "make a raw socket", try_raw, 0 },
	{ "connect", try_connect, R(DNS) | R(RELAY) },
	{ "bind", try_bind, R(DNS) },
	{ "listen", try_listen, 0 },
	{ "trace its parent", try_ptrace, 0 },
	{ "read its parent's memory", try_read_parent, 0 },
	{ "signal its parent", try_signal_parent, 0 },
#ifndef SANITIZED
	{ "map memory that can run", try_code, 0 },
	{ "make memory run", try_code_later, 0 },
#endif
	{ "become root", try_setuid, 0 },
	{ "change root", try_chroot, 0 },
	{ "make a namespace", try_new_namespace, 0 },
	{ "load a kernel program", try_bpf, 0 },
	{ "use io_uring", try_io_uring, 0 },
	{ "raise a limit", try_more_files, 0 },
	{ "dump core", try_core, 0 },
	{ "call the kernel by x32 numbers", try_other_numbers, 0 },
	{ "call the kernel as i386", try_other_arch, 0 },
};
/* clang-format on */

static const enum role roles[] = { ROLE_SMTPD, ROLE_LOGIN, ROLE_AUTH,
	ROLE_DNS, ROLE_QUEUE, ROLE_DELIVER, ROLE_RELAY, ROLE_POP3D,
	ROLE_IMAPD };

enum { LET_THROUGH = 0, REFUSED = 1, BROKEN = 2 };

/* In a process of its own: LET_THROUGH, REFUSED (or killed), BROKEN. */
static int
probe_run(enum role role, bool (*fn)(void))
{
	const char *partial;
	int status;
	pid_t pid;

	fflush(stdout);
	if ((pid = fork()) == 0) {
		if (sandbox_enter(role, sandbox_has_files(role) ? root_fd : -1,
			root, &partial) == -1 ||
		    partial[0] != '\0')
			_exit(BROKEN);
		_exit(fn() ? LET_THROUGH : REFUSED);
	}
	if (pid == -1 || waitpid(pid, &status, 0) != pid)
		return BROKEN;
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGSYS ? REFUSED : BROKEN;
	return WEXITSTATUS(status);
}

/* A kernel without Landlock or seccomp has nothing to test. */
static bool
kernel_is_able(void)
{
	const char *partial = "?";
	int status = 1;
	pid_t pid = fork();

	if (pid == 0) {
		if (sandbox_enter(ROLE_AUTH, -1, NULL, &partial) == -1)
			_exit(2);
		_exit(partial[0] == '\0' ? 0 : 1);
	}
	return pid != -1 && waitpid(pid, &status, 0) == pid &&
	    !(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

static void
scene_make(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	int fd;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (mkdtemp(root) == NULL)
		exit(2);
	snprintf(outside, sizeof(outside), "%s.outside", root);
	root_fd = open(root, O_RDONLY | O_DIRECTORY);
	mkdirat(root_fd, "a", 0700);
	mkdirat(root_fd, "b", 0700);
	fd = openat(root_fd, "a/kept", O_WRONLY | O_CREAT, 0600);
	close(fd);
	log_fd = openat(root_fd, "a/log", O_WRONLY | O_APPEND | O_CREAT, 0600);
	if (log_fd == -1 || write(log_fd, "x", 1) != 1)
		exit(2);
	listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (bind(listen_fd, (struct sockaddr *)&at, sizeof(at)) == -1 ||
	    listen(listen_fd, 5) == -1 ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, pair_fd) == -1)
		exit(2);
}

static void
scene_clear(void)
{
	static const char *const files[] = { "a/kept", "a/new", "b/new",
		"a/link", "a/log", "a/sym" };

	for (size_t i = 0; i < nitems(files); i++)
		unlinkat(root_fd, files[i], 0);
	unlinkat(root_fd, "a", AT_REMOVEDIR);
	unlinkat(root_fd, "b", AT_REMOVEDIR);
	rmdir(root);
	unlink(outside);
}

int
main(void)
{
	char name[128];
	bool may;
	int got;

	if (!kernel_is_able()) {
		printf("1..0 # SKIP this kernel has no Landlock or seccomp\n");
		return 0;
	}
	scene_make();
	for (size_t r = 0; r < nitems(roles); r++)
		for (size_t i = 0; i < nitems(probes); i++) {
			may = (probes[i].may >> roles[r] & 1) != 0;
			got = probe_run(roles[r], probes[i].fn);
			snprintf(name, sizeof(name), "%s %s %s",
			    role_name(roles[r]), may ? "may" : "may not",
			    probes[i].what);
			if (!ok(got == (may ? LET_THROUGH : REFUSED), name))
				printf("# got %d\n", got);
		}
	scene_clear();
	return done();
}
