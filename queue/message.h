/*
 * message: a message in memory (active), with its recipients' states. A
 * message that waits for its next attempt is only a file and a row of
 * queue/wait.h.
 *
 *	READY --given to a process--> SENT --2xx--> DONE
 *	  ^                           | --4xx--> DEFERRED
 *	  |  it died                  | --5xx--> FAILED --report durable--> DONE
 *	  +---------------------------+
 *
 * When none is READY or SENT the message is settled (queue/settle.c).
 */
#ifndef QUEUE_MESSAGE_H
#define QUEUE_MESSAGE_H

#include <sys/queue.h>
#include <sys/types.h>

#include "lib/reply.h"
#include "lib/spool.h"

struct destination;
struct job;
struct message;

enum rcpt_state {
	RCPT_READY,
	RCPT_SENT,
	RCPT_DONE,
	RCPT_DEFERRED,
	RCPT_FAILED,
};

struct rcpt {
	struct message *msg;
	char *address;            /* final */
	const char *orig;         /* as accepted at RCPT */
	enum rcpt_state state;
	unsigned tries;           /* deferred so often */
	struct reply_copy *reply; /* last failure; NULL: none */
	char *host;               /* who said it; NULL: we ourselves */
	int64_t when, next;       /* it was said; s since the epoch */
	char *mailbox;            /* local: its Maildir */
	struct destination *dest; /* while READY or SENT */
	struct job *job;          /* while SENT */
	TAILQ_ENTRY(rcpt) link;   /* in dest's or job's list */
};
TAILQ_HEAD(rcpt_list, rcpt);

struct message {
	struct message *next;     /* in the table's bucket */
	uint64_t qid;
	int64_t arrived;          /* s since the epoch */
	char *sender, *sid;       /* sender "": the null path */
	char *client;
	uint32_t flags;           /* ENV_* */
	uint64_t size;
	uint32_t crc;
	off_t body_at, log_at;    /* offsets in the file */
	bool log_torn;            /* garbage after log_at */
	bool incoming;            /* not durable yet: leave it alone */
	bool held, warned, removed, settling;
	unsigned attempts;        /* the most that a recipient has had */
	unsigned crashes;         /* of processes that had it */
	uint32_t tag;             /* of who deferred it last, or 0 */
	struct buf body;          /* empty: only in the file */
	struct buf log;           /* records to be appended */
	TAILQ_ENTRY(message) unlogged;
	bool is_unlogged;
	size_t norig, nrcpt, nbusy; /* busy: READY or SENT */
	char **orig;
	struct rcpt *rcpt;
};

/*
 * From an envelope, and its final recipients; all READY. body is copied if
 * there is room in memory. In the table from now on.
 */
struct message *message_new(uint64_t qid, const struct envelope *,
    const struct spool_final *, size_t nfinal, uint32_t envlen, uint64_t size,
    uint32_t crc, struct span body);
/*
 * From its file, with what the log tells: READY is who was deferred or never
 * tried, FAILED is whose sender was not told yet. NULL: not readable now
 * (errno), or damaged and set aside (errno 0). check: also the body's sum.
 */
struct message *message_load(uint64_t qid, bool check);
void message_free(struct message *);

struct message *message_find(uint64_t qid); /* active ones only */
size_t message_count(void);
/* Every active message, in no order; fn may free the one it is given. */
void message_each(void (*fn)(struct message *, void *), void *arg);

/* Adds a record to the log; written at the end of the turn, or never if the
 * message has left by then. */
void message_note(struct message *, const struct spool_record *);
void message_flush(struct message *); /* now */
void message_flush_all(void);

const char *message_qid(const struct message *); /* text, until next call */

#endif
