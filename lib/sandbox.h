/*
 * sandbox: what a role may do, one table row a role (lib/sandbox.c), the
 * kernel's means behind it (lib/os_linux.c: no_new_privs, seccomp-bpf allow
 * list, Landlock; pledge and unveil; Capsicum). Entered after the user has
 * been changed and before the first byte of a stranger is read.
 */
#ifndef LIB_SANDBOX_H
#define LIB_SANDBOX_H

#include "lib/role.h"

/*
 * root: the directory tree the role may work in (queue: the spool; deliver,
 * pop3d: the mailbox owner's), NULL: no file system at all. Limits
 * (rlimits), no_new_privs, capabilities, Landlock, seccomp, in this order.
 * -1 with errno if something the system has could not be applied; *partial
 * lists what the system does not have ("landlock"), "" if all is on.
 */
int sandbox_enter(enum role, const char *root, const char **partial);

#endif
