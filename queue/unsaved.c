/*
 * unsaved: a table by queue id, UNSAVED_MAX bytes in all. A crash loses it:
 * twice beats never.
 */
#include "queue/unsaved.h"

#include <stdlib.h>
#include <string.h>

#include "lib/die.h"

enum { BUCKETS = 1024, UNSAVED_MAX = 16 * 1024 * 1024 };

struct unsaved {
	struct unsaved *next; /* in its bucket */
	uint64_t qid;
	size_t n;
	char records[];
};

static struct unsaved *table[BUCKETS];
static size_t total; /* structs included */

static struct unsaved **
bucket(uint64_t qid)
{
	return &table[(qid ^ qid >> 10) % BUCKETS];
}

void
unsaved_put(uint64_t qid, struct span records)
{
	size_t size = sizeof(struct unsaved) + records.n;
	struct unsaved **b = bucket(qid), *u;

	if (records.n == 0 || size > UNSAVED_MAX - total)
		return;
	u = xmalloc(size);
	u->qid = qid;
	u->n = records.n;
	memcpy(u->records, records.p, records.n);
	u->next = *b;
	*b = u;
	total += size;
}

void
unsaved_take(uint64_t qid, struct buf *records)
{
	struct unsaved **at = bucket(qid), *u;

	while (*at != NULL && (*at)->qid != qid)
		at = &(*at)->next;
	if ((u = *at) == NULL)
		return;
	*at = u->next;
	buf_bytes(records, u->records, u->n);
	total -= sizeof(*u) + u->n;
	free(u);
}
