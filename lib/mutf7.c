/*
 * mutf7: modified UTF-7: printable ASCII as it is, "&" as "&-", all else as
 * "&" base64 of UTF-16BE "-", with "," for "/" and no padding.
 *
 * Each name has one form only: no ASCII in base64, no empty or adjoining
 * shifts, no stray bits, surrogates in pairs. What is not that form is
 * refused, so that two spellings never are two names of one folder.
 */
#include "lib/mutf7.h"

#include <string.h>

#include "lib/chars.h"

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

static bool
is_direct(uint32_t c)
{
	return c >= 0x20 && c <= 0x7e;
}

static void
put_utf8(struct buf *b, uint32_t c)
{
	if (c < 0x80) {
		buf_char(b, (char)c);
	} else if (c < 0x800) {
		buf_char(b, (char)(0xc0 | c >> 6));
		buf_char(b, (char)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		buf_char(b, (char)(0xe0 | c >> 12));
		buf_char(b, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_char(b, (char)(0x80 | (c & 0x3f)));
	} else {
		buf_char(b, (char)(0xf0 | c >> 18));
		buf_char(b, (char)(0x80 | (c >> 12 & 0x3f)));
		buf_char(b, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_char(b, (char)(0x80 | (c & 0x3f)));
	}
}

/* One unit of UTF-16; *high: the first half of a pair, or 0. */
static int
unit(struct buf *b, uint32_t u, uint32_t *high)
{
	if (*high != 0) {
		if (u < 0xdc00 || u > 0xdfff)
			return -1;
		put_utf8(b, 0x10000 + ((*high - 0xd800) << 10) + (u - 0xdc00));
		*high = 0;
		return 0;
	}
	if (u >= 0xd800 && u <= 0xdbff) {
		*high = u;
		return 0;
	}
	if ((u >= 0xdc00 && u <= 0xdfff) || is_direct(u) || u == 0)
		return -1;
	put_utf8(b, u);
	return 0;
}

/* What stands between "&" and "-". */
static int
decode_shift(struct span s, struct buf *b)
{
	uint32_t bits = 0, high = 0;
	unsigned n = 0;
	const char *p;

	if (s.n == 0) {
		buf_char(b, '&');
		return 0;
	}
	for (size_t i = 0; i < s.n; i++) {
		p = s.p[i] == '\0' ? NULL : strchr(alphabet, s.p[i]);
		if (p == NULL)
			return -1;
		bits = bits << 6 | (uint32_t)(p - alphabet);
		n += 6;
		if (n < 16)
			continue;
		n -= 16;
		if (unit(b, bits >> n & 0xffff, &high) == -1)
			return -1;
		bits &= ((uint32_t)1 << n) - 1;
	}
	return high != 0 || n >= 6 || bits != 0 ? -1 : 0;
}

int
mutf7_decode(struct span in, struct buf *out)
{
	bool shifted = false; /* just now, so no other may follow */
	struct span inside;
	size_t end;
	char c;

	while (in.n > 0) {
		c = span_take(&in, 1).p[0];
		if (!is_direct((unsigned char)c))
			return -1;
		if (c != '&') {
			buf_char(out, c);
			shifted = false;
			continue;
		}
		end = span_find(in, '-');
		if (end == in.n || (shifted && end > 0))
			return -1;
		inside = span_take(&in, end);
		span_take(&in, 1);
		if (decode_shift(inside, out) == -1)
			return -1;
		shifted = inside.n > 0;
	}
	return out->bad ? -1 : 0;
}

struct shift {
	struct buf *out;
	uint32_t bits;
	unsigned n;
	bool open;
};

static void
shift_unit(struct shift *s, uint32_t u)
{
	if (!s->open)
		buf_char(s->out, '&');
	s->open = true;
	s->bits = s->bits << 16 | u;
	s->n += 16;
	while (s->n >= 6) {
		s->n -= 6;
		buf_char(s->out, alphabet[s->bits >> s->n & 63]);
	}
	s->bits &= ((uint32_t)1 << s->n) - 1;
}

static void
shift_end(struct shift *s)
{
	if (!s->open)
		return;
	if (s->n > 0)
		buf_char(s->out, alphabet[s->bits << (6 - s->n) & 63]);
	buf_char(s->out, '-');
	s->open = false;
	s->n = 0;
	s->bits = 0;
}

int
mutf7_encode(struct span in, struct buf *out)
{
	struct shift s = { .out = out };
	uint32_t c;
	size_t n;

	while (in.n > 0) {
		n = utf8_decode(in, &c);
		if (n == 0 || c == 0)
			return -1;
		span_take(&in, n);
		if (is_direct(c)) {
			shift_end(&s);
			buf_char(out, (char)c);
			if (c == '&')
				buf_char(out, '-');
		} else if (c < 0x10000) {
			shift_unit(&s, c);
		} else {
			shift_unit(&s, 0xd800 + ((c - 0x10000) >> 10));
			shift_unit(&s, 0xdc00 + ((c - 0x10000) & 0x3ff));
		}
	}
	shift_end(&s);
	return out->bad ? -1 : 0;
}
