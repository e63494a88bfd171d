/*
 * schedule: destinations and their turns.
 *
 * - in one turn each destination with work is served, in the order in which
 *   they came, next hops one job at a time, round and round; how much one
 *   gets is up to its workers, or to its window and the relay processes
 * - at most active-max messages are in memory; the others wait on disk and
 *   are loaded when their time has come and there is room
 * - next hops share three quarters of that room: each may have as many
 *   recipients waiting as there is room left, so one with much mail leaves
 *   as much free as it takes, two leave a third, and so on. What does not fit
 *   is parked: not even read, until the destination has little left. Of a
 *   message that has other recipients, too, it is put off
 * - the last eighth of the room is for mailboxes here, however many slow hops
 *   there are
 */
#include "queue/schedule.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/die.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "queue/destination.h"
#include "queue/queue.h"
#include "queue/relay.h"
#include "queue/route.h"
#include "queue/settle.h"
#include "queue/wait.h"
#include "queue/worker.h"

enum {
	LOAD_STEP = 200,                /* messages a turn, */
	LOAD_BYTES = 16 * 1024 * 1024,  /* or of their bodies, which are read */
};

TAILQ_HEAD(destination_list, destination);

static struct destination_list ring = TAILQ_HEAD_INITIALIZER(ring);
/* Next hops for which no relay process has room. */
static struct destination_list starving[SHARES] = {
	TAILQ_HEAD_INITIALIZER(starving[SHARE_QUICK]),
	TAILQ_HEAD_INITIALIZER(starving[SHARE_FIRST]),
	TAILQ_HEAD_INITIALIZER(starving[SHARE_MORE]),
	TAILQ_HEAD_INITIALIZER(starving[SHARE_SLOW]),
};
static struct timer due, alone;
static size_t remote_ready; /* recipients at all next hops together */

void
schedule_wake(struct destination *d)
{
	if (d->listed && !d->sated)
		return;
	if (d->sated) /* its jobs, and so its share, are others now */
		TAILQ_REMOVE(&starving[d->share], d, ring);
	d->sated = false;
	d->listed = true;
	TAILQ_INSERT_TAIL(&ring, d, ring);
}

/* --- recipients -------------------------------------------------------- */

/* The half of the last eighth is for hops of which nothing waits yet. */
static bool
is_full_for(const struct destination *hop)
{
	uint64_t max = queue.conf->active_max, n = message_count();
	uint64_t left = n >= max ? 0 : max - n;

	return left < (hop->nready > 0 ? max / 8 : max / 16);
}

/*
 * Memory is for everybody: the mail of one system account, whose owner may
 * stop its deliver processes, never fills it. Others share one owner.
 */
static bool
is_crowded(const struct destination *d)
{
	uint64_t room = queue.conf->active_max / 4 * 3;

	if (d->local)
		return d->user[0] != '\0' &&
		    d->nready > queue.conf->active_max / 4;
	room = remote_ready >= room ? 0 : room - remote_ready;
	return is_full_for(d) ||
	    (d->nready >= QUEUE_READY_MIN && d->nready >= room);
}

/* What is in memory for others, too, has room if some of it has it already. */
static bool
is_too_much(const struct destination *d, const struct rcpt *r)
{
	return is_crowded(d) && (d->local || d->last != r->msg->qid);
}

static void
put_last(struct rcpt *r, struct destination *d)
{
	r->dest = d;
	d->last = r->msg->qid;
	TAILQ_INSERT_TAIL(&d->ready, r, link);
	d->nready++;
	d->used = loop_now();
	remote_ready += d->local ? 0 : 1;
	schedule_wake(d);
}

static void
put_back(struct rcpt *r)
{
	r->state = RCPT_READY;
	r->job = NULL;
	r->dest->nready++;
	remote_ready += r->dest->local ? 0 : 1;
	schedule_wake(r->dest);
}

void
schedule_again(struct rcpt *r)
{
	TAILQ_INSERT_HEAD(&r->dest->ready, r, link);
	put_back(r);
}

void
schedule_later(struct rcpt *r)
{
	TAILQ_INSERT_TAIL(&r->dest->ready, r, link);
	put_back(r);
}

void
schedule_take(struct rcpt *r)
{
	TAILQ_REMOVE(&r->dest->ready, r, link);
	r->dest->nready--;
	remote_ready -= r->dest->local ? 0 : 1;
}

void
schedule_drop(struct rcpt *r)
{
	schedule_take(r);
	schedule_wake(r->dest);
	r->dest = NULL;
}

bool
schedule_is_roomy(void)
{
	return remote_ready < queue.conf->active_max / 2;
}

/* More of d's mail is on disk: it comes when there is little left here. */
static void
park(struct destination *d, uint64_t qid)
{
	d->parked = true;
	wait_add(qid, loop_wall() + QUEUE_PARKED, false, d->tag);
}

static void
unpark(struct destination *d)
{
	if (!d->parked || d->state != DEST_UP || d->nready >= LOAD_STEP / 2 ||
	    is_crowded(d) || d->tag == 0)
		return;
	if (wait_hurry(d->tag, LOAD_STEP, loop_wall()) < LOAD_STEP)
		d->parked = false;
	schedule_due();
}

static void
send_on_its_way(struct rcpt *r)
{
	const struct ipc_result crowded = { .code = 451,
		.enhanced = SPAN("4.3.2"),
		.text = SPAN("too much mail waits for this destination") };
	struct destination *d;
	struct ipc_result is;
	struct buf text;

	if ((d = route_find(r, &is)) == NULL) {
		if (is.code == 0)
			settle_discard(r);
		else
			settle_result(r, &is);
	} else if (d->state != DEST_DOWN && is_too_much(d, r)) {
		r->dest = d;
		d->parked = !d->local; /* it is hurried when there is room */
		settle_result(r, &crowded);
	} else if (d->state == DEST_DOWN) {
		buf_init(&text, 1024);
		is = destination_result(d, &text);
		r->dest = d;
		settle_result(r, &is);
		buf_fini(&text);
		schedule_wake(d);
	} else {
		put_last(r, d);
	}
}

/* The first one speaks for all: what is a little too much is no matter. */
static bool
is_parked(struct message *m)
{
	struct destination *d;
	struct ipc_result is;
	struct rcpt *r = m->rcpt;

	if (remote_ready < QUEUE_READY_MIN)
		return false;
	while (r < m->rcpt + m->nrcpt && r->state != RCPT_READY)
		r++;
	if (r == m->rcpt + m->nrcpt || (d = route_find(r, &is)) == NULL ||
	    d->local || d->state == DEST_DOWN || !is_crowded(d))
		return false;
	message_flush(m);
	park(d, m->qid);
	message_free(m);
	return true;
}

void
schedule_message(struct message *m)
{
	if (is_parked(m))
		return;
	m->settling = true; /* only once, below */
	for (size_t i = 0; i < m->nrcpt; i++)
		if (m->rcpt[i].state == RCPT_READY)
			send_on_its_way(&m->rcpt[i]);
	m->settling = false;
	settle_message(m);
}

void
schedule_defer_all(struct destination *d, const struct ipc_result *is)
{
	struct rcpt *r;

	while ((r = TAILQ_FIRST(&d->ready)) != NULL) {
		schedule_take(r);
		settle_result(r, is);
	}
}

/* --- turns ------------------------------------------------------------- */

/* No relay process for a minute: mail is seen, and safer, on disk. */
static void
on_alone(struct timer *t)
{
	const struct ipc_result none = { .code = 451,
		.enhanced = SPAN("4.3.2"), .text = SPAN("no relay process") };
	struct destination *d;

	(void)t;
	for (size_t i = 0; i < SHARES; i++) {
		TAILQ_FOREACH(d, &starving[i], ring) {
			schedule_defer_all(d, &none);
			d->sated = false;
		}
		TAILQ_CONCAT(&ring, &starving[i], ring); /* to be forgotten */
	}
}

static bool
somebody_starves(void)
{
	for (size_t i = 0; i < SHARES; i++)
		if (!TAILQ_EMPTY(&starving[i]))
			return true;
	return false;
}

void
schedule_relays(void)
{
	if (relay_count() > 0 || !somebody_starves()) {
		loop_untimer(&alone);
	} else if (!loop_timer_is_set(&alone)) {
		alone.fn = on_alone;
		loop_timer(&alone, QUEUE_RELAY_WAIT);
	}
}

static void
starve(struct destination *d)
{
	d->listed = true;
	d->sated = d->jobs > 0;
	d->share = relay_share(d);
	TAILQ_INSERT_TAIL(&starving[d->share], d, ring);
	schedule_relays();
}

/* One job, then it is the others' turn. */
static void
run_remote(struct destination *d)
{
	struct relay *p;

	unpark(d);
	if (TAILQ_EMPTY(&d->ready) || d->state == DEST_DOWN ||
	    destination_rests(d) || d->jobs >= d->window)
		return;
	if ((p = relay_pick(d)) == NULL) {
		starve(d);
		return;
	}
	relay_send(p, TAILQ_FIRST(&d->ready));
	schedule_wake(d);
}

static void
run_local(struct destination *d)
{
	struct worker *w;

	while (!TAILQ_EMPTY(&d->ready) && (w = worker_pick(d)) != NULL)
		worker_send(w, TAILQ_FIRST(&d->ready));
}

static void
on_due(struct timer *t)
{
	(void)t; /* schedule_run() looks */
}

static void
due_set(void)
{
	int64_t first = wait_first(), now = loop_wall();

	if (first == INT64_MAX || message_count() >= queue.conf->active_max) {
		loop_untimer(&due);
		return;
	}
	due.fn = on_due;
	loop_timer(&due, first <= now ? 1 : (uint64_t)(first - now) * 1000);
}

void
schedule_due(void)
{
	due.fn = on_due;
	loop_timer(&due, 0);
}

/* The size of what was read. */
static uint64_t
load(uint64_t qid, uint32_t tag)
{
	struct message *m = message_load(qid, true);
	uint64_t size = m == NULL ? 0 : m->size;

	if (m != NULL && m->held) { /* the scan could not tell */
		wait_add(qid, loop_wall(), true, tag);
		message_free(m);
	} else if (m != NULL) {
		schedule_message(m);
	} else if (errno != 0 && errno != ENOENT) {
		log_begin(LL_ERROR, "load");
		log_err(errno);
		log_end();
		wait_add(qid, loop_wall() + (int64_t)queue.conf->retry_min,
		    false, tag);
	}
	return size;
}

/* Its destination has more than enough to do: not even read. */
static bool
is_parked_unread(uint64_t qid, uint32_t tag)
{
	struct destination *d = destination_find(tag);

	if (d == NULL || d->local || d->state == DEST_DOWN || !is_crowded(d))
		return false;
	park(d, qid);
	return true;
}

static void
load_due(void)
{
	uint64_t qid, size = 0;
	uint32_t tag;

	for (int i = 0; i < LOAD_STEP && size < LOAD_BYTES &&
	     message_count() < queue.conf->active_max; i++) {
		if ((qid = wait_take(loop_wall(), &tag)) == 0)
			break;
		if (!is_parked_unread(qid, tag))
			size += load(qid, tag);
	}
}

/* Who waits for a relay process has waited longest. */
static struct destination *
turn_next(void)
{
	struct destination *d;

	for (size_t i = 0; i < SHARES; i++) {
		d = TAILQ_FIRST(&starving[i]);
		if (d == NULL || !relay_has_room((enum relay_share)i))
			continue;
		TAILQ_REMOVE(&starving[i], d, ring);
		d->listed = d->sated = false;
		return d;
	}
	if ((d = TAILQ_FIRST(&ring)) != NULL) {
		TAILQ_REMOVE(&ring, d, ring);
		d->listed = false;
	}
	return d;
}

void
schedule_run(void)
{
	struct destination *d;

	if (queue.stopping)
		return;
	load_due();
	while ((d = turn_next()) != NULL) {
		if (d->local)
			run_local(d);
		else
			run_remote(d);
		destination_gc(d);
	}
	due_set();
}

static void
count_jobs(struct destination *d, void *arg)
{
	*(size_t *)arg += d->jobs;
}

size_t
schedule_busy(void)
{
	size_t busy = 0;

	destination_each(count_jobs, &busy);
	return busy;
}
