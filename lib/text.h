/*
 * text: the administrator's text files that become maps: read whole, taken
 * apart line by line; every problem is reported as "FILE:LINE: reason;
 * remedy".
 */
#ifndef LIB_TEXT_H
#define LIB_TEXT_H

#include "lib/buf.h"

/*
 * Reads all of a plain file (up to max bytes) into out. -1: err got a line
 * that says why.
 */
int text_load(const char *path, size_t max, struct buf *out, struct buf *err);

struct text {
	struct span rest;
	const char *name; /* of the file, for messages */
	size_t line;      /* number of the line just taken (its first) */
	size_t next;      /* lines consumed so far */
	bool fold;        /* a line that begins with a blank continues */
	struct buf mem;   /* a folded line */
	struct buf *err;
	size_t problems;
};

enum { TEXT_PROBLEMS_MAX = 100 }; /* then the rest is only counted */

void text_init(struct text *, struct span in, const char *name, bool fold,
    struct buf *err);
void text_fini(struct text *);
/*
 * Takes the next line that holds something: trimmed, no comment line ('#'
 * first). Lines with NUL bytes and those over TEXT_LINE_MAX are reported and
 * left out. Valid until the next call.
 */
bool text_next(struct text *, struct span *line);
/* About the current line. fmt: "reason; remedy". */
void text_complain(struct text *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Which keys have been seen, and where: for duplicates. */
struct text_seen {
	size_t n, cap;
	struct text_seen_row *row;
};

/* The line that had this key before, or 0 (and it is now remembered). */
size_t text_seen_add(struct text_seen *, struct span key, size_t line);
bool text_seen_has(const struct text_seen *, struct span key);
/* In no order. */
void text_seen_each(const struct text_seen *,
    void (*fn)(struct span key, void *arg), void *arg);
void text_seen_fini(struct text_seen *);

#endif
