/*
 * buf: where all bounds arithmetic of writers lives. Invariants: n <= max;
 * n < cap once memory is there (a byte more than max may be allocated, for
 * the terminator of buf_cstr); bad, once set, stays until buf_clear, and
 * nothing is appended meanwhile.
 */
#include "lib/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/chars.h"
#include "lib/die.h"

enum { BUF_FIRST = 128 };

void
buf_init(struct buf *b, size_t max)
{
	assert(max < SIZE_MAX);
	*b = (struct buf){ .max = max };
}

void
buf_fini(struct buf *b)
{
	free(b->p);
	buf_init(b, b->max);
}

void
buf_clear(struct buf *b)
{
	b->n = 0;
	b->bad = false;
}

void
buf_trim(struct buf *b)
{
	if (b->n == 0) {
		free(b->p);
		b->p = NULL;
		b->cap = 0;
	} else if (b->cap > b->n + 1) {
		b->cap = b->n + 1;
		b->p = xreallocarray(b->p, b->cap, 1);
	}
}

/* Is there room already? cap is at most max + 1. */
static inline bool
fits(const struct buf *b, size_t n)
{
	return !b->bad && n < b->cap - b->n;
}

/* Memory for n more bytes and a terminator; false and bad if over max. */
static bool
grow(struct buf *b, size_t n)
{
	size_t need, cap;

	if (fits(b, n))
		return true;
	if (b->bad || n > b->max - b->n) {
		b->bad = true;
		return false;
	}
	need = b->n + n + 1; /* max < SIZE_MAX: fits */
	cap = b->cap == 0 ? BUF_FIRST : b->cap;
	while (cap < need)
		cap = cap > SIZE_MAX / 2 ? need : cap * 2;
	if (cap > b->max + 1)
		cap = b->max + 1;
	b->p = xreallocarray(b->p, cap, 1);
	b->cap = cap;
	return true;
}

void
buf_bytes(struct buf *b, const void *p, size_t n)
{
	if ((!fits(b, n) && !grow(b, n)) || n == 0)
		return;
	memcpy(b->p + b->n, p, n);
	b->n += n;
}

void
buf_span(struct buf *b, struct span s)
{
	buf_bytes(b, s.p, s.n);
}

void
buf_str(struct buf *b, const char *s)
{
	buf_bytes(b, s, strlen(s));
}

void
buf_char(struct buf *b, char c)
{
	if (fits(b, 1) || grow(b, 1))
		b->p[b->n++] = c;
}

void
buf_lower(struct buf *b, struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		buf_char(b, char_lower(s.p[i]));
}

void
buf_num(struct buf *b, uint64_t v)
{
	char digits[20]; /* 2^64 has 20 */
	size_t i = sizeof(digits);

	do {
		digits[--i] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	buf_bytes(b, digits + i, sizeof(digits) - i);
}

void
buf_hex(struct buf *b, uint64_t v, unsigned digits)
{
	assert(digits <= 16);
	while (digits > 0) {
		digits--;
		buf_char(b, "0123456789abcdef"[v >> (4 * digits) & 15]);
	}
}

void
buf_utf8(struct buf *b, uint32_t cp)
{
	static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	char c[4];
	size_t n, i;

	if (cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
		cp = 0xfffd;
	n = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
	for (i = n - 1; i > 0; i--, cp >>= 6)
		c[i] = (char)(unsigned char)(0x80 | (cp & 0x3f));
	c[0] = (char)(unsigned char)(lead[n] | cp);
	buf_bytes(b, c, n);
}

void
buf_fmt(struct buf *b, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(text))
		b->bad = true;
	else
		buf_bytes(b, text, (size_t)n);
}

void
buf_safe(struct buf *b, struct span s)
{
	uint32_t cp;
	size_t n;

	while (s.n > 0) {
		n = utf8_decode(s, &cp);
		/* U+0080..9F are controls, too: terminals obey them. */
		if (n == 0 || cp < 0x20 || (cp >= 0x7f && cp <= 0x9f)) {
			buf_char(b, '?');
			span_take(&s, n == 0 ? 1 : n);
		} else {
			buf_span(b, span_take(&s, n));
		}
	}
}

char *
buf_room(struct buf *b, size_t n)
{
	return grow(b, n) ? b->p + b->n : NULL;
}

void
buf_grew(struct buf *b, size_t n)
{
	assert(n == 0 || (b->n < b->cap && n < b->cap - b->n));
	b->n += n;
}

void
buf_patch(struct buf *b, size_t at, struct span s)
{
	assert(at <= b->n && s.n <= b->n - at);
	if (s.n > 0)
		memcpy(b->p + at, s.p, s.n);
}

void
buf_drop(struct buf *b, size_t n)
{
	if (n >= b->n) {
		b->n = 0;
		return;
	}
	if (n == 0)
		return;
	b->n -= n;
	memmove(b->p, b->p + n, b->n);
}

struct span
buf_get(const struct buf *b)
{
	return b->n == 0 ? SPAN_NONE : (struct span){ b->p, b->n };
}

const char *
buf_cstr(struct buf *b)
{
	if (!grow(b, 0) || span_has(buf_get(b), '\0'))
		return NULL;
	b->p[b->n] = '\0';
	return b->p;
}
