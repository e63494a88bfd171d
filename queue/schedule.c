/*
 * schedule: destinations and their turns.
 *
 * - a destination exists while it has recipients, workers or a question open
 * - in one turn each destination with work is served once, in the order in
 *   which they came; how much it gets is up to its workers
 * - at most active-max messages are in memory; the others wait on disk and
 *   are loaded when their time has come and there is room
 */
#include "queue/schedule.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "lib/die.h"
#include "lib/hash.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "queue/queue.h"
#include "queue/settle.h"
#include "queue/wait.h"
#include "queue/worker.h"

enum {
	BUCKETS = 1024,
	LOAD_STEP = 200,                /* messages a turn, */
	LOAD_BYTES = 16 * 1024 * 1024,  /* or of their bodies, which are read */
};

static struct destination *table[BUCKETS];
static TAILQ_HEAD(destination_list, destination) ring = TAILQ_HEAD_INITIALIZER(ring);
static struct timer due;

/* --- destinations ------------------------------------------------------ */

static struct destination **
bucket(struct span key)
{
	return &table[hash_keyed(key) % BUCKETS];
}

static struct destination *
destination_get(struct span key)
{
	struct destination **b = bucket(key), *d;

	for (d = *b; d != NULL; d = d->next)
		if (span_eq(span_str(d->key), key))
			return d;
	d = xcalloc(1, sizeof(*d));
	if ((d->key = span_dup(key)) == NULL)
		die("destination with a NUL");
	TAILQ_INIT(&d->ready);
	TAILQ_INIT(&d->workers);
	d->next = *b;
	*b = d;
	return d;
}

static void
destination_gc(struct destination *d)
{
	struct destination **b;

	if (!TAILQ_EMPTY(&d->ready) || d->sent > 0 || d->nworkers > 0 ||
	    d->asking || d->listed)
		return;
	for (b = bucket(span_str(d->key)); *b != d; b = &(*b)->next)
		;
	*b = d->next;
	free(d->key);
	free(d->user);
	free(d->root);
	free(d);
}

static struct destination *
destination_of_owner(const struct account *a)
{
	struct destination *d;
	struct buf key;

	buf_init(&key, 2 * PATH_LEN_MAX);
	buf_fmt(&key, "local %ju %ju ", (uintmax_t)a->uid, (uintmax_t)a->gid);
	buf_span(&key, a->user);
	buf_char(&key, ' ');
	buf_span(&key, a->root);
	d = destination_get(buf_get(&key));
	buf_fini(&key);
	if (d->local)
		return d;
	d->local = true;
	d->uid = a->uid;
	d->gid = a->gid;
	d->user = span_dup(a->user);
	d->root = span_dup(a->root);
	if (d->user == NULL || d->root == NULL)
		die("account with a NUL");
	return d;
}

static struct destination *
destination_of_domain(struct span domain)
{
	struct destination *d;
	struct buf key;

	buf_init(&key, SMTP_DOMAIN_MAX + 16);
	buf_str(&key, "remote ");
	buf_span(&key, domain);
	d = destination_get(buf_get(&key));
	buf_fini(&key);
	return d;
}

void
schedule_wake(struct destination *d)
{
	if (d->listed)
		return;
	d->listed = true;
	TAILQ_INSERT_TAIL(&ring, d, ring);
}

/* --- recipients -------------------------------------------------------- */

/*
 * Memory is for everybody: the mail of one system account, whose owner may
 * stop its deliver processes, never fills it. Others share one owner.
 */
static bool
is_crowded(const struct destination *d)
{
	return d->local && d->user[0] != '\0' &&
	    d->nready > queue.conf->active_max / 4;
}

static void
put_last(struct rcpt *r, struct destination *d)
{
	r->dest = d;
	TAILQ_INSERT_TAIL(&d->ready, r, link);
	d->nready++;
	schedule_wake(d);
}

void
schedule_again(struct rcpt *r)
{
	r->state = RCPT_READY;
	r->worker = NULL;
	TAILQ_INSERT_HEAD(&r->dest->ready, r, link);
	r->dest->nready++;
	schedule_wake(r->dest);
}

void
schedule_take(struct rcpt *r)
{
	TAILQ_REMOVE(&r->dest->ready, r, link);
	r->dest->nready--;
}

void
schedule_drop(struct rcpt *r)
{
	schedule_take(r);
	schedule_wake(r->dest);
	r->dest = NULL;
}

/* Where this one goes; NULL and a result: nowhere, or not now. */
static struct destination *
find_way(struct rcpt *r, struct ipc_result *is)
{
	struct account account;
	struct addr a;

	*is = (struct ipc_result){ .code = 451, .enhanced = SPAN("4.3.0"),
		.text = SPAN("users map is damaged") };
	addr_split(span_str(r->address), &a);
	if (!resolve_is_local_domain(queue.conf, a.domain))
		return destination_of_domain(a.domain);
	switch (resolve_account(queue.conf, &queue.maps, a.text, &account)) {
	case MAP_FOUND:
		free(r->mailbox);
		if ((r->mailbox = span_dup(account.mailbox)) == NULL)
			return NULL;
		return destination_of_owner(&account);
	case MAP_NONE:
		is->code = 550;
		is->enhanced = SPAN("5.1.1");
		is->text = SPAN("no such user");
		return NULL;
	case MAP_ERROR:
		break;
	}
	return NULL;
}

void
schedule_message(struct message *m)
{
	const struct ipc_result crowded = { .code = 451,
		.enhanced = SPAN("4.3.2"),
		.text = SPAN("too much mail waits for this owner") };
	struct destination *d;
	struct ipc_result is;

	m->settling = true; /* only once, below */
	for (size_t i = 0; i < m->nrcpt; i++) {
		struct rcpt *r = &m->rcpt[i];

		if (r->state != RCPT_READY)
			continue;
		if ((d = find_way(r, &is)) == NULL)
			settle_result(r, &is);
		else if (is_crowded(d))
			settle_result(r, &crowded);
		else
			put_last(r, d);
	}
	m->settling = false;
	settle_message(m);
}

void
schedule_defer_all(struct destination *d, const char *why)
{
	struct ipc_result is = { .code = 451, .enhanced = SPAN("4.3.0"),
		.text = span_str(why) };
	struct rcpt *r;

	while ((r = TAILQ_FIRST(&d->ready)) != NULL) {
		schedule_take(r);
		r->dest = NULL;
		settle_result(r, &is);
	}
}

/* --- turns ------------------------------------------------------------- */

/* The road out comes with relay; its mail is safe meanwhile. */
static void
run_remote(struct destination *d)
{
	schedule_defer_all(d, "mail to other hosts is not in this version");
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
load(uint64_t qid)
{
	struct message *m = message_load(qid, true);
	uint64_t size = m == NULL ? 0 : m->size;

	if (m != NULL && m->held) { /* the scan could not tell */
		wait_add(qid, loop_wall(), true);
		message_free(m);
	} else if (m != NULL) {
		schedule_message(m);
	} else if (errno != 0 && errno != ENOENT) {
		log_begin(LL_ERROR, "load");
		log_err(errno);
		log_end();
		wait_add(qid, loop_wall() + (int64_t)queue.conf->retry_min,
		    false);
	}
	return size;
}

static void
load_due(void)
{
	uint64_t qid, size = 0;

	for (int i = 0; i < LOAD_STEP && size < LOAD_BYTES &&
	     message_count() < queue.conf->active_max; i++) {
		if ((qid = wait_take(loop_wall())) == 0)
			break;
		size += load(qid);
	}
}

void
schedule_run(void)
{
	struct destination *d;

	if (queue.stopping)
		return;
	load_due();
	while ((d = TAILQ_FIRST(&ring)) != NULL) {
		TAILQ_REMOVE(&ring, d, ring);
		if (d->local)
			run_local(d);
		else
			run_remote(d);
		d->listed = false;
		destination_gc(d);
	}
	due_set();
}

size_t
schedule_busy(void)
{
	size_t busy = 0;

	for (size_t i = 0; i < BUCKETS; i++)
		for (struct destination *d = table[i]; d != NULL; d = d->next)
			busy += d->sent;
	return busy;
}
