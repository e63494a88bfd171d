/*
 * job: a message for some recipients that share a hop, from the moment queue
 * gives it until the last of them has a result.
 */
#ifndef RELAY_JOB_H
#define RELAY_JOB_H

#include <sys/queue.h>

#include "lib/ipc_job.h"
#include "relay/body.h"

struct daemon_peer;
struct trip;
struct verdict;

enum rcpt_state {
	RCPT_WAITS,    /* for a transaction */
	RCPT_TAKEN,    /* RCPT was accepted; the message was not yet */
	RCPT_DONE,     /* has its result */
};

struct job_rcpt {
	uint32_t index;
	enum rcpt_state state;
	struct span address;
};

struct job {
	TAILQ_ENTRY(job) link;
	char *mem;           /* what the spans point into */
	size_t nmem;
	struct ipc *queue;   /* who gave it; NULL: gone, nobody is told */
	struct trip *trip;
	uint64_t qid;
	char qid_text[QID_TEXT_MAX];
	struct span sender, body, host;
	int fd;
	uint64_t offset, size;
	struct body text;    /* the body on its way out */
	uint32_t flags, port;
	enum job_transport transport;
	size_t left;         /* recipients without a result */
	size_t nrcpt;
	struct job_rcpt rcpt[];
};

/* A channel to queue, new or replaced; takes its descriptor. */
void job_queue(struct daemon_peer *);
/* No results any more, except of what is past its final dot. */
void job_cancel_all(void);
/* Jobs that are under way. */
size_t jobs_held(void);
/* More than half of what there may be: who is slow gets less time. */
bool jobs_are_many(void);

/*
 * A result. host: who said it, "mx.example.org[192.0.2.1]:25", or empty. The
 * answers of a turn go in one packet.
 */
void job_result(struct job *, struct job_rcpt *, const struct verdict *,
    struct span host);
/* For all that are in that state. */
void job_result_all(struct job *, enum rcpt_state, const struct verdict *,
    struct span host);
/* All have one: forgets the job. */
void job_free(struct job *);

#endif
