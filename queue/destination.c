/*
 * destination: their table, and how a next hop's window moves.
 *
 * - one is freed only if no recipient, job, worker, question or row of
 *   queue/wait.h refers to it
 * - beyond DESTINATIONS_MAX there are no tags: then mail that waits is not
 *   hurried when its host is there again; it waits its time
 */
#include "queue/destination.h"

#include <stdlib.h>
#include <string.h>

#include "lib/die.h"
#include "lib/hash.h"
#include "lib/log.h"
#include "queue/queue.h"
#include "queue/schedule.h"
#include "queue/wait.h"

enum {
	BUCKETS = 4096,
	IDLE_MS = 10 * 60 * 1000, /* one that is well is kept so long, */
	IDLE_ILL_MS = 2 * 60 * 60 * 1000, /* one that is not, so long */
	SWEEP_MS = 60 * 1000,
	DOWN_MAX = 60 * 60, /* s */
	NAME_MAX_LEN = PATH_LEN_MAX + 32,
};

static struct destination *table[BUCKETS];
static struct destination *by_tag[DESTINATIONS_MAX + 1];
static uint32_t free_tag[DESTINATIONS_MAX], nfree, ntags;
static struct timer sweep;

/* --- the table --------------------------------------------------------- */

static struct destination **
bucket(struct span key)
{
	return &table[hash_keyed(key) % BUCKETS];
}

static void
tag_take(struct destination *d)
{
	if (nfree > 0)
		d->tag = free_tag[--nfree];
	else if (ntags < DESTINATIONS_MAX)
		d->tag = ++ntags;
	if (d->tag != 0)
		by_tag[d->tag] = d;
}

static void
tag_drop(struct destination *d)
{
	if (d->tag == 0)
		return;
	by_tag[d->tag] = NULL;
	free_tag[nfree++] = d->tag;
}

struct destination *
destination_find(uint32_t tag)
{
	return tag <= DESTINATIONS_MAX ? by_tag[tag] : NULL;
}

void
destination_each(void (*fn)(struct destination *, void *), void *arg)
{
	struct destination *d, *next;

	for (size_t i = 0; i < BUCKETS; i++)
		for (d = table[i]; d != NULL; d = next) {
			next = d->next;
			fn(d, arg);
		}
}

static void
sweep_one(struct destination *d, void *arg)
{
	(void)arg;
	destination_gc(d);
}

static void
on_sweep(struct timer *t)
{
	destination_each(sweep_one, NULL);
	loop_timer(t, SWEEP_MS);
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
	d->used = loop_now();
	tag_take(d);
	d->next = *b;
	*b = d;
	if (sweep.fn == NULL) {
		sweep.fn = on_sweep;
		loop_timer(&sweep, SWEEP_MS);
	}
	return d;
}

static bool
is_idle(const struct destination *d)
{
	bool well = d->state == DEST_UP && d->pace != PACE_SLOW;
	uint64_t keep = d->local ? 0 : well ? IDLE_MS : IDLE_ILL_MS;

	if (!TAILQ_EMPTY(&d->ready) || d->jobs > 0 || d->nworkers > 0 ||
	    d->asking || d->listed)
		return false;
	if (d->tag == 0) /* there are too many of them */
		return true;
	return wait_tagged(d->tag) == 0 && loop_now() - d->used >= keep;
}

void
destination_gc(struct destination *d)
{
	struct destination **b;

	if (!is_idle(d))
		return;
	for (b = bucket(span_str(d->key)); *b != d; b = &(*b)->next)
		;
	*b = d->next;
	tag_drop(d);
	loop_untimer(&d->probe);
	loop_untimer(&d->rest);
	free(d->key);
	free(d->user);
	free(d->root);
	free(d->host);
	free(d->why);
	free(d->who);
	free(d);
}

/* --- which ------------------------------------------------------------- */

struct destination *
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

struct span
destination_name(const struct transport *t)
{
	static struct buf name = { .max = NAME_MAX_LEN };

	buf_clear(&name);
	transport_name(&name, t);
	return buf_get(&name);
}

static enum job_transport
job_transport_of(const struct transport *t)
{
	switch (t->kind) {
	case TRANSPORT_HOST:
		return JOB_HOST;
	case TRANSPORT_LMTP:
		return JOB_LMTP;
	case TRANSPORT_LMTP_UNIX:
		return JOB_LMTP_UNIX;
	default:
		return JOB_MX;
	}
}

static unsigned
window_first(void)
{
	uint64_t n = queue.conf->destination_initial_concurrency;

	if (n > queue.conf->destination_concurrency)
		n = queue.conf->destination_concurrency;
	return (unsigned)n;
}

struct destination *
destination_of_hop(const struct transport *t)
{
	struct destination *d = destination_get(destination_name(t));

	if (d->host != NULL)
		return d;
	d->transport = job_transport_of(t);
	d->port = t->port;
	if ((d->host = span_dup(t->host)) == NULL)
		die("host with a NUL");
	d->window = window_first();
	return d;
}

/* --- the window -------------------------------------------------------- */

static void
log_state(const struct destination *d, const char *event, uint64_t next)
{
	log_begin(LL_INFO, event);
	log_str("destination", d->key);
	if (d->why != NULL && d->state == DEST_DOWN) {
		log_num("code", (uint64_t)d->why->code);
		log_str("why", d->why->text);
		if (d->who != NULL)
			log_str("host", d->who);
		log_num("next", next);
	}
	log_end();
}

static void
log_crowded(const struct destination *d)
{
	log_begin(LL_INFO, "crowded");
	log_str("destination", d->key);
	log_str("why", d->why->text);
	log_end();
}

static void
probe_begin(struct destination *d)
{
	d->state = DEST_PROBING;
	d->window = 1;
	d->met = 0;
	loop_untimer(&d->probe);
	schedule_wake(d);
}

/* Its time is over: one message is tried, though it may have to wait yet. */
static void
on_probe(struct timer *t)
{
	struct destination *d = t->arg;

	probe_begin(d);
	if (d->tag != 0 && wait_hurry(d->tag, 1, loop_wall()) > 0)
		schedule_due();
}

static void
on_rest(struct timer *t)
{
	schedule_wake(t->arg);
}

void
destination_revive(struct destination *d)
{
	if (d->state == DEST_DOWN)
		probe_begin(d);
	if (destination_rests(d)) {
		loop_untimer(&d->rest);
		schedule_wake(d);
	}
}

/* Doubled each time, with up to an eighth of jitter. */
static uint64_t
down_time(const struct destination *d)
{
	uint64_t s = queue.conf->retry_min, most = queue.conf->retry_max;

	if (most > DOWN_MAX)
		most = DOWN_MAX;
	for (unsigned i = 1; i < d->deaths && s < most; i++)
		s *= 2;
	if (s > most)
		s = most;
	return s + hash_plain64(span_str(d->key), d->deaths) % (s / 8 + 1);
}

static void
down(struct destination *d)
{
	struct ipc_result is;
	struct buf text;
	uint64_t s;

	d->state = DEST_DOWN;
	d->deaths++;
	s = down_time(d);
	d->until = loop_wall() + (int64_t)s;
	d->probe.fn = on_probe;
	d->probe.arg = d;
	loop_timer(&d->probe, s * 1000);
	log_state(d, "down", s);
	buf_init(&text, 1024);
	is = destination_result(d, &text);
	schedule_defer_all(d, &is);
	buf_fini(&text);
}

struct ipc_result
destination_result(const struct destination *d, struct buf *text)
{
	struct ipc_result is = { .code = 451, .enhanced = SPAN("4.4.1"),
		.about = ABOUT_HOST };

	buf_str(text, "not tried now: ");
	if (d->why != NULL) {
		is.code = (uint32_t)d->why->code;
		is.enhanced = span_str(d->why->enhanced);
		buf_str(text, d->why->text);
	}
	is.text = buf_get(text);
	is.host = d->who == NULL ? SPAN_NONE : span_str(d->who);
	return is;
}

static void
keep_why(struct destination *d, const struct ipc_result *is)
{
	char enhanced[12] = "";

	if (d->why == NULL)
		d->why = xcalloc(1, sizeof(*d->why));
	(void)span_copy(enhanced, sizeof(enhanced), is->enhanced);
	reply_set(d->why, (int)is->code, enhanced, is->text);
	free(d->who);
	d->who = is->host.n == 0 ? NULL : span_dup(is->host);
}

void
destination_missed(struct destination *d, const struct ipc_result *is)
{
	keep_why(d, is);
	d->met = 0;
	if (d->state == DEST_DOWN)
		return;
	if (d->window > 0)
		d->window--;
	if (d->window == 0)
		down(d);
}

bool
destination_rests(const struct destination *d)
{
	return loop_timer_is_set(&d->rest);
}

/* Doubled each time, with up to a quarter of jitter. */
static void
rest(struct destination *d)
{
	uint64_t ms = QUEUE_REST_MIN;

	if (d->rests == 0) {
		d->crowded = loop_now();
		log_crowded(d);
	}
	for (unsigned i = 0; i < d->rests && ms < QUEUE_REST_MAX; i++)
		ms *= 2;
	if (ms > QUEUE_REST_MAX)
		ms = QUEUE_REST_MAX;
	ms += hash_plain64(span_str(d->key), d->rests) % (ms / 4);
	d->rests++;
	d->rest.fn = on_rest;
	d->rest.arg = d;
	loop_timer(&d->rest, ms);
}

/* Its own jobs that are under way make room when they end. */
bool
destination_crowded(struct destination *d, const struct ipc_result *is)
{
	bool long_enough = d->rests > 0 &&
	    loop_now() - d->crowded >= queue.conf->retry_min * 1000;

	if (destination_rests(d))
		return true;
	if (d->state != DEST_UP || long_enough || !schedule_is_roomy()) {
		d->rests = 0;
		d->window = 1;
		return false;
	}
	keep_why(d, is);
	if (d->jobs == 1)
		rest(d);
	else if (d->window >= d->jobs)
		d->window = d->jobs - 1;
	return true;
}

void
destination_took(struct destination *d, uint64_t ms, bool missed)
{
	d->pace = missed || ms >= QUEUE_SLOW ? PACE_SLOW : PACE_QUICK;
}

static void
up(struct destination *d)
{
	d->state = DEST_UP;
	d->deaths = 0;
	d->window = window_first();
	loop_untimer(&d->probe);
	log_state(d, "up", 0);
	if (d->tag != 0 && wait_hurry(d->tag, SIZE_MAX, loop_wall()) > 0)
		schedule_due();
}

void
destination_met(struct destination *d)
{
	d->rests = 0;
	if (d->state != DEST_UP) {
		up(d);
	} else if (d->window > queue.conf->destination_concurrency) {
		d->window--; /* a reload has lowered it */
	} else if (++d->met >= d->window) {
		d->met = 0;
		if (d->window < queue.conf->destination_concurrency)
			d->window++;
	}
}
