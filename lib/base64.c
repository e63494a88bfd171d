/*
 * base64: whole groups of four only; the bits that padding leaves over must
 * be zero, so that bytes have exactly one text.
 */
#include "lib/base64.h"

#include "lib/chars.h"

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
base64_encode(struct buf *b, struct span s)
{
	struct span g;
	uint32_t v;
	size_t i;

	while (s.n > 0) {
		g = span_take(&s, 3);
		for (v = 0, i = 0; i < 3; i++)
			v = v << 8 | (i < g.n ? (unsigned char)g.p[i] : 0);
		for (i = 0; i < 4; i++)
			buf_char(b, i <= g.n ?
			        alphabet[v >> (18 - 6 * i) & 63] : '=');
	}
}

/* 0..63, or -1. */
static int
digit(char c)
{
	if (char_is(c, CH_DIGIT))
		return c - '0' + 52;
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* A group of four, pad of them "=": gives 3 - pad bytes. */
static int
group_decode(struct span g, size_t pad, struct buf *out)
{
	uint32_t v = 0;
	size_t i;
	int d;

	for (i = 0; i < 4; i++) {
		d = i < 4 - pad ? digit(g.p[i]) : 0;
		if (d == -1)
			return -1;
		v = v << 6 | (uint32_t)d;
	}
	if ((v & ((UINT32_C(1) << (8 * pad)) - 1)) != 0)
		return -1;
	for (i = 0; i < 3 - pad; i++)
		buf_char(out, (char)(unsigned char)(v >> (16 - 8 * i) & 0xff));
	return out->bad ? -1 : 0;
}

int
base64_decode(struct span s, struct buf *out)
{
	struct span g;
	size_t pad;

	if (s.n % 4 != 0)
		return -1;
	while (s.n > 0) {
		g = span_take(&s, 4);
		pad = 0;
		if (s.n == 0 && g.p[3] == '=')
			pad = g.p[2] == '=' ? 2 : 1;
		if (group_decode(g, pad, out) == -1)
			return -1;
	}
	return 0;
}
