/*
 * peers: the channels to queue and auth. A session asks and is paused until
 * the answer; either side may be gone by then.
 */
#ifndef SMTPD_PEERS_H
#define SMTPD_PEERS_H

#include "lib/ipc.h"

struct daemon_peer;
struct session;

/* A new or replaced peer; takes its descriptor. */
void peers_set(struct daemon_peer *);

/*
 * Sends a question for s and notes that s waits for the answer. 0, or -1: no
 * peer, or too much waits for it already; the client is pushed back.
 */
int peer_ask(enum role, struct session *, enum ipc_type, struct span body);
/* Another number for each process that took this part. */
unsigned peer_since(enum role);
/* The session goes; an answer will find nobody. */
void peer_forget(struct session *);
/* Says something that needs no answer; best effort. */
void peer_tell(enum role, enum ipc_type, struct span body);

#endif
