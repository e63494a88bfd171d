/*
 * os_bsd: OpenBSD's pledge(2) and unveil(2), FreeBSD's Capsicum. Written
 * from their manuals; the running tests of the sandbox are Linux's so far.
 */
#if defined(__OpenBSD__) || defined(__FreeBSD__) || defined(__NetBSD__) || \
    defined(__DragonFly__)

#include "lib/os.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>
#ifdef __FreeBSD__
#include <sys/capsicum.h>
#include <sys/procctl.h>
#endif

#ifdef __OpenBSD__

int
os_sandbox_enter(const struct os_sandbox *s, const char **missing)
{
	const char *promises;

	*missing = "";
	if ((s->may & OS_MAY_FILES) != 0) {
		/* Changed root or not, the tree is where s->root says. */
		if (unveil(s->root, "rwc") == -1 || unveil(NULL, NULL) == -1)
			return -1;
		promises = "stdio rpath wpath cpath fattr flock unix "
			   "sendfd recvfd";
	} else if ((s->may & (OS_MAY_ACCEPT | OS_MAY_CONNECT |
		OS_MAY_NET)) != 0) {
		promises = "stdio inet unix sendfd recvfd";
	} else {
		promises = "stdio sendfd recvfd";
	}
	return pledge(promises, "");
}

#elif defined(__FreeBSD__)

int
os_sandbox_enter(const struct os_sandbox *s, const char **missing)
{
	*missing = "";
	/* connect(2) to an address is a global name: not in that mode. */
	if ((s->may & (OS_MAY_CONNECT | OS_MAY_NET)) != 0) {
		*missing = "capsicum for who asks other hosts";
		return 0;
	}
	/*
	 * Capability mode: no global name can be used any more. Files are
	 * opened relative to the directory that is already open.
	 */
	if (cap_enter() == -1) {
		if (errno != ENOSYS)
			return -1;
		*missing = "capsicum";
	}
	return 0;
}

#else

int
os_sandbox_enter(const struct os_sandbox *s, const char **missing)
{
	(void)s;
	*missing = "sandbox";
	return 0;
}

#endif

int
os_capabilities_limit(void)
{
	return 0;
}

int
os_capabilities_forbid(void)
{
	return 0;
}

int
os_capabilities_drop(void)
{
	return 0;
}

int
os_die_with_parent(int signo)
{
#ifdef PROC_PDEATHSIG_CTL
	return procctl(P_PID, 0, PROC_PDEATHSIG_CTL, &signo);
#else
	(void)signo;
	return 0;
#endif
}

bool
os_has_siblings(void)
{
	return false;
}

pid_t
os_fork_sibling(void)
{
	errno = ENOSYS;
	return -1;
}

void
os_close_from(int lowest)
{
	closefrom(lowest);
}

int
os_peer_id(int fd, uid_t *uid, gid_t *gid)
{
	return getpeereid(fd, uid, gid);
}

void
os_memory_give_back(void)
{
}

void
os_memory_trim(void)
{
}

/* pledge(2) lets nobody do that who may not do worse. */
void
os_step_back(void)
{
}

int
os_memory_file(const char *name)
{
	(void)name;
#ifdef SHM_ANON
	return shm_open(SHM_ANON, O_RDWR | O_CLOEXEC, 0600);
#else
	char path[] = "/tmp/postern.XXXXXXXXXX";
	int fd;

	if ((fd = mkostemp(path, O_CLOEXEC)) != -1)
		unlink(path);
	return fd;
#endif
}

int
os_memory_seal(int fd)
{
	/* Children get it read-write; no system here can forbid that. */
	(void)fd;
	return 0;
}

#else
typedef int os_bsd_is_elsewhere;
#endif
