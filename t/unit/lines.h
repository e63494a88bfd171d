/*
 * lines: what a reader of a map's text makes of lines, and what it says of
 * those that are none, as tables.
 */
#ifndef T_UNIT_LINES_H
#define T_UNIT_LINES_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/buf.h"
#include "t/unit/tap.h"

struct good_case {
	const char *name, *text, *rows; /* as lines_fn writes them */
};

struct bad_case {
	const char *name, *text, *says;
};

/* Reads text, appends the rows to out and complaints to err. */
typedef int lines_fn(struct span text, struct buf *out, struct buf *err);

/* A map_row_fn for it: "key=value;" */
static inline int
lines_row(void *arg, struct span key, struct span value, size_t line)
{
	struct buf *out = arg;

	(void)line;
	buf_span(out, key);
	buf_char(out, '=');
	buf_span(out, value);
	buf_char(out, ';');
	return 0;
}

static inline bool
contains(struct buf *b, const char *what)
{
	return b->n != 0 && strstr(buf_cstr(b), what) != NULL;
}

static inline void
lines_good(lines_fn *read, const struct good_case *c, size_t n)
{
	struct buf out, err;

	buf_init(&out, 65536);
	buf_init(&err, 65536);
	for (; n > 0; n--, c++) {
		int rc;

		buf_clear(&out);
		buf_clear(&err);
		rc = read(span_str(c->text), &out, &err);
		if (!ok(rc == 0 && span_eq(buf_get(&out), span_str(c->rows)),
			c->name))
			printf("# %.*s %.*s\n", SPAN_FMT(buf_get(&out)),
			    SPAN_FMT(buf_get(&err)));
	}
	buf_fini(&out);
	buf_fini(&err);
}

/* Each complaint tells the remedy behind a semicolon. */
static inline void
lines_bad(lines_fn *read, const struct bad_case *c, size_t n)
{
	struct buf out, err;

	buf_init(&out, 65536);
	buf_init(&err, 65536);
	for (; n > 0; n--, c++) {
		int rc;

		buf_clear(&out);
		buf_clear(&err);
		rc = read(span_str(c->text), &out, &err);
		if (!ok(rc == -1 && contains(&err, c->says) &&
			    contains(&err, "; "),
			c->name))
			printf("# %.*s\n", SPAN_FMT(buf_get(&err)));
	}
	buf_fini(&out);
	buf_fini(&err);
}

#endif
