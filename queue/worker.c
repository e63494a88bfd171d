/*
 * worker: when there is one, and when it goes.
 *
 *	asked --channel--> idle --job--> busy --last result--> idle
 *	                     |             |
 *	                     | 60 s        | gone: its recipients are READY again
 *	                     v             v silent: they are DEFERRED
 *	                    closed       closed
 *
 * - up to QUEUE_WORKER_BATCH jobs go to one worker before a second is asked
 *   for: it makes them durable together, which costs less than another
 *   process that wakes up
 */
#include "queue/worker.h"

#include <stdlib.h>

#include "lib/conf.h"
#include "lib/die.h"
#include "lib/ipc_job.h"
#include "lib/ipc_setup.h"
#include "lib/log.h"
#include "lib/pending.h"
#include "queue/destination.h"
#include "queue/job.h"
#include "queue/queue.h"
#include "queue/schedule.h"

struct worker {
	struct agent agent;
	struct destination *dest;
	struct timer timer; /* the end of its rest, or of our patience */
	bool working;       /* which of the two */
	TAILQ_ENTRY(worker) link;
};

static struct pending questions;

/* After news of w: how long it may rest, or work until it says more. */
static void
rest_or_work(struct worker *w)
{
	w->working = w->agent.nsent > 0;
	loop_timer(&w->timer, w->working ? queue.conf->deliver_timeout * 1000 :
					   QUEUE_WORKER_IDLE);
}

/* --- ends -------------------------------------------------------------- */

static void
worker_close(struct worker *w)
{
	struct destination *d = w->dest;

	loop_untimer(&w->timer);
	ipc_free(w->agent.ipc);
	TAILQ_REMOVE(&d->workers, w, link);
	d->nworkers--;
	free(w);
	schedule_wake(d);
}

static void
on_gone(struct ipc *ipc, void *arg)
{
	struct worker *w = arg;

	(void)ipc;
	agent_gone(&w->agent);
	worker_close(w);
}

/*
 * It has jobs and says nothing: its owner may have stopped it, its disk may
 * hang. Whoever waits for it, and behind it, gives way to others.
 */
static void
worker_stuck(struct worker *w)
{
	const char *why = "the delivery process does not answer";
	struct ipc_result is = { .code = 451, .enhanced = SPAN("4.3.0"),
		.text = span_str(why) };
	struct destination *d = w->dest;

	agent_give_up(&w->agent, why);
	worker_close(w); /* wakes d, which so lives to the end of this turn */
	schedule_defer_all(d, &is);
}

static void
on_timer(struct timer *t)
{
	struct worker *w = t->arg;

	if (w->working)
		worker_stuck(w);
	else
		worker_close(w);
}

/* --- jobs -------------------------------------------------------------- */

static int
on_message(struct ipc *ipc, struct ipc_msg *m, void *arg)
{
	struct worker *w = arg;

	(void)ipc;
	if (m->type != IPC_JOB_IS || job_results(&w->agent, m->body) == -1)
		return -1;
	rest_or_work(w);
	return 0;
}

void
worker_send(struct worker *w, struct rcpt *r)
{
	if (!w->working)
		loop_timer(&w->timer, queue.conf->deliver_timeout * 1000);
	w->working = true;
	job_send(&w->agent, r);
	if (w->agent.nsent == 0)
		rest_or_work(w);
}

/* --- more of them ------------------------------------------------------ */

static void
worker_ask(struct destination *d)
{
	struct ipc_worker ask = { d->uid, d->gid, span_str(d->user),
		span_str(d->root) };
	struct buf b;
	uint32_t id;

	if (d->asking || queue.stopping ||
	    (d->nworkers > 0 && loop_now() < d->refused) ||
	    (id = pending_add(&questions, d)) == 0)
		return;
	buf_init(&b, IPC_BODY_MAX);
	ipc_worker_encode(&b, &ask);
	if (ipc_send(queue.daemon->master, IPC_WORKER, id, buf_get(&b), -1,
		-1) == 0)
		d->asking = true;
	else
		pending_take(&questions, id);
	buf_fini(&b);
}

static void
worker_new(struct destination *d, int fd)
{
	struct worker *w = xcalloc(1, sizeof(*w));

	agent_init(&w->agent, "deliver");
	w->dest = d;
	w->timer.fn = on_timer;
	w->timer.arg = w;
	TAILQ_INSERT_TAIL(&d->workers, w, link);
	d->nworkers++;
	w->agent.ipc = ipc_new(fd, ROLE_QUEUE, ROLE_DELIVER, on_message, on_gone, w);
	rest_or_work(w);
}

int
worker_is(struct ipc_msg *m)
{
	struct ipc_worker_is is;
	struct ipc_result none = { .code = 451, .enhanced = SPAN("4.3.0") };
	struct destination *d;
	char why[256];

	if (ipc_worker_is_decode(m->body, &is) == -1 ||
	    (d = pending_take(&questions, m->id)) == NULL)
		return -1;
	d->asking = false;
	schedule_wake(d);
	if (is.why.n == 0 && m->fd[0] != -1) {
		worker_new(d, m->fd[0]);
		m->fd[0] = -1;
		return 0;
	}
	d->refused = loop_now() + QUEUE_WORKER_AGAIN;
	if (d->nworkers == 0) {
		if (is.why.n == 0 || span_copy(why, sizeof(why), is.why) == -1)
			(void)span_copy(why, sizeof(why),
			    SPAN("no delivery process"));
		none.text = span_str(why);
		schedule_defer_all(d, &none);
	}
	return 0;
}

struct worker *
worker_pick(struct destination *d)
{
	struct worker *w, *best = NULL;

	TAILQ_FOREACH(w, &d->workers, link) {
		if (w->agent.nsent < QUEUE_WORKER_BATCH)
			return w;
		if (best == NULL || w->agent.nsent < best->agent.nsent)
			best = w;
	}
	if (d->nworkers < queue.conf->local_concurrency)
		worker_ask(d);
	return best != NULL && best->agent.nsent < QUEUE_WORKER_JOBS ? best : NULL;
}
