/*
 * trip: the journey of a job: from target to target until a session has taken
 * it, or there is nowhere left to go.
 */
#ifndef RELAY_TRIP_H
#define RELAY_TRIP_H

#include "relay/job.h"
#include "relay/relay.h"
#include "relay/target.h"

struct session;

struct trip {
	TAILQ_ENTRY(trip) link; /* in the list of those that wait for a seat */
	bool waits;
	struct job *job;
	struct route *route;
	struct session *session;
	struct question *question; /* LMTP: master opens the socket */
	char key[HOST_MAX + 16]; /* the hop; empty: no idle session will do */
	bool fresh;         /* no idle session any more: one has failed us */
	bool plain;         /* this target once more, without TLS */
	bool crowded;       /* a target had enough connections already */
	uint64_t until;     /* no further target after that */
	struct verdict last; /* why the last target did not do; code 0: none */
	char last_host[HOST_MAX + 64];
};

/* lost: its descriptor was, for lack of room. */
void trip_begin(struct job *, bool lost);
/* Nobody waits for the results; what is past its final dot goes on. */
void trip_cancel(struct trip *);

/* What sessions say. After each the session has no trip any more. */

enum trip_again {
	TRIP_NEXT,  /* the next target may do */
	TRIP_PLAIN, /* the same one may, without TLS */
	TRIP_FRESH, /* the idle connection was dead: begin again */
	TRIP_LOOP,  /* it was ourselves */
};

/* Nothing was said about the message yet. */
void trip_failed(struct trip *, enum trip_again, const struct verdict *);
/* All recipients that could be spoken of have a result. */
void trip_done(struct trip *);

/* A connection has ended: there are seats. */
void trips_wake(void);
/* A session is idle: it takes one that waits, or makes room for one. */
void trips_idle(struct session *);

#endif
