/*
 * span: borrowed bytes. Any bytes, even NUL; never freed, never terminated.
 * Parsers take a span and give back spans into it.
 */
#ifndef LIB_SPAN_H
#define LIB_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct span {
	const char *p;
	size_t n;
};

#define SPAN(lit) ((struct span){ "" lit, sizeof(lit) - 1 })
#define SPAN_NONE ((struct span){ "", 0 })
/* For printf-like calls: "%.*s", SPAN_FMT(s). Never for text of strangers. */
#define SPAN_FMT(s) (int)(s).n, (s).p

#define nitems(a) (sizeof(a) / sizeof((a)[0]))

static inline struct span
span_of(const void *p, size_t n)
{
	return (struct span){ p, n };
}

struct span span_str(const char *s); /* up to the terminator; NULL is empty */

bool span_eq(struct span a, struct span b);
bool span_ieq(struct span a, struct span b); /* ASCII case folded */
bool span_starts(struct span s, struct span prefix);
bool span_istarts(struct span s, struct span prefix);
bool span_ends(struct span s, struct span suffix);
int span_cmp(struct span a, struct span b); /* bytewise, as memcmp */
bool span_has(struct span s, char c);

/* Index of the first (last) c in s, or s.n. */
size_t span_find(struct span s, char c);
size_t span_rfind(struct span s, char c);
/* Length of the line in front, its LF included, if it has one. */
size_t span_line_length(struct span s);

/* The bytes [from, to) of s; both are clamped to s. */
static inline struct span
span_slice(struct span s, size_t from, size_t to)
{
	if (to > s.n)
		to = s.n;
	if (from > to)
		from = to;
	return (struct span){ from == 0 ? s.p : s.p + from, to - from };
}

/* Drops n bytes from the front of *s (clamped) and returns them. */
static inline struct span
span_take(struct span *s, size_t n)
{
	struct span front = span_slice(*s, 0, n);

	*s = span_slice(*s, front.n, s->n);
	return front;
}

/* Drops spaces and tabs at both ends. */
struct span span_trim(struct span s);
/* Takes the next word (no space or tab in it) off *s, and the blanks around. */
struct span span_word(struct span *s);
/*
 * Splits *s at the first c: returns what stands before it and leaves what
 * stands after. Without c returns all and leaves *s empty.
 */
struct span span_cut(struct span *s, char c);
/* Takes the next line off *s, without its LF or CR LF. */
struct span span_line(struct span *s);

/*
 * The whole of s as a decimal number in [min, max]; no sign, no blanks.
 * 0, or -1 with *out untouched: empty, other bytes, out of range, overflow.
 */
int span_num(struct span s, uint64_t min, uint64_t max, uint64_t *out);

/* A terminated heap copy (NULL if s holds a NUL byte). Caller frees. */
char *span_dup(struct span s);
/*
 * Copies s and a terminator into dst. 0, or -1 with dst made empty: s does
 * not fit, or holds a NUL byte.
 */
int span_copy(char *dst, size_t size, struct span s);

#endif
