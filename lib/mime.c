/*
 * mime: one walk from the first byte to the last. Invariants: m is at the
 * beginning of a line whenever a function below is entered or left; open[]
 * are the boundaries of the multiparts around the place; recursion is at most
 * MIME_DEPTH_MAX deep; end is where the content before m ends, that is, m
 * without the line end that belongs to a delimiter (RFC 2046 5.1.1).
 *
 * A delimiter is "--" and a boundary at the front of a line; what follows on
 * the line is passed over, as RFC 2046 5.1.1 asks. Where several open
 * boundaries fit, an exact fit is meant before a longer before a shorter.
 */
#include "lib/mime.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/chars.h"
#include "lib/die.h"
#include "lib/header.h"
#include "lib/limits.h"
#include "lib/mime_field.h"

enum { NO_LEVEL = -1 };

struct delimiter {
	int level; /* of open[], or NO_LEVEL: the message ends */
	bool close;
};

struct walk {
	struct span in;
	struct mime_mark m, end;
	struct buf open[MIME_DEPTH_MAX];
	size_t solid[MIME_DEPTH_MAX]; /* bytes of it before the last blanks */
	int levels;
	struct mime *out;
	struct mime_params params; /* scratch */
};

static const struct delimiter at_end = { NO_LEVEL, true };

/* Goes to byte `to`, counting. */
static void
advance(struct walk *w, uint64_t to)
{
	const char *base = w->in.p, *p = base + w->m.at, *lf;

	while (p < base + to &&
	    (lf = memchr(p, '\n', (size_t)(base + to - p))) != NULL) {
		w->m.lines++;
		w->m.bare += lf == base || lf[-1] != '\r';
		p = lf + 1;
	}
	w->m.at = to;
}

static struct span
rest(const struct walk *w)
{
	return span_slice(w->in, (size_t)w->m.at, w->in.n);
}

static struct span
without_end_blanks(struct span s)
{
	while (s.n > 0 &&
	    (char_is(s.p[s.n - 1], CH_BLANK) || s.p[s.n - 1] == '\n' ||
		s.p[s.n - 1] == '\r'))
		s.n--;
	return s;
}

/* Is this line ("--...", any end) a delimiter? */
static bool
match(const struct walk *w, struct span line, struct delimiter *d)
{
	struct span s, b, after;
	size_t best = 0;
	int i;

	s = without_end_blanks(span_slice(line, 2, line.n));
	for (i = w->levels - 1; i >= 0; i--) {
		b = span_slice(buf_get(&w->open[i]), 0, w->solid[i]);
		if (b.n <= best || !span_starts(s, b))
			continue;
		after = span_slice(s, b.n, s.n);
		if (b.n < w->open[i].n) /* it ends with blanks, "b --" */
			after = span_trim(after);
		best = b.n;
		d->level = i;
		d->close = span_starts(after, SPAN("--"));
		if (after.n == 0 || (after.n == 2 && d->close))
			break;
	}
	return best > 0;
}

static bool
is_delimiter(const struct walk *w, struct delimiter *d)
{
	struct span s = rest(w);

	return w->levels > 0 && s.n > 2 && s.p[0] == '-' && s.p[1] == '-' &&
	    match(w, span_slice(s, 0, span_line_length(s)), d);
}

/* Content that ends at m ends before the line end, but not before from. */
static void
mark_end(struct walk *w, const struct mime_mark *from)
{
	w->end = w->m;
	if (w->end.at <= from->at)
		return;
	w->end.at--;
	w->end.lines--;
	if (w->end.at > from->at && w->in.p[w->end.at - 1] == '\r')
		w->end.at--;
	else
		w->end.bare -= w->end.bare - from->bare > 0;
}

/*
 * Lines up to the next delimiter or the end. from: where the body began that
 * ends there.
 */
static struct delimiter
scan(struct walk *w, struct mime_mark from)
{
	const char *base = w->in.p, *limit = base + w->in.n, *p, *lf;
	struct delimiter d;

	for (p = base + w->m.at; p < limit; p = lf + 1) {
		lf = memchr(p, '\n', (size_t)(limit - p));
		if (w->levels > 0 && limit - p > 2 && p[0] == '-' &&
		    p[1] == '-') {
			w->m.at = (uint64_t)(p - base);
			if (is_delimiter(w, &d)) {
				mark_end(w, &from);
				return d;
			}
		}
		if (lf == NULL)
			break;
		w->m.lines++;
		w->m.bare += lf == base || lf[-1] != '\r';
	}
	w->m.at = w->in.n;
	w->end = w->m;
	return at_end;
}

static size_t
part_add(struct walk *w)
{
	struct mime *o = w->out;

	if (o->n == o->cap) {
		o->cap = o->cap == 0 ? 4 : o->cap * 2;
		o->part = xreallocarray(o->part, o->cap, sizeof(*o->part));
	}
	o->part[o->n] = (struct mime_part){ .mime = w->m, .body = w->m };
	return o->n++;
}

/* The first field of a name counts. */
static void
note_field(struct mime_part *p, const struct header_field *f)
{
	static const struct span names[MIME_FIELDS] = {
		[MIME_TYPE] = { "type", 4 },
		[MIME_ENCODING] = { "transfer-encoding", 17 },
		[MIME_ID] = { "id", 2 },
		[MIME_DESCRIPTION] = { "description", 11 },
		[MIME_DISPOSITION] = { "disposition", 11 },
		[MIME_LANGUAGE] = { "language", 8 },
		[MIME_LOCATION] = { "location", 8 },
		[MIME_MD5] = { "md5", 3 },
	};
	struct span name;
	size_t i;

	if (!span_istarts(f->name, SPAN("content-")))
		return;
	name = span_slice(f->name, 8, f->name.n);
	for (i = 0; i < MIME_FIELDS; i++)
		if (span_ieq(name, names[i]) && p->field[i].p == NULL)
			p->field[i] = f->value;
}

/*
 * A line of a letter's header that is no field ("From " of mbox, a mark of
 * byte order, a fold that lost its blank) is passed over if a field follows.
 * Otherwise it is the body, whose blank line is missing.
 */
static bool
is_stray(const struct walk *w, struct span line)
{
	struct span s = rest(w);
	struct header_field f;

	if (span_eq(line, SPAN("\n")) || span_eq(line, SPAN("\r\n")))
		return false;
	span_take(&s, line.n);
	return header_next(&s, &f);
}

/*
 * The header, and the blank line after it. true: a delimiter came instead of
 * a body.
 */
static bool
header(struct walk *w, size_t part, bool letter, struct delimiter *d)
{
	struct mime_part *p = &w->out->part[part];
	struct header_field f;
	struct span s, line;

	for (;;) {
		if (is_delimiter(w, d)) {
			p->body = w->end = w->m;
			return true;
		}
		s = rest(w);
		if (header_next(&s, &f)) {
			note_field(p, &f);
			advance(w, w->m.at + f.whole.n);
			continue;
		}
		line = span_slice(s, 0, span_line_length(s));
		if (!letter || !is_stray(w, line))
			break;
		advance(w, w->m.at + line.n);
	}
	if (span_eq(line, SPAN("\n")) || span_eq(line, SPAN("\r\n")))
		advance(w, w->m.at + line.n);
	p->body = w->m;
	return false;
}

static void
set_type(struct mime_part *p, struct span type, struct span subtype)
{
	p->type = type;
	p->subtype = subtype;
	p->params = SPAN_NONE;
}

/* RFC 2045 5.2; a part of a digest is a letter (RFC 2046 5.1.5). */
static void
read_type(struct mime_part *p, bool digest)
{
	struct span in = p->field[MIME_TYPE];

	if (in.p == NULL || mime_type(&in, &p->type, &p->subtype) == -1) {
		if (digest && p->field[MIME_TYPE].p == NULL)
			set_type(p, SPAN("message"), SPAN("rfc822"));
		else
			set_type(p, SPAN("text"), SPAN("plain"));
		return;
	}
	p->params = in;
	if (p->subtype.n > 0)
		return;
	if (span_ieq(p->type, SPAN("text")))
		p->subtype = SPAN("plain");
	else
		set_type(p, SPAN("application"), SPAN("octet-stream"));
}

/* Is there room for parts below this one? What has none is opaque. */
static enum mime_kind
kind(const struct walk *w, struct mime_part *p, int depth)
{
	enum mime_kind k = MIME_LEAF;

	if (span_ieq(p->type, SPAN("multipart")))
		k = MIME_MULTIPART;
	else if (span_ieq(p->type, SPAN("message")) &&
	    span_ieq(p->subtype, SPAN("rfc822")))
		k = MIME_MESSAGE;
	if (k != MIME_LEAF &&
	    (depth >= MIME_DEPTH_MAX || w->out->n >= MIME_PARTS_MAX)) {
		set_type(p, SPAN("application"), SPAN("octet-stream"));
		k = MIME_LEAF;
	}
	return k;
}

static struct delimiter entity(
    struct walk *, bool digest, bool letter, int depth);

/* The next level's boundary; false: the field has none. */
static bool
open_boundary(struct walk *w, const struct mime_part *p)
{
	struct buf *b = &w->open[w->levels];
	struct span s;
	size_t solid;

	mime_params_parse(&w->params, p->params);
	if (!mime_param_find(&w->params, SPAN("boundary"), &s) ||
	    (solid = without_end_blanks(s).n) == 0)
		return false;
	buf_clear(b);
	buf_span(b, s);
	w->solid[w->levels++] = solid;
	return true;
}

/*
 * Children up to the close delimiter or one of a multipart around this. Once
 * there are too many parts, what follows belongs to the last.
 */
static struct delimiter
children(struct walk *w, size_t part, struct delimiter d, int depth)
{
	bool digest = span_ieq(w->out->part[part].subtype, SPAN("digest"));
	int level = w->levels - 1;
	size_t last = part;

	while (d.level == level && !d.close) {
		advance(w, w->m.at + span_line_length(rest(w)));
		if (w->out->n < MIME_PARTS_MAX) {
			last = w->out->n;
			d = entity(w, digest, false, depth + 1);
		} else {
			d = scan(w, w->out->part[last].body);
			w->out->part[last].end = w->end;
		}
	}
	return d;
}

/* A multipart without a part in it is shown as the text that it is. */
static struct delimiter
multipart(struct walk *w, size_t part, int depth)
{
	struct mime_part *p = &w->out->part[part];
	struct delimiter d;
	int level = w->levels;

	if (!open_boundary(w, p)) {
		set_type(p, SPAN("text"), SPAN("plain"));
		return scan(w, p->body);
	}
	d = scan(w, p->body);
	if (d.level == level && !d.close) {
		p->kind = MIME_MULTIPART;
		d = children(w, part, d, depth);
	} else {
		set_type(p, SPAN("text"), SPAN("plain"));
	}
	w->levels = level;
	if (d.level == level) { /* the close delimiter, the epilogue */
		advance(w, w->m.at + span_line_length(rest(w)));
		d = scan(w, w->out->part[part].body);
	}
	return d;
}

/* One part, from its header to the delimiter after it. */
static struct delimiter
entity(struct walk *w, bool digest, bool letter, int depth)
{
	size_t part = part_add(w);
	struct mime_part *p = &w->out->part[part];
	struct delimiter d;
	bool over = header(w, part, letter, &d);
	enum mime_kind k;

	read_type(p, digest);
	k = kind(w, p, depth);
	if (k == MIME_MESSAGE) {
		p->kind = k;
		d = entity(w, false, true, depth + 1);
	} else if (over) {
		if (k == MIME_MULTIPART)
			set_type(p, SPAN("text"), SPAN("plain"));
	} else if (k == MIME_MULTIPART) {
		d = multipart(w, part, depth);
	} else {
		d = scan(w, p->body);
	}
	p = &w->out->part[part]; /* may have moved */
	p->end = w->end;
	p->next = w->out->n;
	return d;
}

void
mime_parse(struct span message, struct mime *out)
{
	struct walk w = { .in = message, .out = out };
	struct delimiter d;
	size_t i;

	*out = (struct mime){ .part = NULL };
	mime_params_init(&w.params);
	for (i = 0; i < nitems(w.open); i++)
		buf_init(&w.open[i], SIZE_MAX / 4);
	d = entity(&w, false, true, 0);
	assert(d.level == NO_LEVEL && w.m.at == message.n);
	for (i = 0; i < nitems(w.open); i++)
		buf_fini(&w.open[i]);
	mime_params_fini(&w.params);
}

void
mime_fini(struct mime *m)
{
	free(m->part);
	*m = (struct mime){ .part = NULL };
}
