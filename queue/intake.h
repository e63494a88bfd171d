/*
 * intake: messages into the spool. All that come in one turn of the loop are
 * made durable together at its end, and only then acknowledged.
 */
#ifndef QUEUE_INTAKE_H
#define QUEUE_INTAKE_H

#include "lib/envelope.h"
#include "lib/ipc.h"

void intake_init(void); /* after store_init() */

/* IPC_SUBMIT, IPC_SPOOL_OPEN, IPC_SPOOL_ABORT of a smtpd. -1: malformed. */
int intake_message(struct ipc *from, struct ipc_msg *m);
/* This smtpd is gone: what it was writing is removed. */
void intake_forget(struct ipc *from);

/* Is it being received right now? */
bool intake_knows(uint64_t qid);

/*
 * A message made here. Spans are borrowed during the call. done (may be
 * NULL) comes at the end of the turn. -1: refused now, done does not come.
 */
int intake_own(const struct envelope *e, struct span body,
    void (*done)(void *arg, bool durable), void *arg);

#endif
