/*
 * worker: jobs out, results back.
 *
 *	asked --channel--> idle --job--> busy --last result--> idle
 *	                     |             |
 *	                     | 60 s        | gone: its recipients are READY again
 *	                     v             v silent: they are DEFERRED
 *	                    closed       closed
 *
 * - a worker is believed about the recipients it was given, and about no
 *   others: a result for anybody else ends it
 * - up to QUEUE_WORKER_BATCH jobs go to one worker before a second is asked
 *   for: it makes them durable together, which costs less than another
 *   process that wakes up
 * - a message whose worker died QUEUE_CRASHES_MAX times is deferred
 */
#include "queue/worker.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/conf.h"
#include "lib/die.h"
#include "lib/ipc_job.h"
#include "lib/ipc_setup.h"
#include "lib/log.h"
#include "lib/pending.h"
#include "queue/queue.h"
#include "queue/schedule.h"
#include "queue/settle.h"
#include "queue/store.h"

struct worker {
	struct ipc *ipc;
	struct destination *dest;
	struct rcpt_list sent;
	unsigned nsent;
	struct timer timer; /* the end of its rest, or of our patience */
	bool working;       /* which of the two */
	TAILQ_ENTRY(worker) link;
};

static struct pending questions;

/* r is with w no more. */
static void
rcpt_return(struct worker *w, struct rcpt *r)
{
	TAILQ_REMOVE(&w->sent, r, link);
	w->nsent--;
	w->dest->sent--;
}

/* After news of w: how long it may rest, or work until it says more. */
static void
rest_or_work(struct worker *w)
{
	w->working = w->nsent > 0;
	loop_timer(&w->timer, w->working ? queue.conf->deliver_timeout * 1000 :
					   QUEUE_WORKER_IDLE);
}

/* --- ends -------------------------------------------------------------- */

static void
worker_close(struct worker *w)
{
	struct destination *d = w->dest;

	loop_untimer(&w->timer);
	ipc_free(w->ipc);
	TAILQ_REMOVE(&d->workers, w, link);
	d->nworkers--;
	free(w);
	schedule_wake(d);
}

/* r came back without a result. */
static void
take_back(struct rcpt *r)
{
	struct ipc_result is = { .code = 451, .enhanced = SPAN("4.3.0"),
		.text = SPAN("the delivery process died, more than once") };

	if (r->msg->removed) {
		is.code = 250;
		settle_result(r, &is);
	} else if (r->msg->crashes >= QUEUE_CRASHES_MAX) {
		settle_result(r, &is);
	} else {
		schedule_again(r);
	}
}

static void
on_gone(struct ipc *ipc, void *arg)
{
	struct worker *w = arg;
	struct message *last = NULL;
	struct rcpt *r;

	(void)ipc;
	if (w->nsent > 0) {
		log_begin(LL_WARN, "restart");
		log_str("what", "deliver");
		log_num("jobs", w->nsent);
		log_end();
	}
	TAILQ_FOREACH(r, &w->sent, link) {
		if (r->msg != last)
			r->msg->crashes++;
		last = r->msg;
	}
	while ((r = TAILQ_LAST(&w->sent, rcpt_list)) != NULL) {
		rcpt_return(w, r);
		take_back(r);
	}
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
	struct rcpt *r;

	log_begin(LL_WARN, "restart");
	log_str("what", "deliver");
	log_num("jobs", w->nsent);
	log_str("why", "no answer");
	log_end();
	while ((r = TAILQ_FIRST(&w->sent)) != NULL) {
		rcpt_return(w, r);
		settle_result(r, &is);
	}
	worker_close(w); /* wakes d, which so lives to the end of this turn */
	schedule_defer_all(d, why);
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

/* --- results ----------------------------------------------------------- */

static int
take_result(struct worker *w, const struct ipc_result *is)
{
	struct message *m = message_find(is->qid);
	struct rcpt *r;

	if (m == NULL || is->index >= m->nrcpt)
		return -1;
	r = &m->rcpt[is->index];
	if (r->state != RCPT_SENT || r->worker != w)
		return -1;
	rcpt_return(w, r);
	settle_result(r, is);
	return 0;
}

static int
on_message(struct ipc *ipc, struct ipc_msg *m, void *arg)
{
	static struct ipc_job_is is; /* large: not on the stack */
	struct worker *w = arg;

	(void)ipc;
	if (m->type != IPC_JOB_IS || ipc_job_is_decode(m->body, &is) == -1)
		return -1;
	for (size_t i = 0; i < is.n; i++)
		if (take_result(w, &is.result[i]) == -1)
			return -1;
	rest_or_work(w);
	schedule_wake(w->dest);
	return 0;
}

/* --- jobs -------------------------------------------------------------- */

static void
job_add(struct ipc_job *job, struct rcpt *r)
{
	struct ipc_job_rcpt *j = &job->rcpt[job->nrcpt++];

	j->index = (uint32_t)(r - r->msg->rcpt);
	j->address = span_str(r->address);
	j->original = span_str(r->orig);
	j->mailbox = span_str(r->mailbox);
}

/* Moves r, and who else of its message waits here, into the job. */
static void
job_fill(struct worker *w, struct ipc_job *job, struct rcpt *r)
{
	struct message *m = r->msg;
	size_t i = (size_t)(r - m->rcpt);

	for (; i < m->nrcpt && job->nrcpt < JOB_RCPT_MAX; i++) {
		r = &m->rcpt[i];
		if (r->state != RCPT_READY || r->dest != w->dest)
			continue;
		schedule_take(r);
		TAILQ_INSERT_TAIL(&w->sent, r, link);
		r->state = RCPT_SENT;
		r->worker = w;
		w->nsent++;
		w->dest->sent++;
		job_add(job, r);
	}
}

/* The body: inline, or its file. -1 and errno: the file cannot be opened. */
static int
job_body(struct ipc_job *job, const struct message *m, int *fd)
{
	job->size = m->size;
	job->offset = (uint64_t)m->body_at;
	job->body = buf_get(&m->body);
	if (m->size == m->body.n)
		return 0;
	job->body = SPAN_NONE;
	*fd = store_open(m->qid);
	return *fd == -1 ? -1 : 0;
}

/*
 * The job was not sent: its recipients, and no others of its message, wait
 * for another attempt.
 */
static void
job_fail(struct worker *w, struct message *m, const struct ipc_job *job,
    const char *why)
{
	struct ipc_result is = { .code = 451, .enhanced = SPAN("4.3.0"),
		.text = span_str(why) };
	struct rcpt *r;

	for (size_t i = 0; i < job->nrcpt; i++) {
		r = &m->rcpt[job->rcpt[i].index];
		rcpt_return(w, r);
		settle_result(r, &is); /* the last one may free m */
	}
	rest_or_work(w);
}

void
worker_send(struct worker *w, struct rcpt *r)
{
	static struct buf packet = { .max = IPC_BODY_MAX };
	static struct ipc_job job; /* large: not on the stack */
	struct message *m = r->msg;
	int fd = -1;

	job = (struct ipc_job){ .qid = m->qid, .arrived = m->arrived,
		.sender = span_str(m->sender), .sid = span_str(m->sid) };
	job_fill(w, &job, r);
	if (!w->working)
		loop_timer(&w->timer, queue.conf->deliver_timeout * 1000);
	w->working = true;
	if (job_body(&job, m, &fd) == -1) {
		job_fail(w, m, &job, "cannot open the message");
		return;
	}
	buf_clear(&packet);
	ipc_job_encode(&packet, &job);
	/* If the worker is gone, on_gone() is about to bring them back. */
	if (packet.bad ||
	    (ipc_send(w->ipc, IPC_JOB, 0, buf_get(&packet), fd, -1) == -1 &&
		errno != EPIPE && errno != ECONNRESET))
		job_fail(w, m, &job, "the job cannot be handed over");
	fd_close(&fd);
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

	w->dest = d;
	w->timer.fn = on_timer;
	w->timer.arg = w;
	TAILQ_INIT(&w->sent);
	TAILQ_INSERT_TAIL(&d->workers, w, link);
	d->nworkers++;
	w->ipc = ipc_new(fd, ROLE_QUEUE, ROLE_DELIVER, on_message, on_gone, w);
	rest_or_work(w);
}

int
worker_is(struct ipc_msg *m)
{
	struct ipc_worker_is is;
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
		schedule_defer_all(d, why);
	}
	return 0;
}

struct worker *
worker_pick(struct destination *d)
{
	struct worker *w, *best = NULL;

	TAILQ_FOREACH(w, &d->workers, link) {
		if (w->nsent < QUEUE_WORKER_BATCH)
			return w;
		if (best == NULL || w->nsent < best->nsent)
			best = w;
	}
	if (d->nworkers < queue.conf->local_concurrency)
		worker_ask(d);
	return best != NULL && best->nsent < QUEUE_WORKER_JOBS ? best : NULL;
}
