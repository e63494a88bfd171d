/*
 * relay: channels to relay processes.
 *
 *	new --> serving --a successor with its index--> old --last job--> gone
 *	           |  ^                                  |
 *	           |  +--the successor died--------------+
 *	           | silent: its recipients are DEFERRED, the channel closed
 *	           | dead: its recipients are READY again
 *	           v
 *	          gone
 *
 * One that was given up gets a new channel only if it notices, asks master,
 * and so shows that it lives.
 */
#include "queue/relay.h"

#include <stdlib.h>

#include "lib/die.h"
#include "lib/limits.h"
#include "lib/log.h"
#include "queue/destination.h"
#include "queue/job.h"
#include "queue/queue.h"
#include "queue/schedule.h"

struct relay {
	struct agent agent;
	unsigned index;
	uint64_t serial;    /* the order in which they came, from 1 */
	bool old;
	struct timer timer; /* the end of our patience, while it has jobs */
	TAILQ_ENTRY(relay) link;
};

static TAILQ_HEAD(relay_list, relay) relays = TAILQ_HEAD_INITIALIZER(relays);

static const unsigned eighths[SHARES] = {
	[SHARE_QUICK] = 8,
	[SHARE_FIRST] = 7,
	[SHARE_MORE] = 6,
	[SHARE_SLOW] = 4,
};

enum relay_share
relay_share(const struct destination *d)
{
	if (d->pace == PACE_SLOW)
		return SHARE_SLOW;
	if (d->jobs > 0)
		return SHARE_MORE;
	return d->pace == PACE_QUICK ? SHARE_QUICK : SHARE_FIRST;
}

static bool
has_room(const struct relay *p, enum relay_share share)
{
	return !p->old &&
	    p->agent.njobs < RELAY_GIVEN_MAX * eighths[share] / 8 &&
	    ipc_waiting(p->agent.ipc) < QUEUE_RELAY_BYTES;
}

/* After news of it. */
static void
watch(struct relay *p)
{
	if (p->agent.njobs > 0)
		loop_timer(&p->timer, queue.conf->relay_timeout * 1000);
	else
		loop_untimer(&p->timer);
}

/* --- ends -------------------------------------------------------------- */

/* A successor that did not last leaves its seat to the one before. */
static void
restore(unsigned index)
{
	struct relay *p, *last = NULL;

	TAILQ_FOREACH(p, &relays, link)
		if (p->index == index)
			last = p;
	if (last != NULL)
		last->old = false;
}

static void
relay_close(struct relay *p)
{
	loop_untimer(&p->timer);
	ipc_free(p->agent.ipc);
	TAILQ_REMOVE(&relays, p, link);
	restore(p->index);
	free(p);
	schedule_relays();
}

static void
on_gone(struct ipc *ipc, void *arg)
{
	struct relay *p = arg;

	(void)ipc;
	agent_gone(&p->agent);
	relay_close(p);
}

static void
on_timer(struct timer *t)
{
	struct relay *p = t->arg;

	agent_give_up(&p->agent, "the relay process does not answer");
	relay_close(p);
}

/* --- jobs -------------------------------------------------------------- */

static int
on_message(struct ipc *ipc, struct ipc_msg *m, void *arg)
{
	struct relay *p = arg;

	(void)ipc;
	if (m->type != IPC_JOB_IS || job_results(&p->agent, m->body) == -1)
		return -1;
	watch(p);
	return 0;
}

void
relay_new(int fd, unsigned index)
{
	static uint64_t serial;
	struct relay *p;

	TAILQ_FOREACH(p, &relays, link)
		if (p->index == index)
			p->old = true;
	p = xcalloc(1, sizeof(*p));
	agent_init(&p->agent, "relay");
	p->index = index;
	p->serial = ++serial;
	p->timer.fn = on_timer;
	p->timer.arg = p;
	TAILQ_INSERT_TAIL(&relays, p, link);
	p->agent.ipc = ipc_new(fd, ROLE_QUEUE, ROLE_RELAY, on_message,
	    on_gone, p);
	schedule_relays();
}

struct relay *
relay_pick(struct destination *d)
{
	enum relay_share share = relay_share(d);
	struct relay *p, *best = NULL;

	TAILQ_FOREACH(p, &relays, link) {
		if (!has_room(p, share))
			continue;
		if (p->serial == d->relay)
			return p;
		if (best == NULL || p->agent.njobs < best->agent.njobs)
			best = p;
	}
	if (best != NULL)
		d->relay = best->serial;
	return best;
}

void
relay_send(struct relay *p, struct rcpt *r)
{
	bool idle = p->agent.njobs == 0;

	job_send(&p->agent, r);
	if (idle || p->agent.njobs == 0)
		watch(p);
}

bool
relay_has_room(enum relay_share share)
{
	struct relay *p;

	TAILQ_FOREACH(p, &relays, link)
		if (has_room(p, share))
			return true;
	return false;
}

size_t
relay_count(void)
{
	struct relay *p;
	size_t count = 0;

	TAILQ_FOREACH(p, &relays, link)
		count += p->old ? 0 : 1;
	return count;
}
