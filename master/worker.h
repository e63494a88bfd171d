/*
 * worker: what children ask master for: processes of mailbox owners. deliver
 * for queue, sessions (pop3d, imapd) for auth. The one who asks is believed
 * nothing: each field is checked.
 */
#ifndef MASTER_WORKER_H
#define MASTER_WORKER_H

#include "lib/ipc.h"

struct child;

/* 0: answered (perhaps with a refusal). -1: malformed; ends the asker. */
int worker_asked(struct child *, struct ipc_msg *);
int session_asked(struct child *, struct ipc_msg *);
/* What asker hears, if it still lives. why NULL: the session has begun. */
void session_answer(struct child *asker, uint32_t id, const char *why);

#endif
