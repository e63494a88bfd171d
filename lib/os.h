/*
 * os: what differs from system to system, behind one face (lib/os_linux.c,
 * lib/os_bsd.c). The event loop's part is in lib/os_loop_*.c.
 */
#ifndef LIB_OS_H
#define LIB_OS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* What a sandboxed process may ask of the kernel beyond the base: memory,
 * time, signals to itself, and use of descriptors it already holds. */
enum os_may {
	OS_MAY_LOOP = 1,   /* wait for many descriptors */
	OS_MAY_ACCEPT = 2, /* take connections from listening sockets */
	OS_MAY_PAIR = 4,   /* make pairs of connected sockets */
	OS_MAY_CUT = 16,   /* shorten a file that is open for writing */
	OS_MAY_CONNECT = 32, /* make TCP sockets and connect them */
	OS_MAY_NET = 64,   /* any internet sockets; bind, connect them */
	OS_MAY_WATCH = 128, /* be told of changes in directories */
	OS_MAY_FILES = 8,  /* open, read, make, rename, remove files below
	                     * the sandbox's root */
};

struct os_sandbox {
	unsigned may;
	int root_fd;      /* directory tree that files may be in, or -1 */
	const char *root; /* its path; where the system needs one */
};

/*
 * Closes the door for good: no_new_privs, no capabilities, file systems,
 * system calls. -1 with errno if something that the system has could not be
 * applied. missing: names of what it does not have, "" if all is on.
 */
int os_sandbox_enter(const struct os_sandbox *, const char **missing);

/* Root that stays root: what master never needs is given up. */
int os_capabilities_limit(void);
/* Root, before the user is changed: no capability can ever come back. */
int os_capabilities_forbid(void);
/* After it: none is left. */
int os_capabilities_drop(void);

/*
 * For processes of which there are many: malloc(3) is to return what is freed
 * to the system soon. Best effort.
 */
void os_memory_give_back(void);
/* And now, since it will be idle for a while. */
void os_memory_trim(void);

/* Others' work goes first from now on, for good. Best effort. */
void os_step_back(void);

/* Signal to this process when its parent dies; 0 where there is no such. */
int os_die_with_parent(int signo);

/*
 * fork(2), but the new process is a child of our parent, which gets its
 * SIGCHLD. -1 and errno; ENOSYS where there is no such.
 */
pid_t os_fork_sibling(void);
bool os_has_siblings(void);

/* Closes every descriptor from lowest up. */
void os_close_from(int lowest);

/* Who is at the other end of a UNIX-domain socket. -1 and errno. */
int os_peer_id(int fd, uid_t *uid, gid_t *gid);

/* An unnamed file in memory, close-on-exec. -1 and errno. */
int os_memory_file(const char *name);
/* Nobody who holds it can change or shorten it any more, where that is. */
int os_memory_seal(int fd);

#endif
