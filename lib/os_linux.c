/*
 * os_linux: Linux's means: Landlock, capabilities, SO_PEERCRED, memfd; the
 * filter of system calls is in lib/os_linux_calls.c. Raw system calls, since
 * the C library has no wrappers for half of these.
 */
#ifdef __linux__

#include "lib/os.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/landlock.h>

#include "lib/os_linux.h"

/* --- file systems: Landlock -------------------------------------------- */

/* Own names: headers are often older than kernels. */
enum {
	FS_EXECUTE = 1 << 0,
	FS_WRITE_FILE = 1 << 1,
	FS_READ_FILE = 1 << 2,
	FS_READ_DIR = 1 << 3,
	FS_REMOVE_DIR = 1 << 4,
	FS_REMOVE_FILE = 1 << 5,
	FS_MAKE_DIR = 1 << 7,
	FS_MAKE_REG = 1 << 8,
	FS_ABI1 = (1 << 13) - 1,
	FS_REFER = 1 << 13,     /* ABI 2 */
	FS_TRUNCATE = 1 << 14,  /* ABI 3 */
	FS_IOCTL_DEV = 1 << 15, /* ABI 5 */

	NET_BIND_TCP = 1 << 0, /* ABI 4 */
	NET_CONNECT_TCP = 1 << 1,
	SCOPE_ABSTRACT_UNIX = 1 << 0, /* ABI 6 */
	SCOPE_SIGNAL = 1 << 1,

	FS_OURS = FS_WRITE_FILE | FS_READ_FILE | FS_READ_DIR | FS_REMOVE_FILE |
	    FS_REMOVE_DIR | FS_MAKE_DIR | FS_MAKE_REG | FS_REFER | FS_TRUNCATE,
};

struct ruleset_attr { /* struct landlock_ruleset_attr as of ABI 6 */
	uint64_t fs, net, scoped;
};

static size_t
ruleset_attr_fill(struct ruleset_attr *a, long abi, unsigned may)
{
	memset(a, 0, sizeof(*a));
	a->fs = FS_ABI1;
	if (abi >= 2)
		a->fs |= FS_REFER;
	if (abi >= 3)
		a->fs |= FS_TRUNCATE;
	if (abi >= 5)
		a->fs |= FS_IOCTL_DEV;
	if (abi < 4)
		return sizeof(a->fs);
	a->net = NET_BIND_TCP | NET_CONNECT_TCP;
	if ((may & (OS_MAY_CONNECT | OS_MAY_NET)) != 0)
		a->net = NET_BIND_TCP;
	if (abi < 6)
		return sizeof(a->fs) + sizeof(a->net);
	a->scoped = SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL;
	return sizeof(*a);
}

static int
ruleset_allow(int ruleset, int root_fd, uint64_t fs)
{
	struct landlock_path_beneath_attr beneath;

	memset(&beneath, 0, sizeof(beneath));
	beneath.allowed_access = FS_OURS & fs;
	beneath.parent_fd = root_fd;
	return (int)syscall(SYS_landlock_add_rule, ruleset,
	    LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
}

/* 1: done, 0: the kernel has no Landlock, -1: it failed. */
static int
landlock_enter(int root_fd, unsigned may)
{
	struct ruleset_attr attr;
	size_t size;
	long abi;
	int ruleset, rc = -1, saved;

	abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);
	if (abi == -1)
		return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : -1;
	/* Without REFER, ABI 1 forbids rename from tmp/ to new/. */
	if (abi < 2 && root_fd != -1)
		return 0;
	size = ruleset_attr_fill(&attr, abi, may);
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
	if (ruleset == -1)
		return -1;
	if (root_fd != -1 && ruleset_allow(ruleset, root_fd, attr.fs) == -1)
		goto out;
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) == -1)
		goto out;
	rc = 1;
out:
	saved = errno;
	close(ruleset);
	errno = saved;
	return rc;
}

int
os_sandbox_enter(const struct os_sandbox *s, const char **missing)
{
	int fs, calls;

	*missing = "";
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    os_capabilities_drop() == -1)
		return -1;
	if ((fs = landlock_enter(s->root_fd, s->may)) == -1)
		return -1;
	if ((calls = os_linux_calls_enter(s->may)) == -1)
		return -1;
	if (fs == 0)
		*missing = calls == 0 ? "landlock seccomp" : "landlock";
	else if (calls == 0)
		*missing = "seccomp";
	return 0;
}

/* --- capabilities ------------------------------------------------------ */

/*
 * To become other users and change root, to give up capabilities, to bind
 * low ports, to own and read what belongs to others, to end children.
 */
static const uint64_t master_keeps = 1ull << CAP_SETUID | 1ull << CAP_SETGID |
    1ull << CAP_SETPCAP | 1ull << CAP_SYS_CHROOT |
    1ull << CAP_NET_BIND_SERVICE | 1ull << CAP_CHOWN | 1ull << CAP_FOWNER |
    1ull << CAP_DAC_OVERRIDE | 1ull << CAP_DAC_READ_SEARCH | 1ull << CAP_KILL;

static int
capabilities_set(uint64_t keep)
{
	struct __user_cap_header_struct head;
	struct __user_cap_data_struct now[_LINUX_CAPABILITY_U32S_3];

	memset(&head, 0, sizeof(head));
	memset(now, 0, sizeof(now));
	head.version = _LINUX_CAPABILITY_VERSION_3;
	if (syscall(SYS_capget, &head, now) == -1)
		return -1;
	for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		uint32_t mask = (uint32_t)(keep >> 32 * i);

		now[i].effective &= mask;
		now[i].permitted &= mask;
		now[i].inheritable = 0;
	}
	return (int)syscall(SYS_capset, &head, now);
}

int
os_capabilities_limit(void)
{
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if ((master_keeps >> cap & 1) == 0 &&
		    prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == -1)
			return -1;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return -1;
	return capabilities_set(master_keeps);
}

int
os_capabilities_forbid(void)
{
	static bool done; /* before a fork: then it holds behind it, too */

	/* EINVAL: past the last one this kernel knows. */
	for (int cap = 0;
	    !done && prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == -1)
			return -1;
	done = true;
	return 0;
}

int
os_capabilities_drop(void)
{
	/* EINVAL: older than ambient capabilities. */
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == -1 &&
	    errno != EINVAL)
		return -1;
	return capabilities_set(0);
}

/* --- the rest ---------------------------------------------------------- */

int
os_die_with_parent(int signo)
{
	return prctl(PR_SET_PDEATHSIG, signo, 0, 0, 0);
}

bool
os_has_siblings(void)
{
	return true;
}

pid_t
os_fork_sibling(void)
{
#ifdef __s390__
	return (pid_t)syscall(SYS_clone, 0, CLONE_PARENT | SIGCHLD, 0, 0, 0);
#else
	return (pid_t)syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
#endif
}

void
os_close_from(int lowest)
{
	if (syscall(SYS_close_range, (unsigned)lowest, UINT_MAX, 0) == 0)
		return;
	for (int fd = lowest; fd < 65536; fd++)
		close(fd);
}

int
os_peer_id(int fd, uid_t *uid, gid_t *gid)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == -1)
		return -1;
	*uid = cred.uid;
	*gid = cred.gid;
	return 0;
}

void
os_memory_give_back(void)
{
#ifdef __GLIBC__
	(void)mallopt(M_MMAP_THRESHOLD, 64 * 1024);
	(void)mallopt(M_TRIM_THRESHOLD, 64 * 1024);
	(void)mallopt(M_TOP_PAD, 16 * 1024);
#endif
}

void
os_memory_trim(void)
{
#ifdef __GLIBC__
	(void)malloc_trim(0);
#endif
}

void
os_step_back(void)
{
	enum { BEHIND = 10 };

	(void)setpriority(PRIO_PROCESS, (id_t)getpid(), BEHIND);
}

int
os_memory_file(const char *name)
{
	return memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

int
os_memory_seal(int fd)
{
	return fcntl(fd, F_ADD_SEALS,
	    F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
}

#else
typedef int os_linux_is_elsewhere;
#endif
