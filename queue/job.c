/*
 * job: out, and back.
 *
 * - an agent is believed about the recipients it was given, and about no
 *   others: a result for anybody else ends it
 * - a message whose agents died QUEUE_CRASHES_MAX times is deferred
 * - a job counts once for its destination's window, whatever number of
 *   recipients it has
 */
#include "queue/job.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/die.h"
#include "lib/ipc_job.h"
#include "lib/log.h"
#include "queue/destination.h"
#include "queue/queue.h"
#include "queue/schedule.h"
#include "queue/settle.h"
#include "queue/store.h"

void
agent_init(struct agent *a, const char *what)
{
	*a = (struct agent){ .what = what };
	TAILQ_INIT(&a->jobs);
}

/* --- begin and end ----------------------------------------------------- */

static struct job *
job_new(struct agent *a, struct destination *d)
{
	struct job *j = xcalloc(1, sizeof(*j));

	j->agent = a;
	j->dest = d;
	j->since = loop_now();
	TAILQ_INIT(&j->sent);
	TAILQ_INSERT_TAIL(&a->jobs, j, link);
	a->njobs++;
	d->jobs++;
	return j;
}

static void
job_end(struct job *j)
{
	struct destination *d = j->dest;

	TAILQ_REMOVE(&j->agent->jobs, j, link);
	j->agent->njobs--;
	d->jobs--;
	d->used = loop_now();
	if (!d->local && (j->met || j->missed))
		destination_took(d, loop_now() - j->since, j->missed);
	if (j->met && !j->missed && !d->local)
		destination_met(d);
	schedule_wake(d);
	free(j);
}

/* r is with it no more. The last one ends the job: say so with job_left(). */
static void
rcpt_return(struct job *j, struct rcpt *r)
{
	TAILQ_REMOVE(&j->sent, r, link);
	j->agent->nsent--;
	r->job = NULL;
}

static void
job_left(struct job *j)
{
	if (TAILQ_EMPTY(&j->sent))
		job_end(j);
}

/* --- out --------------------------------------------------------------- */

/* Moves r, and who else of its message waits here, into the job. */
static void
job_fill(struct job *j, struct ipc_job *out, struct rcpt *r)
{
	struct message *m = r->msg;
	struct ipc_job_rcpt *to;

	for (; r < m->rcpt + m->nrcpt && out->nrcpt < JOB_RCPT_MAX; r++) {
		if (r->state != RCPT_READY || r->dest != j->dest)
			continue;
		schedule_take(r);
		TAILQ_INSERT_TAIL(&j->sent, r, link);
		r->state = RCPT_SENT;
		r->job = j;
		j->agent->nsent++;
		to = &out->rcpt[out->nrcpt++];
		to->index = (uint32_t)(r - m->rcpt);
		to->address = span_str(r->address);
		to->original = span_str(r->orig);
		to->mailbox = j->dest->local ? span_str(r->mailbox) :
		    SPAN_NONE;
	}
}

/* The body: inline, or its file. -1 and errno: the file cannot be opened. */
static int
job_body(struct ipc_job *job, const struct message *m, int *fd)
{
	job->offset = (uint64_t)m->body_at;
	job->size = m->size;
	job->body = buf_get(&m->body);
	if (m->size == m->body.n)
		return 0;
	job->body = SPAN_NONE;
	*fd = store_open(m->qid);
	return *fd == -1 ? -1 : 0;
}

/* All that it has, in order; the last one may free its message. */
static void
job_fail(struct job *j, const char *why)
{
	struct ipc_result is = { .code = 451, .enhanced = SPAN("4.3.0"),
		.text = span_str(why) };
	struct rcpt *r;

	while ((r = TAILQ_FIRST(&j->sent)) != NULL) {
		rcpt_return(j, r);
		settle_result(r, &is);
	}
	job_end(j);
}

void
job_send(struct agent *a, struct rcpt *r)
{
	static struct buf packet = { .max = IPC_BODY_MAX };
	static struct ipc_job out; /* large: not on the stack */
	struct destination *d = r->dest;
	struct message *m = r->msg;
	struct job *j = job_new(a, d);
	int fd = -1;

	out = (struct ipc_job){ .qid = m->qid, .arrived = m->arrived,
		.sender = span_str(m->sender), .sid = span_str(m->sid),
		.flags = m->flags };
	if (!d->local) {
		out.transport = d->transport;
		out.port = d->port;
		out.host = span_str(d->host);
	}
	job_fill(j, &out, r);
	if (job_body(&out, m, &fd) == -1) {
		job_fail(j, "cannot open the message");
		return;
	}
	buf_clear(&packet);
	ipc_job_encode(&packet, &out);
	/* If it is gone, agent_gone() is about to bring them back. */
	if (packet.bad ||
	    (ipc_send(a->ipc, IPC_JOB, 0, buf_get(&packet), fd, -1) == -1 &&
		errno != EPIPE && errno != ECONNRESET))
		job_fail(j, "the job cannot be handed over");
	fd_close(&fd);
}

/* --- back -------------------------------------------------------------- */

static int
take_result(struct agent *a, const struct ipc_result *is)
{
	struct message *m = message_find(is->qid);
	struct rcpt *r;
	struct job *j;
	bool later;

	if (m == NULL || is->index >= m->nrcpt)
		return -1;
	r = &m->rcpt[is->index];
	j = r->job;
	if (r->state != RCPT_SENT || j == NULL || j->agent != a)
		return -1;
	later = is->code >= 400 && is->code < 500 && !j->dest->local;
	rcpt_return(j, r);
	if (is->about == ABOUT_RCPT)
		j->met = true;
	if (later && is->about == ABOUT_CROWD && !r->msg->removed &&
	    !j->missed && destination_crowded(j->dest, is)) {
		schedule_later(r);
		job_left(j);
		return 0;
	}
	settle_result(r, is);
	/* After r is settled: if its destination is DOWN now, it is not in
	 * the list of those who wait for it. Once a job is enough. */
	if (later && is->about != ABOUT_RCPT && !j->missed) {
		j->missed = true;
		destination_missed(j->dest, is);
	}
	job_left(j);
	return 0;
}

int
job_results(struct agent *a, struct span body)
{
	static struct ipc_job_is is; /* large: not on the stack */

	if (ipc_job_is_decode(body, &is) == -1)
		return -1;
	for (size_t i = 0; i < is.n; i++)
		if (take_result(a, &is.result[i]) == -1)
			return -1;
	return 0;
}

/* --- ends of agents ---------------------------------------------------- */

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
log_agent(const struct agent *a, const char *why)
{
	log_begin(LL_WARN, "restart");
	log_str("what", a->what);
	log_num("jobs", a->nsent);
	if (why[0] != '\0')
		log_str("why", why);
	log_end();
}

void
agent_gone(struct agent *a)
{
	struct message *last = NULL;
	struct job *j;
	struct rcpt *r;

	if (a->nsent > 0)
		log_agent(a, "");
	TAILQ_FOREACH(j, &a->jobs, link) {
		r = TAILQ_FIRST(&j->sent);
		if (r->msg != last) /* once, however many jobs it needed */
			r->msg->crashes++;
		last = r->msg;
	}
	while ((j = TAILQ_LAST(&a->jobs, job_list)) != NULL) {
		while ((r = TAILQ_LAST(&j->sent, rcpt_list)) != NULL) {
			rcpt_return(j, r);
			take_back(r);
		}
		job_end(j);
	}
}

void
agent_give_up(struct agent *a, const char *why)
{
	struct job *j;

	log_agent(a, "no answer");
	while ((j = TAILQ_FIRST(&a->jobs)) != NULL) /* each leaves the list */
		job_fail(j, why); /* NOLINT(clang-analyzer-unix.Malloc) */
}
