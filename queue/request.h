/*
 * request: what an administrator asks of the queue, while it is served. A
 * message that waits is read from its file when it is looked at, so a large
 * queue costs time, not memory. A request looks at some messages a turn, and
 * at none while its asker has much to read: mail goes on meanwhile.
 *
 *	asked --ids collected--> visiting --all visited--> ended
 *	                           |  ^
 *	                           v  | a little later, if the asker is slow
 *	                          waiting    (asker gone: freed, in any state)
 */
#ifndef QUEUE_REQUEST_H
#define QUEUE_REQUEST_H

#include "lib/ipc_ctl.h"
#include "queue/message.h"

/* A message that waits, or is active; m is borrowed. */
struct subject {
	struct message *m;
	bool active;
	int64_t next;
	bool held;
};

struct request;
typedef void subject_fn(struct request *, struct subject *);

struct request {
	struct ipc *to;
	uint32_t id;
	bool json, senders;
	size_t nsel;
	struct span sel[CTL_ARGS_MAX]; /* selectors; into words */
	struct buf words;
	struct buf out;
	size_t hits;
	bool gone; /* the asker does not take more */
	bool over; /* END was said */
	subject_fn *fn;
	struct ages *ages; /* are shown at the end; or NULL */
	uint64_t *qid;          /* to be visited, from next on */
	size_t n, cap, next;
	struct timer step;
};

struct request *request_new(struct ipc *to, uint32_t id);
void request_free(struct request *); /* NULL is fine */

/* Sends what has gathered in out, if it is more than a piece, or all. */
void request_say(struct request *, bool all);
/* The last word: an exit status of sysexits(3), and why. */
void request_end(struct request *, int status, const char *why);

/* Which messages are meant: those that fn is to be called for. */
void request_collect(struct request *, subject_fn *fn);
/* Some of them; called again from the timer `step` until it is over. */
void request_step(struct request *);

#endif
