/*
 * chars: the table is computed by the compiler from the rules below, so that
 * each class reads like its RFC.
 */
#include "lib/chars.h"

#define IN(c, lo, hi) ((c) >= (lo) && (c) <= (hi))
#define IS_DIGIT(c) IN(c, '0', '9')
#define IS_ALPHA(c) (IN(c, 'A', 'Z') || IN(c, 'a', 'z'))
#define IS_HEX(c) (IS_DIGIT(c) || IN(c, 'A', 'F') || IN(c, 'a', 'f'))
#define IS_PRINT(c) IN(c, 32, 126)
#define IS_ATEXT(c)                                                       \
	(IS_ALPHA(c) || IS_DIGIT(c) || (c) == '!' || IN(c, '#', '\'') ||  \
	    (c) == '*' || (c) == '+' || (c) == '-' || (c) == '/' ||       \
	    (c) == '=' || (c) == '?' || IN(c, '^', '`') || IN(c, '{', '~'))

#define ONE(c)                                                            \
	(uint16_t)((IS_ALPHA(c) ? CH_ALPHA : 0) |                         \
	    (IS_DIGIT(c) ? CH_DIGIT : 0) | (IS_HEX(c) ? CH_HEX : 0) |     \
	    ((c) == ' ' || (c) == '\t' ? CH_BLANK : 0) |                  \
	    (IS_PRINT(c) ? CH_PRINT : 0) |                                \
	    (IN(c, 33, 126) ? CH_GRAPH : 0) |                             \
	    (IS_ATEXT(c) ? CH_ATEXT : 0) |                                \
	    (IS_PRINT(c) && (c) != '"' && (c) != '\\' ? CH_QTEXT : 0) |   \
	    (IN(c, 33, 90) || IN(c, 94, 126) ? CH_DTEXT : 0) |            \
	    (IN(c, 33, 126) && (c) != ':' ? CH_FTEXT : 0) |               \
	    (IS_ALPHA(c) || IS_DIGIT(c) || (c) == '+' || (c) == '/' ?     \
	            CH_BASE64 : 0) |                                      \
	    ((c) < 32 || (c) == 127 ? CH_CTL : 0) |                       \
	    ((c) == ' ' || (c) == '\t' || (c) == '\r' || (c) == '\n' ?    \
	            CH_FWS : 0))
#define FOUR(c) ONE(c), ONE((c) + 1), ONE((c) + 2), ONE((c) + 3)
#define SIXTEEN(c) FOUR(c), FOUR((c) + 4), FOUR((c) + 8), FOUR((c) + 12)
#define SIXTY_FOUR(c)                                                     \
	SIXTEEN(c), SIXTEEN((c) + 16), SIXTEEN((c) + 32), SIXTEEN((c) + 48)

const uint16_t chars_table[256] = {
	SIXTY_FOUR(0), SIXTY_FOUR(64), SIXTY_FOUR(128), SIXTY_FOUR(192),
};

int
char_hex(char c)
{
	if (char_is(c, CH_DIGIT))
		return c - '0';
	if (char_is(c, CH_HEX))
		return char_lower(c) - 'a' + 10;
	return -1;
}

bool
chars_all(struct span s, unsigned classes)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (!char_is(s.p[i], classes))
			return false;
	return true;
}

/*
 * RFC 3629 4, UTF8-octets: the first byte fixes the length and the bounds of
 * the second byte; all later ones are 80..BF.
 */
static const struct lead {
	unsigned char from, to, lo, hi, len;
} leads[] = {
	{ 0x00, 0x7f, 0, 0, 1 },
	{ 0xc2, 0xdf, 0x80, 0xbf, 2 },
	{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
	{ 0xe1, 0xec, 0x80, 0xbf, 3 },
	{ 0xed, 0xed, 0x80, 0x9f, 3 }, /* no surrogates */
	{ 0xee, 0xef, 0x80, 0xbf, 3 },
	{ 0xf0, 0xf0, 0x90, 0xbf, 4 },
	{ 0xf1, 0xf3, 0x80, 0xbf, 4 },
	{ 0xf4, 0xf4, 0x80, 0x8f, 4 }, /* up to U+10FFFF */
};

size_t
utf8_decode(struct span s, uint32_t *cp)
{
	static const unsigned char mask[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	const struct lead *l;
	unsigned char c;
	uint32_t v;
	size_t i;

	if (s.n == 0)
		return 0;
	c = (unsigned char)s.p[0];
	for (l = leads; l < leads + nitems(leads); l++)
		if (c >= l->from && c <= l->to)
			break;
	if (l == leads + nitems(leads) || s.n < l->len)
		return 0;
	v = c & mask[l->len];
	for (i = 1; i < l->len; i++) {
		c = (unsigned char)s.p[i];
		if (c < (i == 1 ? l->lo : 0x80) || c > (i == 1 ? l->hi : 0xbf))
			return 0;
		v = v << 6 | (c & 0x3f);
	}
	*cp = v;
	return l->len;
}

size_t
utf8_char(struct span s)
{
	uint32_t cp;

	return utf8_decode(s, &cp);
}

bool
utf8_ok(struct span s)
{
	size_t n;

	while (s.n > 0) {
		if ((n = utf8_char(s)) == 0)
			return false;
		span_take(&s, n);
	}
	return true;
}
