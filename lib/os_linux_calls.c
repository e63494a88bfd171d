/*
 * os_linux_calls: the filter of system calls, seccomp-bpf, made of the table
 * `rules`. A call that no row allows kills the process, and master says so.
 * Calls with which C libraries only probe (open /etc/localtime, isatty) get
 * an error instead.
 */
#ifdef __linux__

#include "lib/os_linux.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "lib/os.h"
#include "lib/span.h"

enum {
	ANY = 0x100, /* every role */
	LOOP = OS_MAY_LOOP,
	ACCEPT = OS_MAY_ACCEPT,
	PAIR = OS_MAY_PAIR,
	FILES = OS_MAY_FILES,
	CUT = OS_MAY_CUT,
	WATCH = OS_MAY_WATCH,
	CONNECT = OS_MAY_CONNECT,
	NET = OS_MAY_NET,
};

enum how {
	ALLOW,    /* whatever its arguments */
	FAIL,     /* with err */
	IF_EQ,    /* argument `arg` is one of value[]; else FAIL with err */
	IF_CLEAR, /* no bit of value[0] in argument; else kill */
	IF_SET,   /* all bits of value[0] in argument; else FAIL with err */
	IF_NULL,  /* argument `arg` is no pointer; else FAIL with err */
	IF_INET,  /* argument 0 is AF_INET or AF_INET6, and then as IF_EQ */
	IF_ME,    /* argument is this process's id; else kill */
};

enum { RULE_VALUES = 10 };

struct rule {
	long nr;
	unsigned who; /* any of these */
	enum how how;
	unsigned arg, err;
	unsigned nvalue;
	uint32_t value[RULE_VALUES];
};

#define YES(name, who)                           \
	{                                        \
		SYS_##name, who, ALLOW, 0, 0, 0, \
		{                                \
			0                        \
		}                                \
	}
#define NO(name, errnum)                             \
	{                                            \
		SYS_##name, ANY, FAIL, 0, errnum, 0, \
		{                                    \
			0                            \
		}                                    \
	}

/*
 * The first row that fits a role counts. Rows in groups, as a reader would
 * ask for them.
 */
/* clang-format off */
static const struct rule rules[] = {
#ifdef SANITIZED /* what sanitizers need: to see memory, to report */
	YES(mmap, ANY), YES(mprotect, ANY), YES(getrusage, ANY),
	YES(sched_getaffinity, ANY), YES(openat, ANY), YES(readlinkat, ANY),
	YES(prctl, ANY), YES(getpgid, ANY), YES(pipe2, ANY),
	YES(newfstatat, ANY),
#ifdef SYS_readlink
	YES(readlink, ANY),
#endif
#endif
	/* use of descriptors that are already there */
	YES(read, ANY), YES(write, ANY), YES(readv, ANY), YES(writev, ANY),
	YES(pread64, ANY), YES(lseek, ANY), YES(close, ANY),
	YES(recvmsg, ANY), YES(sendmsg, ANY), YES(recvfrom, ANY),
	YES(sendto, ANY), YES(shutdown, ANY), YES(getsockopt, ANY),
	YES(fstat, ANY), YES(dup, ANY), YES(dup3, ANY), YES(ppoll, ANY),
	YES(pselect6, ANY), YES(close_range, ANY),
	/* not F_SETFL: it takes O_APPEND off a log */
	{ SYS_fcntl, ANY, IF_EQ, 1, EINVAL, 9, { F_DUPFD, F_DUPFD_CLOEXEC,
	    F_GETFD, F_SETFD, F_GETFL, F_SETLK, F_SETLKW,
	    F_OFD_SETLK, F_OFD_SETLKW } },
	{ SYS_ioctl, ANY, IF_EQ, 1, ENOTTY, 2, { FIONREAD, FIONBIO } },
	/* glibc's fstat(2) is newfstatat(fd, "", AT_EMPTY_PATH) */
	YES(newfstatat, FILES),
	{ SYS_newfstatat, ANY, IF_SET, 3, ENOENT, 1, { AT_EMPTY_PATH } },

	/* memory: never executable */
	{ SYS_mmap, ANY, IF_CLEAR, 2, 0, 1, { PROT_EXEC } },
	{ SYS_mprotect, ANY, IF_CLEAR, 2, 0, 1, { PROT_EXEC } },
	YES(munmap, ANY), YES(mremap, ANY), YES(brk, ANY), YES(madvise, ANY),

	/* time, luck, signals to oneself, end */
	YES(clock_gettime, ANY), YES(clock_getres, ANY),
	YES(gettimeofday, ANY), YES(nanosleep, ANY),
	YES(clock_nanosleep, ANY), YES(getrandom, ANY), YES(futex, ANY),
	YES(sched_yield, ANY), YES(set_robust_list, ANY),
	YES(rt_sigaction, ANY), YES(rt_sigprocmask, ANY),
	YES(rt_sigreturn, ANY), YES(rt_sigpending, ANY),
	YES(rt_sigtimedwait, ANY), YES(sigaltstack, ANY),
	YES(restart_syscall, ANY), YES(exit, ANY), YES(exit_group, ANY),
	{ SYS_tgkill, ANY, IF_ME, 0, 0, 0, { 0 } },
	{ SYS_kill, ANY, IF_ME, 0, 0, 0, { 0 } },

	/* who and where am I */
	YES(getpid, ANY), YES(gettid, ANY), YES(getppid, ANY),
	YES(getuid, ANY), YES(geteuid, ANY), YES(getgid, ANY),
	YES(getegid, ANY), YES(uname, ANY), YES(sysinfo, ANY),
	/* to step back; one's own process */
	{ SYS_setpriority, FILES, IF_ME, 1, 0, 0, { 0 } },
	/* only to read; and nothing could be raised */
	{ SYS_prlimit64, ANY, IF_EQ, 2, EPERM, 1, { 0 } },

	/* the loop */
	YES(epoll_create1, LOOP), YES(epoll_ctl, LOOP),
	YES(epoll_pwait, LOOP), YES(eventfd2, LOOP), YES(signalfd4, LOOP),
	YES(timerfd_create, LOOP), YES(timerfd_settime, LOOP),
	YES(pipe2, LOOP),

	/* clients */
	YES(accept4, ACCEPT), YES(accept, ACCEPT), YES(getpeername, ANY),
	YES(getsockname, ANY), YES(setsockopt, ANY),
	{ SYS_socketpair, PAIR, IF_EQ, 0, EACCES, 1, { AF_UNIX } },
	/* other servers */
	{ SYS_socket, CONNECT, IF_INET, 1, EACCES, 1,
	    { SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC } },
	YES(connect, CONNECT),

	/* other hosts: no listen(2) */
	{ SYS_socket, NET, IF_EQ, 0, EACCES, 2, { AF_INET, AF_INET6 } },
	YES(connect, NET), YES(bind, NET),

	/* files, below the root that Landlock draws */
	YES(openat, FILES), YES(statx, FILES), YES(getdents64, FILES),
	YES(readlinkat, FILES), YES(faccessat, FILES), YES(fstatfs, FILES),
	YES(statfs, FILES), YES(fadvise64, FILES), YES(flock, FILES),
	YES(getcwd, FILES), YES(chdir, FILES), YES(fchdir, FILES),
	YES(pwrite64, FILES), YES(preadv, FILES), YES(pwritev, FILES),
	YES(fsync, FILES), YES(fdatasync, FILES),
	YES(sync_file_range, FILES), YES(syncfs, FILES),
	YES(ftruncate, CUT), NO(ftruncate, EPERM), YES(umask, FILES),
	/* Landlock has no say in these: no chmod, dates by descriptor only */
	NO(fchmod, EPERM), NO(fchmodat, EPERM),
	{ SYS_utimensat, FILES, IF_NULL, 1, EPERM, 0, { 0 } },
	YES(unlinkat, FILES), YES(mkdirat, FILES), YES(linkat, FILES),
	YES(renameat2, FILES), YES(copy_file_range, FILES),
	YES(sendfile, FILES), YES(faccessat2, FILES), YES(openat2, FILES),

	YES(inotify_init1, WATCH), YES(inotify_add_watch, WATCH),
	YES(inotify_rm_watch, WATCH),

	/* A library's probes: there is no such thing here. */
	NO(openat, ENOENT), NO(openat2, ENOENT), NO(statx, ENOENT),
	NO(readlinkat, ENOENT), NO(faccessat, ENOENT),
	NO(faccessat2, ENOENT), NO(getcwd, ENOENT), NO(fadvise64, EPERM), NO(prctl, EPERM), NO(rseq, ENOSYS),
	NO(membarrier, ENOSYS), NO(sched_getaffinity, EPERM),
	NO(getrusage, EPERM), NO(socket, EACCES), NO(connect, EACCES),
	NO(mlock, EPERM), NO(mlock2, EPERM),

	/* older names that one architecture still has */
#ifdef SYS_open
	YES(open, FILES), NO(open, ENOENT),
	YES(stat, FILES), NO(stat, ENOENT),
	YES(lstat, FILES), NO(lstat, ENOENT),
	YES(access, FILES), NO(access, ENOENT),
	YES(readlink, FILES), NO(readlink, ENOENT),
	YES(unlink, FILES), YES(mkdir, FILES), YES(rmdir, FILES),
	YES(rename, FILES), YES(link, FILES), NO(chmod, EPERM),
	YES(poll, ANY), YES(select, ANY), YES(dup2, ANY), YES(time, ANY),
	YES(pipe, LOOP), YES(epoll_wait, LOOP), YES(epoll_create, LOOP),
	YES(arch_prctl, ANY),
#endif
#ifdef SYS_getrlimit
	YES(getrlimit, ANY),
#endif
#ifdef SYS_renameat
	YES(renameat, FILES),
#endif
};
/* clang-format on */

#if defined(__x86_64__)
#define FILTER_ARCH AUDIT_ARCH_X86_64
#define FILTER_X32_BIT 0x40000000u
#elif defined(__aarch64__)
#define FILTER_ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define FILTER_ARCH AUDIT_ARCH_RISCV64
#endif

#ifdef FILTER_ARCH

enum {
	FILTER_MAX = 1024, /* instructions */
	GROUP = 8,         /* rules that are compared one by one */
};

struct filter {
	unsigned n;
	struct sock_filter code[FILTER_MAX];
};

static void
emit(struct filter *f, unsigned code, uint32_t k, unsigned yes, unsigned no)
{
	struct sock_filter *i;

	if (f->n == FILTER_MAX) /* only a longer table could do it */
		__builtin_trap();
	i = &f->code[f->n++];
	i->code = (uint16_t)code;
	i->jt = (uint8_t)yes;
	i->jf = (uint8_t)no;
	i->k = k;
}

static void
emit_load(struct filter *f, size_t offset)
{
	emit(f, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void
emit_load_half(struct filter *f, unsigned arg, bool high)
{
	size_t at = offsetof(struct seccomp_data, args) + 8 * arg;

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	high = !high;
#endif
	emit_load(f, high ? at + 4 : at);
}

/* The low half: flags, commands and ids all fit into it. */
static void
emit_load_arg(struct filter *f, unsigned arg)
{
	emit_load_half(f, arg, false);
}

static void
emit_return(struct filter *f, uint32_t action)
{
	emit(f, BPF_RET | BPF_K, action, 0, 0);
}

/* if (A == k) return action */
static void
emit_return_if(struct filter *f, uint32_t k, uint32_t action)
{
	emit(f, BPF_JMP | BPF_JEQ | BPF_K, k, 0, 1);
	emit_return(f, action);
}

static uint32_t
fail_with(unsigned errnum)
{
	return SECCOMP_RET_ERRNO | (errnum & SECCOMP_RET_DATA);
}

/* What follows when the number has matched; always ends in a return. */
static void
emit_rule_body(struct filter *f, const struct rule *r)
{
	switch (r->how) {
	case ALLOW:
		emit_return(f, SECCOMP_RET_ALLOW);
		break;
	case FAIL:
		emit_return(f, fail_with(r->err));
		break;
	case IF_EQ:
		emit_load_arg(f, r->arg);
		for (unsigned i = 0; i < r->nvalue; i++)
			emit_return_if(f, r->value[i], SECCOMP_RET_ALLOW);
		emit_return(f, fail_with(r->err));
		break;
	case IF_NULL:
		emit_load_half(f, r->arg, true);
		emit(f, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
		emit_return(f, fail_with(r->err));
		emit_load_arg(f, r->arg);
		emit_return_if(f, 0, SECCOMP_RET_ALLOW);
		emit_return(f, fail_with(r->err));
		break;
	case IF_INET:
		emit_load_arg(f, 0);
		emit(f, BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 2, 0);
		emit(f, BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 1, 0);
		emit_return(f, fail_with(r->err));
		emit_load_arg(f, r->arg);
		for (unsigned i = 0; i < r->nvalue; i++)
			emit_return_if(f, r->value[i], SECCOMP_RET_ALLOW);
		emit_return(f, fail_with(r->err));
		break;
	case IF_CLEAR:
		emit_load_arg(f, r->arg);
		emit(f, BPF_ALU | BPF_AND | BPF_K, r->value[0], 0, 0);
		emit_return_if(f, 0, SECCOMP_RET_ALLOW);
		emit_return(f, SECCOMP_RET_KILL_PROCESS);
		break;
	case IF_SET:
		emit_load_arg(f, r->arg);
		emit(f, BPF_ALU | BPF_AND | BPF_K, r->value[0], 0, 0);
		emit_return_if(f, r->value[0], SECCOMP_RET_ALLOW);
		emit_return(f, fail_with(r->err));
		break;
	case IF_ME:
		emit_load_arg(f, r->arg);
		emit_return_if(f, (uint32_t)getpid(), SECCOMP_RET_ALLOW);
		emit_return(f, SECCOMP_RET_KILL_PROCESS);
		break;
	}
}

static void
emit_rule(struct filter *f, const struct rule *r)
{
	unsigned jump = f->n;

	emit(f, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)r->nr, 0, 0);
	emit_rule_body(f, r);
	f->code[jump].jf = (uint8_t)(f->n - jump - 1);
}

/* Those of the role, by number; of one call in the order of the table. */
static size_t
rules_sorted(unsigned may, const struct rule *out[])
{
	size_t n = 0, i;

	for (const struct rule *r = rules; r < rules + nitems(rules); r++) {
		if ((r->who & (may | ANY)) == 0)
			continue;
		for (i = n++; i > 0 && out[i - 1]->nr > r->nr; i--)
			out[i] = out[i - 1];
		out[i] = r;
	}
	return n;
}

/*
 * A few at a time, so that a call is compared with some of them and not with
 * all: if (A >= the first of those that follow) go on there.
 */
static void
emit_rules(struct filter *f, unsigned may)
{
	const struct rule *r[nitems(rules)];
	size_t n = rules_sorted(may, r), i = 0, last;
	unsigned jump = 0;

	while (i < n) {
		for (last = i + GROUP; last < n && r[last]->nr == r[last - 1]->nr;)
			last++;
		if (last < n) {
			jump = f->n;
			emit(f, BPF_JMP | BPF_JGE | BPF_K,
			    (uint32_t)r[last]->nr, 0, 0);
		}
		for (; i < n && i < last; i++)
			emit_rule(f, r[i]);
		emit_return(f, SECCOMP_RET_KILL_PROCESS);
		if (last < n) {
			assert(f->n - jump - 1 <= UINT8_MAX);
			f->code[jump].jt = (uint8_t)(f->n - jump - 1);
		}
	}
}

static void
filter_build(struct filter *f, unsigned may)
{
	f->n = 0;
	emit_load(f, offsetof(struct seccomp_data, arch));
	emit(f, BPF_JMP | BPF_JEQ | BPF_K, FILTER_ARCH, 1, 0);
	emit_return(f, SECCOMP_RET_KILL_PROCESS);
	emit_load(f, offsetof(struct seccomp_data, nr));
	/* No call at all: what a tracer (strace, fault tests) makes of one. */
	emit_return_if(f, (uint32_t)-1, SECCOMP_RET_ALLOW);
#ifdef FILTER_X32_BIT
	emit(f, BPF_JMP | BPF_JGE | BPF_K, FILTER_X32_BIT, 0, 1);
	emit_return(f, SECCOMP_RET_KILL_PROCESS);
#endif
	emit_rules(f, may);
}

int
os_linux_calls_enter(unsigned may)
{
	static struct filter f;
	struct sock_fprog prog;
	uint32_t action = SECCOMP_RET_KILL_PROCESS;

	if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == -1)
		return 0;
	filter_build(&f, may);
	prog.len = (unsigned short)f.n;
	prog.filter = f.code;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) == -1)
		return -1;
	return 1;
}

#else /* an architecture nobody has tried yet */

int
os_linux_calls_enter(unsigned may)
{
	(void)may;
	(void)rules;
	return 0;
}

#endif

#else
typedef int os_linux_calls_is_elsewhere;
#endif
