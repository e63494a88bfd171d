/*
 * replies: what smtpd is told about a message. A no is always temporary for
 * the sender.
 */
#ifndef QUEUE_REPLIES_H
#define QUEUE_REPLIES_H

#include "lib/reply.h"

struct envelope;
struct ipc;

extern const struct reply R_QUEUED, R_SPACE, R_TROUBLE, R_MAPS, R_WIDE;

/* Of a file that could not be written. */
const struct reply *reply_of_errno(int);

/* Answers to IPC_SUBMIT; to may be NULL: nobody waits any more. */
void reply_submit(
    struct ipc *to, uint32_t id, uint64_t qid, const struct reply *);
/*
 * To IPC_SPOOL_OPEN: the file that was opened, or the reason why not (else
 * NULL). fd stays the caller's. -1: could not be sent.
 */
int reply_spool(
    struct ipc *to, uint32_t id, uint64_t qid, int fd, const struct reply *);

/* e may be NULL: not known any more. errnum 0: nothing of ours is broken. */
void reply_log(const struct envelope *e, const struct reply *, int errnum);

#endif
