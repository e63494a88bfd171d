/*
 * request: one question of smtpd or login, from its packet to its answer.
 */
#ifndef AUTH_REQUEST_H
#define AUTH_REQUEST_H

#include "lib/ipc.h"

struct daemon;

void request_init(struct daemon *);
/* An ipc_fn: takes IPC_AUTH of a peer. */
int request_take(struct ipc *, struct ipc_msg *, void *arg);
/* The peer is gone: nobody waits for its answers any more. */
void request_forget(const struct ipc *);
/* IPC_SESSION_IS of master. */
int request_session_is(struct ipc_msg *);
/* Answers all at once; the process is about to end. */
void request_finish_all(void);

#endif
