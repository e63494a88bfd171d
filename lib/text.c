/*
 * text: the administrator's text files, line by line.
 */
#include "lib/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/chars.h"
#include "lib/die.h"
#include "lib/hash.h"
#include "lib/limits.h"

struct text_seen_row {
	char *key; /* NULL: empty row */
	size_t n, line;
};

static int
load_fail(const char *path, const char *what, struct buf *err)
{
	buf_safe(err, span_str(path));
	buf_fmt(err, ": %s\n", what);
	return -1;
}

int
text_load(const char *path, size_t max, struct buf *out, struct buf *err)
{
	struct stat st;
	ssize_t got = 1;
	char *room;
	int rc = -1, fd;

	buf_init(out, max);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd == -1 || fstat(fd, &st) == -1) {
		rc = load_fail(path, strerror(errno), err);
		goto out;
	}
	if (!S_ISREG(st.st_mode)) {
		rc = load_fail(path, "not a plain file; put one here", err);
		goto out;
	}
	while (got > 0) {
		/* A file that grows meanwhile is just read further. */
		if ((room = buf_room(out, 65536)) == NULL) {
			rc = load_fail(path, "too large for a map", err);
			goto out;
		}
		got = read(fd, room, 65536);
		if (got > 0)
			buf_grew(out, (size_t)got);
		else if (got == -1 && errno == EINTR)
			got = 1;
	}
	rc = got == -1 ? load_fail(path, strerror(errno), err) : 0;
out:
	fd_close(&fd);
	return rc;
}

void
text_init(struct text *t, struct span in, const char *name, bool fold,
    struct buf *err)
{
	*t = (struct text){ .rest = in, .name = name, .fold = fold, .err = err };
	buf_init(&t->mem, TEXT_LINE_MAX);
}

void
text_fini(struct text *t)
{
	buf_fini(&t->mem);
}

static bool
is_comment(struct span line)
{
	line = span_trim(line);
	return line.n == 0 || line.p[0] == '#';
}

/* Appends the continuation lines of a folded line. */
static void
unfold(struct text *t)
{
	struct span line;

	while (t->rest.n != 0 && char_is(t->rest.p[0], CH_BLANK)) {
		t->next++;
		line = span_line(&t->rest);
		if (is_comment(line))
			continue;
		buf_char(&t->mem, ' ');
		buf_span(&t->mem, span_trim(line));
	}
}

bool
text_next(struct text *t, struct span *line)
{
	struct span got;
	bool blank;

	while (t->rest.n != 0) {
		t->line = ++t->next;
		blank = char_is(t->rest.p[0], CH_BLANK);
		got = span_line(&t->rest);
		if (is_comment(got))
			continue;
		if (t->fold && blank) {
			text_complain(t, "a blank begins the line, but there "
			    "is none to continue; remove the blank");
			continue;
		}
		buf_clear(&t->mem);
		buf_span(&t->mem, span_trim(got));
		if (t->fold)
			unfold(t);
		if (t->mem.bad)
			text_complain(t, "longer than %d bytes; split it",
			    TEXT_LINE_MAX);
		else if (span_has(buf_get(&t->mem), '\0'))
			text_complain(t, "a NUL byte is in it; remove it");
		else {
			*line = buf_get(&t->mem);
			return true;
		}
	}
	return false;
}

void
text_complain(struct text *t, const char *fmt, ...)
{
	char what[512];
	va_list ap;

	t->problems++;
	if (t->problems == TEXT_PROBLEMS_MAX) {
		buf_safe(t->err, span_str(t->name));
		buf_str(t->err, ": more problems follow; mend these first\n");
	}
	if (t->problems >= TEXT_PROBLEMS_MAX)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	buf_safe(t->err, span_str(t->name));
	buf_fmt(t->err, ":%zu: ", t->line);
	buf_safe(t->err, span_str(what));
	buf_char(t->err, '\n');
}

static void
seen_grow(struct text_seen *s)
{
	struct text_seen old = *s;
	size_t at;

	s->cap = old.cap == 0 ? 64 : old.cap * 2;
	s->row = xcalloc(s->cap, sizeof(*s->row));
	for (size_t i = 0; i < old.cap; i++) {
		if (old.row[i].key == NULL)
			continue;
		at = hash_keyed(span_of(old.row[i].key, old.row[i].n)) &
		    (s->cap - 1);
		while (s->row[at].key != NULL)
			at = (at + 1) & (s->cap - 1);
		s->row[at] = old.row[i];
	}
	free(old.row);
}

size_t
text_seen_add(struct text_seen *s, struct span key, size_t line)
{
	size_t at;

	if (s->n >= s->cap / 2)
		seen_grow(s);
	at = hash_keyed(key) & (s->cap - 1);
	while (s->row[at].key != NULL) {
		if (span_eq(span_of(s->row[at].key, s->row[at].n), key))
			return s->row[at].line;
		at = (at + 1) & (s->cap - 1);
	}
	s->row[at] = (struct text_seen_row){ xmalloc(key.n + 1), key.n, line };
	if (key.n != 0)
		memcpy(s->row[at].key, key.p, key.n);
	s->n++;
	return 0;
}

bool
text_seen_has(const struct text_seen *s, struct span key)
{
	size_t at;

	if (s->cap == 0)
		return false;
	at = hash_keyed(key) & (s->cap - 1);
	for (; s->row[at].key != NULL; at = (at + 1) & (s->cap - 1))
		if (span_eq(span_of(s->row[at].key, s->row[at].n), key))
			return true;
	return false;
}

void
text_seen_each(const struct text_seen *s, void (*fn)(struct span, void *),
    void *arg)
{
	for (size_t i = 0; i < s->cap; i++)
		if (s->row[i].key != NULL)
			fn(span_of(s->row[i].key, s->row[i].n), arg);
}

void
text_seen_fini(struct text_seen *s)
{
	for (size_t i = 0; i < s->cap; i++)
		free(s->row[i].key);
	free(s->row);
	*s = (struct text_seen){ 0 };
}
