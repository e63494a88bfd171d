/*
 * settle: what became of recipients, and what follows for their message.
 */
#ifndef QUEUE_SETTLE_H
#define QUEUE_SETTLE_H

#include "lib/ipc_job.h"
#include "queue/message.h"

/*
 * The result of an attempt (or of there being no way) for r, which is in no
 * list any more. Logs it, notes it. If it was the last one its message is
 * settled and may be freed.
 */
void settle_result(struct rcpt *r, const struct ipc_result *is);

/* Done, and gone: the transport map says so. As settle_result(). */
void settle_discard(struct rcpt *r);

/*
 * If none is READY or SENT: failures are reported to the sender, those who
 * were deferred wait, and a message with nothing left leaves the queue.
 * Frees m, except while a report is on its way to the disk.
 */
void settle_message(struct message *m);

/* The administrator wants it gone: READY ones now, SENT ones when they are
 * back. No report. May free m. */
void settle_remove(struct message *m);

#endif
