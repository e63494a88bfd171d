/*
 * question: who asks waits at a lookup; those who ask the same wait at the
 * same one.
 *
 *	take --malformed--> that peer is cut off, no other
 *	  |--> not a name, too many, nobody to ask --> answered at once
 *	  `--> waits at a lookup --> answered        --> all get it
 *	            |--> over its asker's share: in its queue until one ends
 *	            |--> its time is over ------------> DNS_TEMP, it alone
 *	            |--> its peer is gone ------------> forgotten
 *	            `--> another resolver is in force-> the lookup begins anew
 *
 * A lookup that nobody waits for any more goes on: what it finds is kept by
 * libunbound. So the number of lookups bounds what libunbound has to do. Each
 * is charged to who asked first, until its end: slow names, however many, keep
 * waiting who asks for them, and nobody else. Nor do they keep waiting him for
 * what was answered not long ago: that needs no share, since it ends at once.
 */
#include "dns/question.h"

#include <sys/queue.h>

#include <stdlib.h>
#include <string.h>

#include "dns/known.h"
#include "dns/resolver.h"
#include "lib/die.h"
#include "lib/dns_answer.h"
#include "lib/hash.h"
#include "lib/ipc_dns.h"
#include "lib/limits.h"
#include "lib/log.h"
#include "lib/loop.h"

enum { BUCKETS = 1024 };

TAILQ_HEAD(lookup_list, lookup);

struct asker {
	TAILQ_ENTRY(asker) link; /* who was served last is last */
	struct ipc *peer;
	size_t nwaiters;
	size_t nasked;             /* lookups that are charged to it */
	size_t nqueued;
	struct lookup_list queue;  /* lookups that are not begun yet */
};

struct waiter {
	struct waiter *next, **prev; /* at its lookup */
	struct lookup *lookup;
	struct asker *asker;
	uint32_t id;
	struct timer timer;
};

struct lookup {
	struct lookup *next, **prev; /* in its bucket */
	struct waiter *waiters;
	struct asker *owner; /* NULL: it has left */
	TAILQ_ENTRY(lookup) link; /* in its queue, */
	bool queued;         /* if it is there; else it is charged */
	uint32_t type;
	bool asked;
	char name[DNS_NAME_MAX + 1];
};

static struct lookup *table[BUCKETS];
static TAILQ_HEAD(asker_list, asker) askers = TAILQ_HEAD_INITIALIZER(askers);
static size_t nasked; /* lookups that are charged to somebody, or nobody */
static uint64_t patience = 20; /* s */
static void lookup_free(struct lookup *);
static void queues_run(void);
static const char *closed = "not ready yet";

/* --- waiters ----------------------------------------------------------- */

static void
waiter_free(struct waiter *w)
{
	loop_untimer(&w->timer);
	*w->prev = w->next;
	if (w->next != NULL)
		w->next->prev = w->prev;
	w->asker->nwaiters--;
	free(w);
}

static void
send_packet(struct ipc *peer, uint32_t id, const struct buf *packet)
{
	/* A peer that does not read its answers loses them, and only it. */
	if (!packet->bad)
		(void)ipc_send(
		    peer, IPC_DNS_IS, id, buf_get(packet), -1, -1);
}

static void
send_none(struct ipc *peer, uint32_t id, enum dns_status status,
    struct span name, const char *why)
{
	static struct ipc_dns_is is; /* large */
	struct buf packet;

	is = (struct ipc_dns_is){ .status = status, .canonical = name,
		.why = span_str(why) };
	buf_init(&packet, 4096);
	ipc_dns_is_encode(&packet, &is);
	send_packet(peer, id, &packet);
	buf_fini(&packet);
}

static void
on_patience(struct timer *t)
{
	struct waiter *w = t->arg;
	struct lookup *l = w->lookup;

	send_none(w->asker->peer, w->id, DNS_TEMP, span_str(l->name),
	    "no name server answers in time");
	waiter_free(w);
	if (l->queued && l->waiters == NULL)
		lookup_free(l);
}

static void
waiter_new(struct lookup *l, struct asker *a, uint32_t id)
{
	struct waiter *w = xcalloc(1, sizeof(*w));

	w->lookup = l;
	w->asker = a;
	w->id = id;
	w->next = l->waiters;
	w->prev = &l->waiters;
	if (l->waiters != NULL)
		l->waiters->prev = &w->next;
	l->waiters = w;
	w->timer.fn = on_patience;
	w->timer.arg = w;
	loop_timer(&w->timer, patience * 1000);
	a->nwaiters++;
}

/* --- lookups ----------------------------------------------------------- */

static struct lookup **
bucket_of(uint32_t type, struct span name)
{
	return &table[(hash_keyed(name) + type) % BUCKETS];
}

static struct lookup *
lookup_find(uint32_t type, struct span name)
{
	struct lookup *l = *bucket_of(type, name);

	while (l != NULL &&
	    (l->type != type || !span_eq(span_str(l->name), name)))
		l = l->next;
	return l;
}

static struct lookup *
lookup_new(uint32_t type, struct span name)
{
	struct lookup *l = xcalloc(1, sizeof(*l));
	struct lookup **bucket = bucket_of(type, name);

	l->type = type;
	(void)span_copy(l->name, sizeof(l->name), name);
	l->next = *bucket;
	l->prev = bucket;
	if (l->next != NULL)
		l->next->prev = &l->next;
	*bucket = l;
	return l;
}

static void
lookup_queue(struct lookup *l, struct asker *a)
{
	l->owner = a;
	l->queued = true;
	a->nqueued++;
	TAILQ_INSERT_TAIL(&a->queue, l, link);
}

static void
lookup_unqueue(struct lookup *l)
{
	if (!l->queued)
		return;
	TAILQ_REMOVE(&l->owner->queue, l, link);
	l->owner->nqueued--;
	l->queued = false;
}

static void
lookup_charge(struct lookup *l, struct asker *a)
{
	lookup_unqueue(l);
	l->owner = a;
	a->nasked++;
	nasked++;
}

static void
lookup_free(struct lookup *l)
{
	while (l->waiters != NULL)
		waiter_free(l->waiters);
	*l->prev = l->next;
	if (l->next != NULL)
		l->next->prev = l->prev;
	if (!l->queued) {
		nasked--;
		if (l->owner != NULL)
			l->owner->nasked--;
	}
	lookup_unqueue(l);
	free(l);
}

static void
log_lookup(const struct lookup *l, const struct ipc_dns_is *is)
{
	static const char *const status[] = { "ok", "nodata", "nxdomain",
		"temp", "bad" };

	log_begin(is->status == DNS_TEMP ? LL_INFO : LL_DEBUG, "dns");
	log_str("name", l->name);
	log_num("type", l->type);
	log_str("result", status[is->status]);
	log_num("n", is->n);
	log_num("secure", is->secure);
	if (is->why.n > 0)
		log_span("why", is->why);
	log_end();
}

static void
answer_make(const struct lookup *l, const struct resolver_answer *from,
    struct buf *mem, struct ipc_dns_is *is)
{
	if (from->message.n == 0) {
		*is = (struct ipc_dns_is){ .status = DNS_TEMP,
			.canonical = span_str(l->name) };
		buf_safe(mem, from->why);
		is->why = buf_get(mem);
		return;
	}
	dns_answer_parse(
	    from->message, l->type, span_str(l->name), mem, is);
	is->secure = from->secure && is->status != DNS_TEMP;
	if (is->status != DNS_TEMP)
		known_note(l->type, span_str(l->name), is->ttl);
}

static void
on_answer(void *arg, const struct resolver_answer *from)
{
	static struct ipc_dns_is is; /* large */
	struct lookup *l = arg;
	struct buf mem, packet;

	buf_init(&mem, DNS_ANSWER_MEM);
	buf_init(&packet, IPC_BODY_MAX);
	answer_make(l, from, &mem, &is);
	log_lookup(l, &is);
	ipc_dns_is_encode(&packet, &is);
	for (struct waiter *w = l->waiters; w != NULL; w = w->next)
		send_packet(w->asker->peer, w->id, &packet);
	buf_fini(&packet);
	buf_fini(&mem);
	lookup_free(l);
	queues_run();
}

static void
lookup_fail(struct lookup *l, const char *why)
{
	struct resolver_answer none = { .message = SPAN_NONE };

	none.why = span_str(why);
	on_answer(l, &none);
}

/* l may be gone afterwards: what is known already is answered at once. */
static void
lookup_begin(struct lookup *l)
{
	l->asked = true;
	if (resolver_ask(l->name, l->type, on_answer, l) == -1)
		lookup_fail(l, "libunbound does not take the question");
}

/* --- shares ------------------------------------------------------------ */

/* One part is always free for somebody who begins to ask. */
static bool
has_share(const struct asker *a)
{
	size_t active = a->nasked + a->nqueued == 0;
	const struct asker *o;

	TAILQ_FOREACH(o, &askers, link)
		active += o->nasked + o->nqueued > 0;
	return nasked < DNS_LOOKUPS_MAX &&
	    a->nasked < DNS_LOOKUPS_MAX / (active + 1);
}

/* The next one that may begin, of each asker in turn; NULL: none. */
static struct lookup *
queue_next(void)
{
	struct asker *a;

	TAILQ_FOREACH(a, &askers, link) {
		if (a->nqueued == 0 || !has_share(a))
			continue;
		TAILQ_REMOVE(&askers, a, link);
		TAILQ_INSERT_TAIL(&askers, a, link);
		return TAILQ_FIRST(&a->queue);
	}
	return NULL;
}

/* What is begun may end at once, and so call this again. */
static void
queues_run(void)
{
	static bool running;
	struct lookup *l;

	if (running)
		return;
	running = true;
	while (closed == NULL && (l = queue_next()) != NULL) {
		lookup_charge(l, l->owner);
		lookup_begin(l);
	}
	running = false;
}

/* --- what main calls --------------------------------------------------- */

void
question_timeout(uint64_t seconds)
{
	patience = seconds;
}

static struct lookup *
lookup_not_asked(void)
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct lookup *l = table[i]; l != NULL; l = l->next)
			if (!l->asked && !l->queued)
				return l;
	return NULL;
}

void
question_resolver(const char *why_not)
{
	struct lookup *l, *next;

	closed = why_not;
	known_forget_all();
	for (size_t i = 0; i < BUCKETS; i++)
		for (l = table[i]; l != NULL; l = next) {
			next = l->next;
			l->asked = false;
			if (l->waiters == NULL)
				lookup_free(l);
			else if (closed != NULL && l->queued)
				lookup_charge(l, l->owner); /* it fails below */
		}
	while ((l = lookup_not_asked()) != NULL) {
		if (closed != NULL)
			lookup_fail(l, closed);
		else
			lookup_begin(l);
	}
	queues_run();
}

/* Now, or when others have ended? */
static bool
may_begin(const struct asker *a, const struct ipc_dns *q, struct span name)
{
	return has_share(a) ||
	    (nasked < DNS_LOOKUPS_MAX && known_is(q->type, name));
}

static const char *
refusal(const struct asker *a, bool must_queue)
{
	if (closed != NULL)
		return closed;
	if (a->nwaiters >= DNS_WAITING_MAX ||
	    (must_queue && a->nqueued >= DNS_QUEUED_MAX))
		return "too many questions at once";
	return NULL;
}

static void
question_begin(struct asker *a, uint32_t id, const struct ipc_dns *q,
    struct span name)
{
	struct lookup *l = lookup_find(q->type, name);
	bool new = l == NULL, now = may_begin(a, q, name);
	const char *why = refusal(a, new && !now);

	if (why != NULL) {
		send_none(a->peer, id, DNS_TEMP, name, why);
		return;
	}
	if (new)
		l = lookup_new(q->type, name);
	waiter_new(l, a, id);
	if ((new || l->queued) && now) {
		lookup_charge(l, a);
		lookup_begin(l);
	} else if (new) {
		lookup_queue(l, a);
	}
}

void
question_asker(struct ipc *peer)
{
	struct asker *a = xcalloc(1, sizeof(*a));

	a->peer = peer;
	TAILQ_INIT(&a->queue);
	TAILQ_INSERT_TAIL(&askers, a, link);
}

static struct asker *
asker_find(const struct ipc *peer)
{
	struct asker *a;

	TAILQ_FOREACH(a, &askers, link)
		if (a->peer == peer)
			return a;
	die("a question of nobody");
}

int
question_take(struct ipc *peer, struct ipc_msg *m, void *arg)
{
	struct ipc_dns q;
	struct buf name;

	(void)arg;
	if (m->type != IPC_DNS || ipc_dns_decode(m->body, &q) == -1)
		return -1;
	buf_init(&name, DNS_NAME_MAX);
	if (dns_answer_question(&q, &name) == 0)
		question_begin(asker_find(peer), m->id, &q, buf_get(&name));
	else
		send_none(peer, m->id, DNS_BAD, SPAN_NONE,
		    "not a name that can be asked for");
	buf_fini(&name);
	return 0;
}

/* Others may wait at what a has asked. */
static void
lookup_leave(struct lookup *l, const struct asker *a)
{
	struct waiter *w, *next;

	for (w = l->waiters; w != NULL; w = next) {
		next = w->next;
		if (w->asker == a)
			waiter_free(w);
	}
	if (l->owner != a)
		return;
	if (!l->queued) {
		l->owner = NULL;
	} else if (l->waiters == NULL) {
		lookup_free(l);
	} else {
		lookup_unqueue(l);
		/* who was freed has left the list:
		 * NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
		lookup_queue(l, l->waiters->asker);
	}
}

void
question_forget(const struct ipc *peer)
{
	struct asker *a = asker_find(peer);
	struct lookup *l, *next;

	for (size_t i = 0; i < BUCKETS; i++)
		for (l = table[i]; l != NULL; l = next) {
			next = l->next;
			lookup_leave(l, a);
		}
	TAILQ_REMOVE(&askers, a, link);
	free(a);
	queues_run(); /* the others' share is larger now */
}
