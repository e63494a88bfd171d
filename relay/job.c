/*
 * job: jobs in, results out.
 *
 * - results of a turn are gathered and leave together; a full packet leaves
 *   at once
 * - while as many jobs or bytes are held as may be, queue is not listened to:
 *   what it sends waits in the channel
 * - if queue goes, it or its successor sends all again: what is not past its
 *   final dot is given up (trip_cancel); so it is told to go if it takes no
 *   results any more
 */
#include "relay/job.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/daemon.h"
#include "lib/die.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/qid.h"
#include "relay/relay.h"
#include "relay/trip.h"

TAILQ_HEAD(job_list, job);

static struct {
	struct ipc *queue;
	struct job_list list;
	size_t n, bytes;
	bool paused;
	bool broken; /* results could not be sent */
} jobs = { .list = TAILQ_HEAD_INITIALIZER(jobs.list) };

static struct {
	size_t n;
	struct gathered {
		uint64_t qid;
		uint32_t index;
		size_t nhost;
		struct verdict verdict;
		char host[HOST_MAX + 64];
	} at[JOB_RESULT_MAX];
} results;

/* --- results ----------------------------------------------------------- */

static enum result_about
about_of(const struct verdict *v)
{
	if (v->crowded)
		return ABOUT_CROWD;
	return v->host_down ? ABOUT_HOST : ABOUT_RCPT;
}

static void
results_send(void *arg)
{
	static struct ipc_job_is is; /* large: not on the stack */
	static struct buf b = { .max = IPC_BODY_MAX };
	const struct gathered *g = results.at;

	(void)arg;
	if (results.n == 0)
		return;
	for (is.n = 0; is.n < results.n; is.n++, g++)
		is.result[is.n] = (struct ipc_result){ .qid = g->qid,
			.index = g->index,
			.code = (uint32_t)g->verdict.code,
			.enhanced = span_str(g->verdict.enhanced),
			.text = span_of(g->verdict.text, g->verdict.n),
			.about = about_of(&g->verdict),
			.host = span_of(g->host, g->nhost) };
	results.n = 0;
	buf_clear(&b);
	ipc_job_is_encode(&b, &is);
	/* If queue is gone, on_gone() is about to come. */
	if (jobs.queue != NULL &&
	    ipc_send(jobs.queue, IPC_JOB_IS, 0, buf_get(&b), -1, -1) == -1 &&
	    errno != EPIPE && errno != ECONNRESET)
		jobs.broken = true;
}

void
job_result(struct job *j, struct job_rcpt *r, const struct verdict *v,
    struct span host)
{
	struct gathered *g;

	r->state = RCPT_DONE;
	j->left--;
	if (j->queue == NULL)
		return;
	g = &results.at[results.n++];
	g->qid = j->qid;
	g->index = r->index;
	g->verdict = *v;
	host = span_slice(host, 0, sizeof(g->host));
	g->nhost = host.n;
	if (host.n > 0)
		memcpy(g->host, host.p, host.n);
	if (results.n == JOB_RESULT_MAX)
		results_send(NULL);
	loop_again(); /* connections may end after our own turn's end */
}

void
job_result_all(struct job *j, enum rcpt_state state, const struct verdict *v,
    struct span host)
{
	for (size_t i = 0; i < j->nrcpt; i++)
		if (j->rcpt[i].state == state)
			job_result(j, &j->rcpt[i], v, host);
}

/* --- jobs -------------------------------------------------------------- */

size_t
jobs_held(void)
{
	return jobs.n;
}

bool
jobs_are_many(void)
{
	uint64_t most = relay.conf->relay_connections;

	if (most > RELAY_GIVEN_MAX)
		most = RELAY_GIVEN_MAX;
	return jobs.n > most / 2;
}

static void
listen_or_not(void)
{
	bool full = jobs.n >= RELAY_JOBS_MAX || jobs.bytes >= RELAY_HELD_MAX;

	if (jobs.queue != NULL && full != jobs.paused)
		ipc_pause(jobs.queue, full);
	jobs.paused = full && jobs.queue != NULL;
}

void
job_free(struct job *j)
{
	TAILQ_REMOVE(&jobs.list, j, link);
	jobs.n--;
	jobs.bytes -= j->nmem;
	fd_close(&j->fd);
	body_fini(&j->text);
	free(j->mem);
	free(j);
	listen_or_not();
	relay_left();
}

/* The spans of the packet, in our own copy of it. */
static struct span
moved(struct span s, struct span from, char *to)
{
	if (s.n == 0)
		return SPAN_NONE;
	return span_of(to + (s.p - from.p), s.n);
}

static struct job *
job_new(const struct ipc_job *in, struct span packet)
{
	struct job *j = xcalloc(1, sizeof(*j) + in->nrcpt * sizeof(j->rcpt[0]));

	j->mem = xmalloc(packet.n);
	j->nmem = packet.n;
	memcpy(j->mem, packet.p, packet.n);
	j->qid = in->qid;
	qid_text(in->qid, j->qid_text);
	j->sender = moved(in->sender, packet, j->mem);
	j->body = moved(in->body, packet, j->mem);
	j->host = moved(in->host, packet, j->mem);
	j->offset = in->offset;
	j->size = in->size;
	j->flags = in->flags;
	j->port = in->port;
	j->transport = (enum job_transport)in->transport;
	j->fd = -1;
	j->left = j->nrcpt = in->nrcpt;
	for (size_t i = 0; i < in->nrcpt; i++)
		j->rcpt[i] = (struct job_rcpt){ .index = in->rcpt[i].index,
			.address =
			    moved(in->rcpt[i].address, packet, j->mem) };
	return j;
}

static int
on_job(struct ipc *queue, struct ipc_msg *m, void *arg)
{
	static struct ipc_job in; /* large: not on the stack */
	struct job *j;

	(void)arg;
	if (m->type != IPC_JOB || ipc_job_decode(m->body, &in) == -1 ||
	    in.transport == JOB_LOCAL ||
	    (m->fd[0] == -1 && !m->lost && in.size != in.body.n))
		return -1;
	j = job_new(&in, m->body);
	j->queue = queue;
	j->fd = m->fd[0];
	m->fd[0] = -1;
	TAILQ_INSERT_TAIL(&jobs.list, j, link);
	jobs.n++;
	jobs.bytes += j->nmem;
	listen_or_not();
	trip_begin(j, m->lost); /* may end the job already */
	return 0;
}

void
job_cancel_all(void)
{
	struct job *j, *next;

	for (j = TAILQ_FIRST(&jobs.list); j != NULL; j = next) {
		next = TAILQ_NEXT(j, link);
		trip_cancel(j->trip);
	}
}

static void
queue_forget(struct ipc *ipc)
{
	struct job *j;

	results.n = 0;
	TAILQ_FOREACH(j, &jobs.list, link)
		j->queue = NULL;
	job_cancel_all();
	jobs.queue = NULL;
	jobs.paused = false;
	ipc_free(ipc);
}

static void
on_gone(struct ipc *ipc, void *arg)
{
	(void)arg;
	queue_forget(ipc);
	daemon_peer_lost(ROLE_QUEUE);
}

/* Queue would wait for lost results for ever: better it does all again. */
static void
on_turn(void *arg)
{
	results_send(arg);
	if (jobs.broken && jobs.queue != NULL) {
		log_msg(LL_ERROR, "limit", "queue does not take its results");
		on_gone(jobs.queue, NULL);
	}
	jobs.broken = false;
}

void
job_queue(struct daemon_peer *p)
{
	static bool hooked;

	if (!hooked)
		loop_each_turn(on_turn, NULL);
	hooked = true;
	if (jobs.queue != NULL)
		queue_forget(jobs.queue);
	jobs.queue = ipc_new(p->fd, ROLE_RELAY, ROLE_QUEUE, on_job, on_gone,
	    NULL);
	p->fd = -1;
	listen_or_not();
}
