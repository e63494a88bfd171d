/*
 * ipc_ctl: an administrator's request, as an argument vector, to master
 * (run-dir/ctl.sock) or queue (run-dir/queue.sock); both 0600.
 */
#ifndef LIB_IPC_CTL_H
#define LIB_IPC_CTL_H

#include "lib/ipc.h"

enum { CTL_ARGS_MAX = 64 };

struct ipc_ctl { /* IPC_CTL */
	size_t argc;
	struct span argv[CTL_ARGS_MAX];
};

/* IPC_CTL_TEXT: the body is the text. */

struct ipc_ctl_end { /* IPC_CTL_END */
	uint32_t status; /* sysexits(3) */
	struct span why; /* for standard error; empty: none */
};

void ipc_ctl_encode(struct buf *, const struct ipc_ctl *);
int ipc_ctl_decode(struct span, struct ipc_ctl *);
void ipc_ctl_end_encode(struct buf *, const struct ipc_ctl_end *);
int ipc_ctl_end_decode(struct span, struct ipc_ctl_end *);

#endif
