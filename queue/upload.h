/*
 * upload: large messages. The queue opens an unfinished file, smtpd appends
 * the body to it, and a commit marks it whole.
 */
#ifndef QUEUE_UPLOAD_H
#define QUEUE_UPLOAD_H

#include <stdbool.h>
#include <stdint.h>

struct ipc;
struct ipc_msg;
struct ipc_submit;

void upload_init(void);

/* IPC_SPOOL_OPEN, IPC_SPOOL_ABORT. -1: malformed. */
int upload_open(struct ipc *from, struct ipc_msg *);
int upload_abort(struct ipc *from, struct ipc_msg *);
/* IPC_SUBMIT of one: into the batch. id: of the question. */
void upload_commit(struct ipc *from, uint32_t id, const struct ipc_submit *);

bool upload_knows(uint64_t qid);
/* This smtpd is gone: what it was writing is removed. */
void upload_forget(const struct ipc *from);

#endif
