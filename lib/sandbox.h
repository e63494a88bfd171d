/*
 * sandbox: what a role may do, one table row a role (lib/sandbox.c), the
 * kernel's means behind it (lib/os_linux.c: no_new_privs, seccomp-bpf allow
 * list, Landlock; lib/os_bsd.c: pledge and unveil; Capsicum). Entered after
 * the user has been changed and before the first byte of a stranger is read.
 */
#ifndef LIB_SANDBOX_H
#define LIB_SANDBOX_H

#include <stdbool.h>

#include "lib/role.h"

/*
 * root_fd, root: the directory tree the role may work in (queue: the spool;
 * deliver, pop3d: the mailbox owner's); -1: no file system at all. A
 * descriptor as well as a path, because after chroot(2) only the descriptor
 * leads there. Limits (rlimits), no_new_privs, capabilities, Landlock,
 * seccomp, in this order. -1 with errno if something the system has could
 * not be applied; *partial lists what the system does not have
 * ("landlock"), "" if all is on.
 */
int sandbox_enter(
    enum role, int root_fd, const char *root, const char **partial);

/* May the role work with files at all (and so needs a root)? */
bool sandbox_has_files(enum role);

#endif
