/*
 * buf: owned bytes, bounded from birth. Writers append and ask once, at the
 * end, whether all of it fitted: b.bad is sticky.
 */
#ifndef LIB_BUF_H
#define LIB_BUF_H

#include "lib/span.h"

struct buf {
	char *p;
	size_t n;   /* bytes used */
	size_t cap; /* bytes allocated */
	size_t max; /* bytes it may ever hold */
	bool bad;   /* sticky: something did not fit */
};

/* In place, empty, allocates nothing until the first byte. */
void buf_init(struct buf *b, size_t max);
void buf_fini(struct buf *b);  /* frees; b is empty and usable again */
void buf_clear(struct buf *b); /* forgets bytes and bad; keeps the memory */
/* Gives memory back if empty, else shrinks it to what is used. */
void buf_trim(struct buf *b);

void buf_bytes(struct buf *b, const void *p, size_t n);
void buf_span(struct buf *b, struct span s);
void buf_str(struct buf *b, const char *s);
void buf_char(struct buf *b, char c);
void buf_lower(struct buf *b, struct span s); /* ASCII */
void buf_num(struct buf *b, uint64_t v);
void buf_hex(struct buf *b, uint64_t v, unsigned digits);
/* A code point as UTF-8; one that is none (a surrogate): U+FFFD. */
void buf_utf8(struct buf *b, uint32_t cp);
/* printf, for trusted formats and short text. */
void buf_fmt(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/*
 * Text of strangers made harmless for headers, logs and terminals: printable
 * ASCII and valid UTF-8 stay, every other byte becomes '?'.
 */
void buf_safe(struct buf *b, struct span s);

/*
 * Room for at least n more bytes to be written directly (read(2) into it);
 * NULL and bad if they do not fit. buf_grew() then says how many came.
 */
char *buf_room(struct buf *b, size_t n);
void buf_grew(struct buf *b, size_t n);
/* Writes over bytes that are there. */
void buf_patch(struct buf *b, size_t at, struct span s);
/* Drops n bytes from the front. */
void buf_drop(struct buf *b, size_t n);

struct span buf_get(const struct buf *b); /* borrowed until the next call */
/* Terminated view, for system calls; NULL if bad or a NUL byte is inside. */
const char *buf_cstr(struct buf *b);

#endif
