/*
 * span: all reading of borrowed bytes. A span of no bytes may hold any
 * pointer, NULL too, which is why no memcmp() here sees an empty one.
 */
#include "lib/span.h"

#include <string.h>

#include "lib/chars.h"
#include "lib/die.h"

struct span
span_str(const char *s)
{
	return s == NULL ? SPAN_NONE : (struct span){ s, strlen(s) };
}

bool
span_eq(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool
span_ieq(struct span a, struct span b)
{
	size_t i;

	if (a.n != b.n)
		return false;
	for (i = 0; i < a.n; i++)
		if (char_lower(a.p[i]) != char_lower(b.p[i]))
			return false;
	return true;
}

bool
span_starts(struct span s, struct span prefix)
{
	return s.n >= prefix.n && span_eq(span_slice(s, 0, prefix.n), prefix);
}

bool
span_istarts(struct span s, struct span prefix)
{
	return s.n >= prefix.n && span_ieq(span_slice(s, 0, prefix.n), prefix);
}

bool
span_ends(struct span s, struct span suffix)
{
	return s.n >= suffix.n &&
	    span_eq(span_slice(s, s.n - suffix.n, s.n), suffix);
}

int
span_cmp(struct span a, struct span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int r = n == 0 ? 0 : memcmp(a.p, b.p, n);

	if (r != 0)
		return r;
	return (a.n > b.n) - (a.n < b.n);
}

bool
span_has(struct span s, char c)
{
	return span_find(s, c) < s.n;
}

size_t
span_find(struct span s, char c)
{
	const char *p = s.n == 0 ? NULL : memchr(s.p, c, s.n);

	return p == NULL ? s.n : (size_t)(p - s.p);
}

size_t
span_line_length(struct span s)
{
	size_t n = span_find(s, '\n');

	return n < s.n ? n + 1 : n;
}

size_t
span_rfind(struct span s, char c)
{
	size_t i;

	for (i = s.n; i > 0; i--)
		if (s.p[i - 1] == c)
			return i - 1;
	return s.n;
}

struct span
span_trim(struct span s)
{
	while (s.n > 0 && char_is(s.p[0], CH_BLANK))
		span_take(&s, 1);
	while (s.n > 0 && char_is(s.p[s.n - 1], CH_BLANK))
		s.n--;
	return s;
}

struct span
span_word(struct span *s)
{
	struct span word;
	size_t n = 0;

	*s = span_trim(*s);
	while (n < s->n && !char_is(s->p[n], CH_BLANK))
		n++;
	word = span_take(s, n);
	*s = span_trim(*s);
	return word;
}

struct span
span_cut(struct span *s, char c)
{
	struct span front = span_take(s, span_find(*s, c));

	span_take(s, 1);
	return front;
}

struct span
span_line(struct span *s)
{
	bool ended = span_has(*s, '\n');
	struct span line = span_cut(s, '\n');

	if (ended && line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

int
span_num(struct span s, uint64_t min, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;
	size_t i;

	if (s.n == 0)
		return -1;
	for (i = 0; i < s.n; i++) {
		if (!char_is(s.p[i], CH_DIGIT))
			return -1;
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
			return -1;
	}
	if (v < min || v > max)
		return -1;
	*out = v;
	return 0;
}

char *
span_dup(struct span s)
{
	char *p;

	if (span_has(s, '\0'))
		return NULL;
	p = xmalloc(s.n + 1);
	if (s.n > 0)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return p;
}

int
span_copy(char *dst, size_t size, struct span s)
{
	if (s.n >= size || span_has(s, '\0')) {
		if (size > 0)
			dst[0] = '\0';
		return -1;
	}
	if (s.n > 0)
		memmove(dst, s.p, s.n);
	dst[s.n] = '\0';
	return 0;
}
