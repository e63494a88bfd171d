/*
 * schedule: who is delivered to next. One list of recipients per
 * destination: local ones per mailbox owner, others per domain. A destination
 * that is slow or dead holds up nobody but itself.
 */
#ifndef QUEUE_SCHEDULE_H
#define QUEUE_SCHEDULE_H

#include "lib/account.h"
#include "queue/message.h"

struct worker;

struct destination {
	struct destination *next; /* in its bucket */
	char *key;
	bool local;
	uint64_t uid, gid;        /* local: the mailboxes' owner */
	char *user, *root;
	struct rcpt_list ready;
	size_t nready;
	unsigned sent;            /* recipients given to workers */
	TAILQ_HEAD(worker_list, worker) workers;
	unsigned nworkers;
	bool asking;              /* for another worker */
	uint64_t refused;         /* loop_now(): not again before */
	bool listed;              /* in the ring of those with work */
	TAILQ_ENTRY(destination) ring;
};

/*
 * Sends all READY recipients of an active message on their way. Some may be
 * decided at once (account gone, no route): the message may then already be
 * settled, and freed, when this returns.
 */
void schedule_message(struct message *);
/* Back to its destination's list, at the front. */
void schedule_again(struct rcpt *);
/* Takes r out of its destination's list: it becomes SENT. */
void schedule_take(struct rcpt *);
/* The same, and it goes nowhere (removed by the administrator). */
void schedule_drop(struct rcpt *);
/* All that wait at d fail for now, for this reason. */
void schedule_defer_all(struct destination *d, const char *why);

/* Starts deliveries and loads waiting messages; at the end of each turn. */
void schedule_run(void);
/* Something of d changed (worker free, new, gone): look at it this turn. */
void schedule_wake(struct destination *d);
/* Deliveries under way. */
size_t schedule_busy(void);
/* Looks at the waiting messages now (after flush, release, scan). */
void schedule_due(void);

#endif
