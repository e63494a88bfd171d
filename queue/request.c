/*
 * request: collects the ids that it is about, and goes through them.
 */
#include "queue/request.h"

#include <stdlib.h>
#include <sysexits.h>

#include "lib/die.h"
#include "lib/log.h"
#include "lib/qid.h"
#include "queue/ages.h"
#include "queue/schedule.h"
#include "queue/select.h"
#include "queue/wait.h"

enum {
	TEXT_PIECE = 32 * 1024,
	VISIT_STEP = 200,       /* messages a turn */
	OUT_MAX = 1024 * 1024,  /* bytes that an asker may leave unread */
	OUT_WAIT = 20,          /* ms until it is looked at again */
};

struct request *
request_new(struct ipc *to, uint32_t id)
{
	struct request *q = xcalloc(1, sizeof(*q));

	q->to = to;
	q->id = id;
	buf_init(&q->out, IPC_BODY_MAX);
	buf_init(&q->words, IPC_BODY_MAX);
	return q;
}

void
request_free(struct request *q)
{
	if (q == NULL)
		return;
	loop_untimer(&q->step);
	buf_fini(&q->out);
	buf_fini(&q->words);
	ages_free(q->ages);
	free(q->qid);
	free(q);
}

void
request_say(struct request *q, bool all)
{
	if (q->out.n == 0 || (!all && q->out.n < TEXT_PIECE))
		return;
	if (!q->gone && ipc_send(q->to, IPC_CTL_TEXT, q->id, buf_get(&q->out),
			    -1, -1) == -1)
		q->gone = true;
	buf_clear(&q->out);
}

void
request_end(struct request *q, int status, const char *why)
{
	struct ipc_ctl_end end = { (uint32_t)status, span_str(why) };
	struct buf b;

	request_say(q, true);
	buf_init(&b, 4096);
	ipc_ctl_end_encode(&b, &end);
	log_flush(); /* who has the answer can read what became of it */
	if (!q->gone)
		(void)ipc_send(q->to, IPC_CTL_END, q->id, buf_get(&b), -1, -1);
	buf_fini(&b);
	q->over = true;
}

/* --- which messages ---------------------------------------------------- */

static bool
is_selected(const struct request *q, const struct message *m)
{
	for (size_t i = 0; i < q->nsel; i++)
		if (select_matches(m, q->sel[i]))
			return true;
	return q->nsel == 0;
}

static void
collect(struct request *q, uint64_t qid)
{
	if (q->n == q->cap) {
		q->cap = q->cap == 0 ? 64 : 2 * q->cap;
		q->qid = xreallocarray(q->qid, q->cap, sizeof(*q->qid));
	}
	q->qid[q->n++] = qid;
}

static void
collect_message(struct message *m, void *arg)
{
	collect(arg, m->qid);
}

static int
by_qid(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Only queue ids were given: no need to look at all files. */
static bool
collect_named(struct request *q)
{
	uint64_t qid;

	for (size_t i = 0; i < q->nsel; i++)
		if (qid_parse(q->sel[i], &qid) == -1)
			return false;
	for (size_t i = 0; i < q->nsel; i++)
		if (qid_parse(q->sel[i], &qid) == 0)
			collect(q, qid);
	return q->nsel > 0;
}

static void
visit(struct request *q, uint64_t qid)
{
	struct subject s = { .m = message_find(qid) };

	s.active = s.m != NULL;
	if (s.active && s.m->incoming)
		return; /* nobody was told that it is here */
	if (s.active) {
		s.held = s.m->held;
	} else {
		if ((s.next = wait_find(qid, &s.held)) == -1 ||
		    (s.m = message_load(qid, false)) == NULL)
			return;
	}
	if (is_selected(q, s.m)) {
		q->hits++;
		q->fn(q, &s);
	}
	/* It may have freed an active one; a loaded one is ours. */
	if (!s.active && s.m != NULL)
		message_free(s.m);
}

static void
collect_all(struct request *q)
{
	int64_t next;
	bool held;

	message_each(collect_message, q);
	for (size_t i = 0; i < wait_count(); i++)
		collect(q, wait_at(i, &next, &held));
	if (q->n > 0)
		qsort(q->qid, q->n, sizeof(*q->qid), by_qid);
}

void
request_collect(struct request *q, subject_fn *fn)
{
	q->fn = fn;
	if (!collect_named(q))
		collect_all(q);
}

/* --- one after the other ----------------------------------------------- */

void
request_step(struct request *q)
{
	size_t end = q->n - q->next < VISIT_STEP ? q->n : q->next + VISIT_STEP;

	if (ipc_waiting(q->to) > OUT_MAX) {
		loop_timer(&q->step, OUT_WAIT);
		return;
	}
	while (q->next < end && !q->gone)
		visit(q, q->qid[q->next++]);
	if (q->next < q->n && !q->gone) {
		loop_timer(&q->step, 0);
		return;
	}
	schedule_due();
	if (q->ages != NULL)
		ages_show(q);
	if (q->hits == 0 && q->nsel > 0)
		request_end(q, EX_NOINPUT, "no such message in the queue");
	else
		request_end(q, EX_OK, q->hits == 0 && !q->json ?
		    "the queue is empty" : "");
}
