/*
 * question: what a peer asks, from its packet to the answer.
 */
#ifndef DNS_QUESTION_H
#define DNS_QUESTION_H

#include <stdint.h>

#include "lib/ipc.h"

/* How long one who asks is kept waiting. */
void question_timeout(uint64_t seconds);
/* Why nobody can be asked at all; NULL: we can, and what waits is asked. */
void question_resolver(const char *why_not);
/* A peer that may ask; until question_forget(). */
void question_asker(struct ipc *);
/* ipc_fn: takes IPC_DNS, answers once, at once or later. */
int question_take(struct ipc *, struct ipc_msg *, void *arg);
/* That peer is gone: nobody waits for its answers any more. */
void question_forget(const struct ipc *);

#endif
