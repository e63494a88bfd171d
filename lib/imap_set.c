/* imap_set: ranges of numbers, parsed, sorted, searched. */
#include "lib/imap_set.h"

#include <assert.h>
#include <stdlib.h>

#include "lib/die.h"
#include "lib/imap_token.h"
#include "lib/limits.h"

static const uint32_t star = UINT32_MAX;

static int
seq_number(struct span *in, uint32_t *n)
{
	uint64_t v;

	if (imap_is(in, '*')) {
		*n = star;
		return 0;
	}
	if (imap_number(in, UINT32_MAX, &v) == -1 || v == 0)
		return -1;
	*n = v == star ? star - 1 : (uint32_t)v;
	return 0;
}

static int
seq_range(struct span *in, struct imap_range *r)
{
	uint32_t a, b;

	if (seq_number(in, &a) == -1)
		return -1;
	b = a;
	if (imap_is(in, ':') && seq_number(in, &b) == -1)
		return -1;
	r->lo = a < b ? a : b;
	r->hi = a < b ? b : a;
	return 0;
}

static int
set_add(struct imap_set *s, struct imap_range r)
{
	if (s->n == s->cap) {
		if (s->cap >= IMAP_RANGES_MAX)
			return -1;
		s->cap = s->cap == 0 ? 8 : s->cap * 2;
		s->range = xreallocarray(s->range, s->cap, sizeof(*s->range));
	}
	s->range[s->n++] = r;
	return 0;
}

int
imap_set(struct span *in, struct imap_set *set)
{
	struct imap_set s = { .n = 0 };
	struct span rest = *in;
	struct imap_range r;

	static_assert(IMAP_RANGES_MAX % 8 == 0, "cap doubles from 8");
	if (imap_is(&rest, '$')) {
		s.saved = true;
		goto out;
	}
	do {
		if (seq_range(&rest, &r) == -1 || set_add(&s, r) == -1) {
			imap_set_fini(&s);
			return -1;
		}
	} while (imap_is(&rest, ','));
out:
	*set = s;
	*in = rest;
	return 0;
}

void
imap_set_fini(struct imap_set *s)
{
	free(s->range);
	*s = (struct imap_set){ .n = 0 };
}

static int
range_cmp(const void *a, const void *b)
{
	const struct imap_range *x = a, *y = b;

	return (x->lo > y->lo) - (x->lo < y->lo);
}

/* RFC 3501 9: "n:*" has the largest number also when n is above it. */
static bool
range_resolve(struct imap_range *r, uint32_t max)
{
	if (r->hi == star) {
		r->hi = max;
		if (r->lo > max)
			r->lo = max;
	}
	if (r->hi > max)
		r->hi = max;
	return r->lo <= r->hi;
}

void
imap_set_resolve(struct imap_set *s, uint32_t max)
{
	struct imap_range *last;
	size_t i, n = 0;

	if (max == 0) {
		s->n = 0;
		return;
	}
	for (i = 0; i < s->n; i++)
		if (range_resolve(&s->range[i], max))
			s->range[n++] = s->range[i];
	s->n = n;
	if (n == 0)
		return;
	qsort(s->range, n, sizeof(*s->range), range_cmp);
	last = s->range;
	for (i = 1; i < n; i++) {
		if (s->range[i].lo > last->hi &&
		    s->range[i].lo - last->hi > 1)
			*++last = s->range[i];
		else if (s->range[i].hi > last->hi)
			last->hi = s->range[i].hi;
	}
	s->n = (size_t)(last - s->range) + 1;
}

bool
imap_set_within(const struct imap_set *s, uint32_t max)
{
	for (size_t i = 0; i < s->n; i++) {
		if (max == 0)
			return false;
		if (s->range[i].lo != star && s->range[i].lo > max)
			return false;
		if (s->range[i].hi != star && s->range[i].hi > max)
			return false;
	}
	return true;
}

bool
imap_set_has(const struct imap_set *s, uint32_t n)
{
	size_t lo = 0, hi = s->n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (n > s->range[mid].hi)
			lo = mid + 1;
		else if (n < s->range[mid].lo)
			hi = mid;
		else
			return true;
	}
	return false;
}
