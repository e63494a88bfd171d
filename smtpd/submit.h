/*
 * submit: a message's body on its way to the queue.
 */
#ifndef SMTPD_SUBMIT_H
#define SMTPD_SUBMIT_H

#include "lib/ipc.h"

struct mail;
struct reply;
struct session;

/* DATA: 354 and raw bytes from here on, or why not. */
const struct reply *submit_begin(struct session *);
/* Bytes of the body; returns how many were used (conn's on_raw). */
size_t submit_bytes(struct session *, struct span);

/* Answers of the queue (peers.c); s may be NULL: gone. */
int submit_spool(struct session *s, struct ipc_msg *);
int submit_answer(struct session *s, struct ipc_msg *);
void submit_lost(struct session *);

/* The transaction ends without being handed over. */
void submit_abort(struct mail *);

#endif
