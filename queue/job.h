/*
 * job: one message's recipients at one destination, given to one process
 * (deliver or relay), until each has its result.
 */
#ifndef QUEUE_JOB_H
#define QUEUE_JOB_H

#include "lib/ipc.h"
#include "queue/message.h"

struct destination;

struct job {
	struct agent *agent;
	struct destination *dest;
	struct rcpt_list sent;    /* without a result yet */
	bool met;                 /* a host was there and decided */
	bool missed;              /* a host was not there */
	uint64_t since;           /* loop_now() */
	TAILQ_ENTRY(job) link;
};

/* Who does jobs. Embedded in struct worker, struct relay. */
struct agent {
	struct ipc *ipc;
	const char *what;         /* "deliver", "relay": for the log */
	TAILQ_HEAD(job_list, job) jobs;
	unsigned njobs;
	unsigned nsent;           /* recipients without a result */
};

void agent_init(struct agent *, const char *what);

/*
 * Sends r, and with it other waiting recipients of its message at the same
 * destination. They are SENT then; or DEFERRED if it cannot be sent; or, if
 * the agent is gone, they come back in agent_gone().
 */
void job_send(struct agent *, struct rcpt *r);

/* IPC_JOB_IS. -1: malformed, or about a recipient that it does not have. */
int job_results(struct agent *, struct span body);

/* It died: what it had is READY again, unless it died of it too often. */
void agent_gone(struct agent *);
/* It is given up: what it had is DEFERRED. */
void agent_give_up(struct agent *, const char *why);

#endif
