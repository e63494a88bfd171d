/*
 * imap_token: hostile commands. The first byte says what to expect; after a
 * success what was taken must be the front of the input and obey its grammar,
 * after a failure nothing may have moved. Then the same with the rest.
 */
#include "lib/imap_token.h"

#include <assert.h>

#include "lib/chars.h"
#include "lib/imap_date.h"
#include "lib/imap_set.h"
#include "lib/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

enum { PIECES_MAX = 64 };

static void
check_set(struct imap_set *s, uint32_t max)
{
	bool within = imap_set_within(s, max);
	size_t i, n = s->n;

	for (i = 0; i < s->n; i++)
		assert(s->range[i].lo >= 1 && s->range[i].lo <= s->range[i].hi);
	imap_set_resolve(s, max);
	assert(s->n <= n && (max > 0 || s->n == 0));
	assert(!within || n == 0 || s->n > 0);
	for (i = 0; i < s->n; i++) {
		assert(s->range[i].hi <= max);
		assert(i == 0 || s->range[i].lo - s->range[i - 1].hi > 1);
		assert(imap_set_has(s, s->range[i].lo));
		assert(imap_set_has(s, s->range[i].hi));
		if (s->range[i].hi < UINT32_MAX)
			assert(!imap_set_has(s, s->range[i].hi + 1));
	}
}

static void
check_line_end(struct span line)
{
	struct imap_literal l;

	if (imap_line_end(line, &l) != IMAP_LITERAL_FOLLOWS)
		return;
	assert(l.at + 3 <= line.n && l.size <= INT64_MAX);
	assert(line.p[l.at] == (l.binary ? '~' : '{'));
}

static int
take_one(unsigned what, struct span *in, struct buf *scratch,
    struct span *out)
{
	struct imap_set set = { .n = 0 };
	uint64_t n = 0;
	int64_t t = 0;
	bool nil;
	int zone, rc;

	switch (what % 11) {
	case 0:
		return imap_tag(in, out);
	case 1:
		return imap_atom(in, out);
	case 2:
		return imap_string(in, scratch, out);
	case 3:
		return imap_astring(in, scratch, out);
	case 4:
		return imap_nstring(in, scratch, out, &nil);
	case 5:
		return imap_list_mailbox(in, scratch, out);
	case 6:
		rc = imap_number(in, UINT32_MAX, &n);
		assert(n <= UINT32_MAX);
		return rc;
	case 7:
		if (imap_set(in, &set) == -1)
			return -1;
		check_set(&set, what < 128 ? UINT32_MAX : 7);
		imap_set_fini(&set);
		return 0;
	case 8:
		rc = imap_date_time(in, &t, &zone);
		assert(t > -70000000000 && t < 260000000000);
		return rc;
	case 9:
		return imap_date(in, &t);
	default:
		return imap_flag(in, out);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in, before, out, first = { NULL, 0 };
	struct buf scratch;
	unsigned what;

	check_line_end(span_of(data, size));
	buf_init(&scratch, IMAP_COMMAND_MAX);
	in = span_of(data, size);
	for (int i = 0; i < PIECES_MAX && in.n > 0; i++) {
		what = (unsigned char)in.p[0];
		span_take(&in, 1);
		before = in;
		out = SPAN_NONE;
		if (take_one(what, &in, &scratch, &out) == -1) {
			assert(in.p == before.p && in.n == before.n);
			assert(out.n == 0);
			continue;
		}
		assert(span_ends(before, in));
		assert(out.n <= before.n - in.n && !span_has(out, '\0'));
		/* The first unescaped string has not moved. */
		if (scratch.n > 0 && first.p == NULL)
			first = buf_get(&scratch);
		assert(first.p == NULL || first.p == scratch.p);
	}
	buf_fini(&scratch);
	return 0;
}
