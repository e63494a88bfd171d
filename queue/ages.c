/*
 * ages: a table of domains by hash, in bounded memory: what is beyond
 * AGES_DOMAINS_MAX counts together. The age is that of the message.
 */
#include "queue/ages.h"

#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "lib/die.h"
#include "lib/hash.h"
#include "lib/json.h"
#include "queue/select.h"

enum {
	COLUMNS = 10,   /* up to 5, 10, 20 ... 1280 minutes, and older */
	FIRST = 5 * 60, /* s */
	BUCKETS = 4096,
	AGES_DOMAINS_MAX = 20000,
	ALIVE = 2000,   /* messages between two signs of life */
	NAME_WIDTH = 30,
};

struct row {
	struct row *next; /* in its bucket */
	char *domain;     /* lower case */
	uint64_t total, column[COLUMNS];
};

struct ages {
	bool senders;
	size_t n, seen;
	struct row all, others;
	struct row *bucket[BUCKETS];
};

struct ages *
ages_new(bool senders)
{
	static char all[] = "total", others[] = "(others)";
	struct ages *a = xcalloc(1, sizeof(*a));

	a->senders = senders;
	a->all.domain = all;
	a->others.domain = others;
	return a;
}

void
ages_free(struct ages *a)
{
	struct row *r;

	if (a == NULL)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		while ((r = a->bucket[i]) != NULL) {
			a->bucket[i] = r->next;
			free(r->domain);
			free(r);
		}
	free(a);
}

/* --- counting ---------------------------------------------------------- */

static struct row *
row_get(struct ages *a, struct span domain)
{
	struct buf key = { .max = 1024 };
	struct row *r = NULL, **b;

	buf_lower(&key, domain);
	b = &a->bucket[hash_keyed(buf_get(&key)) % BUCKETS];
	if (!key.bad)
		for (r = *b; r != NULL; r = r->next)
			if (span_eq(span_str(r->domain), buf_get(&key)))
				break;
	if (r == NULL && !key.bad && a->n < AGES_DOMAINS_MAX) {
		a->n++;
		r = xcalloc(1, sizeof(*r));
		r->domain = span_dup(buf_get(&key));
		r->next = *b;
		*b = r;
	}
	if (r != NULL && r->domain == NULL)
		die("domain with a NUL");
	buf_fini(&key);
	return r == NULL ? &a->others : r;
}

static size_t
column_of(int64_t age)
{
	size_t i = 0;

	for (int64_t most = FIRST; i < COLUMNS - 1 && age >= most; most *= 2)
		i++;
	return i;
}

static void
count(struct ages *a, const char *address, int64_t age)
{
	size_t i = column_of(age);
	struct row *r;
	struct addr at;

	addr_split(span_str(address), &at);
	r = row_get(a, at.domain.n > 0 ? at.domain : SPAN("<>"));
	r->total++;
	r->column[i]++;
	a->all.total++;
	a->all.column[i]++;
}

void
ages_count(struct request *q, struct subject *s)
{
	const struct message *m = s->m;
	int64_t age = loop_wall() - m->arrived;

	/* The asker does not wait for ever. */
	if (++q->ages->seen % ALIVE == 0)
		(void)ipc_send(q->to, IPC_CTL_TEXT, q->id, SPAN_NONE, -1, -1);
	if (q->ages->senders) {
		count(q->ages, m->sender, age);
		return;
	}
	for (size_t i = 0; i < m->nrcpt; i++)
		if (rcpt_is_open(&m->rcpt[i]))
			count(q->ages, m->rcpt[i].address, age);
}

/* --- the table --------------------------------------------------------- */

static void
row_text(struct buf *b, const struct row *r)
{
	size_t start = b->n;

	buf_safe(b, span_str(r->domain));
	while (b->n - start < NAME_WIDTH && !b->bad)
		buf_char(b, ' ');
	buf_fmt(b, " %6ju", (uintmax_t)r->total);
	for (size_t i = 0; i < COLUMNS; i++)
		buf_fmt(b, " %5ju", (uintmax_t)r->column[i]);
	buf_char(b, '\n');
}

static void
row_json(struct buf *b, const struct row *r)
{
	buf_str(b, "{\"domain\":");
	json_text(b, span_str(r->domain));
	buf_fmt(b, ",\"total\":%ju,\"ages\":[", (uintmax_t)r->total);
	for (size_t i = 0; i < COLUMNS; i++)
		buf_fmt(b, "%s%ju", i > 0 ? "," : "", (uintmax_t)r->column[i]);
	buf_str(b, "]}\n");
}

static void
row_show(struct request *q, const struct row *r)
{
	(q->json ? row_json : row_text)(&q->out, r);
	request_say(q, false);
}

static void
head_text(struct request *q)
{
	uintmax_t minutes = FIRST / 60;

	buf_fmt(&q->out, "%-*s %6s", (int)NAME_WIDTH,
	    q->ages->senders ? "senders, minutes" : "recipients, minutes", "");
	for (size_t i = 0; i < COLUMNS - 1; i++, minutes *= 2)
		buf_fmt(&q->out, " %5ju", minutes);
	buf_fmt(&q->out, " %4ju+\n", minutes / 2);
	row_show(q, &q->ages->all);
}

static int
by_total(const void *a, const void *b)
{
	const struct row *x = *(struct row *const *)a;
	const struct row *y = *(struct row *const *)b;

	if (x->total != y->total)
		return x->total > y->total ? -1 : 1;
	return strcmp(x->domain, y->domain);
}

void
ages_show(struct request *q)
{
	struct ages *a = q->ages;
	struct row **sorted = xcalloc(a->n + 1, sizeof(struct row *)), *r;
	size_t n = 0;

	for (size_t i = 0; i < BUCKETS; i++)
		for (r = a->bucket[i]; r != NULL; r = r->next)
			sorted[n++] = r;
	qsort(sorted, n, sizeof(struct row *), by_total);
	if (!q->json && a->all.total > 0)
		head_text(q);
	for (size_t i = 0; i < n; i++)
		row_show(q, sorted[i]);
	if (a->others.total > 0)
		row_show(q, &a->others);
	free(sorted);
}
