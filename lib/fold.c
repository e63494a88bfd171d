/*
 * fold: a letter is folded, then taken apart, and the pieces likewise; the
 * tables (lib/fold_table.c) end that after a few steps.
 */
#include "lib/fold.h"

#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/chars.h"
#include "lib/fold_table.h"

static int
by_range(const void *key, const void *row)
{
	uint32_t cp = *(const uint32_t *)key;
	const struct fold_range *r = row;

	return cp < r->from ? -1 : cp > r->to;
}

static int
by_letter(const void *key, const void *row)
{
	uint32_t cp = *(const uint32_t *)key;
	const struct fold_pair *p = row;

	return cp < p->letter ? -1 : cp > p->letter;
}

static uint32_t
lower(uint32_t cp)
{
	const struct fold_range *r;

	r = bsearch(&cp, fold_ranges, FOLD_RANGES, sizeof(*r), by_range);
	if (r != NULL && (cp - r->from) % r->every == 0)
		cp = (uint32_t)((int32_t)cp + r->add);
	return cp < 0x80 ? (uint32_t)(unsigned char)char_lower((char)cp) : cp;
}

/* RFC 5051 2 asks for NFKD: of Hangul, by the Unicode Standard's 3.12. */
static bool
put_hangul(uint32_t cp, struct buf *out)
{
	uint32_t i = cp - 0xac00;

	if (cp < 0xac00 || cp > 0xd7a3)
		return false;
	buf_utf8(out, 0x1100 + i / 588);
	buf_utf8(out, 0x1161 + i % 588 / 28);
	if (i % 28 != 0)
		buf_utf8(out, 0x11a7 + i % 28);
	return true;
}

static void
put(uint32_t cp, struct buf *out)
{
	const struct fold_pair *p;

	cp = lower(cp);
	p = bsearch(&cp, fold_pairs, FOLD_PAIRS, sizeof(*p), by_letter);
	if (p == NULL) {
		if (!put_hangul(cp, out))
			buf_utf8(out, cp);
		return;
	}
	put(p->base, out);
	if (p->mark != 0)
		put(p->mark, out);
}

/*
 * Latin, Greek, Cyrillic, Hebrew are remembered once they were met: the
 * searches in the tables cost more than all the rest.
 */
static void
put_often(uint32_t cp, struct buf *out)
{
	static struct {
		char n, bytes[7];
	} met[0x600];
	size_t from = out->n;

	if (cp >= nitems(met)) {
		put(cp, out);
	} else if (met[cp].n > 0) {
		buf_bytes(out, met[cp].bytes, (size_t)met[cp].n);
	} else {
		put(cp, out);
		if (!out->bad && out->n - from <= sizeof(met[cp].bytes)) {
			met[cp].n = (char)(out->n - from);
			memcpy(met[cp].bytes, out->p + from, out->n - from);
		}
	}
}

void
fold_utf8(struct span s, struct buf *out)
{
	uint32_t cp;
	size_t n, i;
	char *room;

	while (s.n > 0) {
		for (n = 0; n < s.n && (s.p[n] & 0x80) == 0; n++)
			;
		if (n > 0 && (room = buf_room(out, n)) != NULL) {
			for (i = 0; i < n; i++)
				room[i] = char_lower(s.p[i]);
			buf_grew(out, n);
		}
		span_take(&s, n);
		if (s.n == 0)
			break;
		n = utf8_decode(s, &cp);
		if (n == 0)
			buf_char(out, s.p[0]);
		else
			put_often(cp, out);
		span_take(&s, n == 0 ? 1 : n);
	}
}
