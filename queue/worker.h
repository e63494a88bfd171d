/*
 * worker: deliver processes, warm, a few per mailbox owner. master starts
 * them when asked and hands over the channel.
 */
#ifndef QUEUE_WORKER_H
#define QUEUE_WORKER_H

#include "lib/ipc.h"
#include "queue/message.h"

struct destination;
struct worker;

/*
 * The worker of d that shall get the next job; NULL: none has room. Asks
 * master for another one where that would help.
 */
struct worker *worker_pick(struct destination *d);
/*
 * Sends r, and with it other waiting recipients of its message at the same
 * destination. They are SENT then, or READY again if w is gone.
 */
void worker_send(struct worker *w, struct rcpt *r);

/* IPC_WORKER_IS. -1: malformed. */
int worker_is(struct ipc_msg *m);

#endif
