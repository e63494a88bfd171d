/*
 * destination: where recipients go, as the queue sees it: the owner of
 * mailboxes here, or a next hop elsewhere (a domain's MX, a smarthost, an
 * LMTP server). Each has its own list of recipients, and a next hop its own
 * number of jobs at once, its window:
 *
 *	UP ---window at 0---> DOWN --after a while--> PROBING
 *	 ^                     ^                        | one job
 *	 |                     +---host not there-------+
 *	 +---host there: all that waits for it is due---+
 *
 * The window begins at destination-initial-concurrency, grows by one with
 * each so many jobs that met a host, and shrinks by one with each that did
 * not. What waits for one that is DOWN is deferred together, untried.
 *
 * One whose hosts have enough connections of ours already, for other domains,
 * rests: its mail stays where it is, for retry-min at most.
 */
#ifndef QUEUE_DESTINATION_H
#define QUEUE_DESTINATION_H

#include "lib/account.h"
#include "lib/ipc_job.h"
#include "lib/loop.h"
#include "lib/transport.h"
#include "queue/message.h"

enum { DESTINATIONS_MAX = 16384 }; /* that are remembered while idle */

enum destination_state { DEST_UP, DEST_DOWN, DEST_PROBING };

enum destination_pace { PACE_UNKNOWN, PACE_QUICK, PACE_SLOW };

struct worker;

struct destination {
	struct destination *next; /* in its bucket */
	char *key;                /* of a next hop also its name for people */
	uint32_t tag;             /* of its rows in queue/wait.h; 0: none */
	bool local;
	struct rcpt_list ready;
	size_t nready;
	unsigned jobs;            /* under way */
	uint64_t used;            /* loop_now() */
	bool listed;              /* in a ring of queue/schedule.c, */
	bool sated;               /* in one of those who wait for room, though
				   * they have jobs */
	unsigned share;           /* in which of them: enum relay_share */
	TAILQ_ENTRY(destination) ring;

	/* Mailboxes here */
	uint64_t uid, gid;        /* their owner */
	char *user, *root;
	TAILQ_HEAD(worker_list, worker) workers;
	unsigned nworkers;
	bool asking;              /* for another worker */
	uint64_t refused;         /* loop_now(): not again before */

	/* Next hop */
	enum job_transport transport;
	char *host;
	uint32_t port;
	enum destination_state state;
	unsigned window;          /* jobs at once */
	unsigned met;             /* jobs that met it since the window moved */
	unsigned deaths;          /* in a row */
	enum destination_pace pace;
	struct timer rest;        /* set: it rests */
	unsigned rests;           /* in a row, */
	uint64_t crowded;         /* since then: loop_now() */
	int64_t until;            /* DOWN: s since the epoch */
	struct timer probe;
	struct reply_copy *why;   /* the last failure to meet it; or NULL */
	char *who;                /* said that; or NULL */
	uint64_t relay;           /* serial of the process it was with last */
	bool parked;              /* more of it waits on disk, for room */
	uint64_t last;            /* qid of whom was put in last */
};

struct destination *destination_of_owner(const struct account *);
struct destination *destination_of_hop(const struct transport *);
/* NULL: none has this tag (any more). */
struct destination *destination_find(uint32_t tag);
/* The name of a next hop, as destination->key; borrowed until next call. */
struct span destination_name(const struct transport *);
void destination_each(void (*fn)(struct destination *, void *), void *arg);
/* Frees it if nothing is lost with it. */
void destination_gc(struct destination *);

/* A job of d ended that met the host, or did not. */
void destination_met(struct destination *);
void destination_missed(struct destination *, const struct ipc_result *);
/* A job of d took so long; it met the host, or missed it. */
void destination_took(struct destination *, uint64_t ms, bool missed);
/*
 * A job of d was not tried, for lack of room at its hosts. True: it is to wait
 * here. False: that has lasted long enough, or there is no room here; the host
 * counts as missed, which is for the caller to say, and d will be DOWN.
 */
bool destination_crowded(struct destination *, const struct ipc_result *);
bool destination_rests(const struct destination *);
/* Tried at once though it is DOWN (the administrator knows better). */
void destination_revive(struct destination *);
/* The result of all that is not tried because d is DOWN; borrowed. */
struct ipc_result destination_result(const struct destination *d,
    struct buf *text);

#endif
