/*
 * text: from a file with LF lines to literals with CR LF.
 *
 * - a literal's size is counted before it is said, never believed from
 *   elsewhere: small stretches are made ready in memory, large ones are read
 *   twice, the second time from the page cache
 * - a file that shrinks meanwhile (nobody should do that) is filled up with
 *   blanks: the size was promised
 */
#include "imapd/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "imapd/session.h"
#include "lib/die.h"
#include "lib/log.h"
#include "lib/mailbox.h"

enum {
	WINDOW = 128 * 1024,
	SMALL = 48 * 1024, /* made ready in memory */
	TEXT_PIECE_MAX = 16 * 1024 * 1024,
};

/* A place in a range: so many octets are before this byte of the file. */
struct place {
	uint64_t octets, at;
};

struct text {
	uint32_t uid;
	int fd;
	bool end_known;
	uint64_t end;
	/* the window */
	char *bytes;
	size_t n, cap;
	uint64_t at;
	/* where reading stood */
	struct text_range range;
	struct place place;
	bool total_known;
	uint64_t total; /* octets of range */
};

/* --- the file ------------------------------------------------------------- */

static void
file_close(struct text *t)
{
	fd_close(&t->fd);
	t->uid = 0;
	t->end_known = t->total_known = false;
	t->n = 0;
	t->range = (struct text_range){ 0, 0 };
}

int
text_open(struct session *s, uint32_t seq)
{
	uint32_t uid = mailbox_msg(s->box, seq)->uid;
	struct text *t = s->text;

	if (t == NULL) {
		t = s->text = xcalloc(1, sizeof(*t));
		t->fd = -1;
	}
	if (t->uid == uid)
		return 0;
	file_close(t);
	if ((t->fd = mailbox_file(s->box, seq)) == -1)
		return -1;
	t->uid = uid;
	return 0;
}

void
text_rest(struct session *s)
{
	struct text *t = s->text;

	if (t == NULL)
		return;
	free(t->bytes);
	t->bytes = NULL;
	t->n = t->cap = 0;
	if (t->end_known && t->end <= SMALL)
		file_close(t); /* cheap to open again */
}

void
text_forget(struct session *s, uint32_t uid)
{
	if (s->text != NULL && s->text->uid == uid)
		file_close(s->text);
}

void
text_close(struct session *s)
{
	if (s->text == NULL)
		return;
	text_rest(s);
	file_close(s->text);
	free(s->text);
	s->text = NULL;
}

static void
window_room(struct text *t, size_t cap)
{
	if (t->cap >= cap)
		return;
	t->bytes = xreallocarray(t->bytes, cap, 1);
	t->cap = cap;
}

/* Fills the window from `at` on, as far as it goes. */
static int
window_fill(struct text *t, uint64_t at, size_t want)
{
	ssize_t n;

	t->n = 0;
	t->at = at;
	window_room(t, want);
	do {
		n = pread(t->fd, t->bytes + t->n, want - t->n,
		    (off_t)(at + t->n));
		if (n == -1 && errno != EINTR)
			return -1;
		if (n > 0)
			t->n += (size_t)n;
		if (n >= 0 && t->n < want) { /* a short read is the end */
			t->end_known = true;
			t->end = at + t->n;
			break;
		}
	} while (t->n < want);
	return 0;
}

/* What is at `at`, as much as the window has; empty at the end. */
static int
window_at(struct text *t, uint64_t at, struct span *out)
{
	if (at < t->at || at >= t->at + t->n) {
		if (t->end_known && at >= t->end) {
			*out = SPAN_NONE;
			return 0;
		}
		if (window_fill(t, at, WINDOW) == -1)
			return -1;
	}
	*out = span_of(t->bytes + (at - t->at), t->n - (size_t)(at - t->at));
	return 0;
}

int
text_end(struct session *s, uint64_t *end)
{
	struct text *t = s->text;
	struct stat st;

	if (!t->end_known && t->n == 0 && window_fill(t, 0, WINDOW) == -1)
		return -1;
	if (!t->end_known) {
		if (fstat(t->fd, &st) == -1)
			return -1;
		t->end = st.st_size > 0 ? (uint64_t)st.st_size : 0;
		t->end_known = true;
	}
	*end = t->end;
	return 0;
}

int
text_piece(struct session *s, struct text_range r, struct span *out)
{
	struct text *t = s->text;
	size_t n;

	if (r.to < r.from || r.to - r.from > TEXT_PIECE_MAX) {
		errno = EFBIG;
		return -1;
	}
	n = (size_t)(r.to - r.from);
	if ((r.from < t->at || r.to > t->at + t->n || t->n == 0) && n > 0 &&
	    window_fill(t, r.from, n > WINDOW ? n : WINDOW) == -1)
		return -1;
	if (n == 0 || r.from >= t->at + t->n)
		*out = SPAN_NONE;
	else
		*out = span_slice(span_of(t->bytes + (r.from - t->at),
		    t->n - (size_t)(r.from - t->at)), 0, n);
	return 0;
}

/* --- octets --------------------------------------------------------------- */

/* LF that have no CR before them; cr: the byte before s was one. */
static size_t
count_bare(struct span s, bool cr)
{
	const char *p = s.p, *end = s.p + s.n, *lf;
	size_t bare = 0;

	while (p < end &&
	    (lf = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		bare += lf == s.p ? !cr : lf[-1] != '\r';
		p = lf + 1;
	}
	return bare;
}

static void
with_crlf(struct span s, bool cr, struct buf *out)
{
	const char *p = s.p, *end = s.p + s.n, *lf;

	while (p < end &&
	    (lf = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		buf_bytes(out, p, (size_t)(lf - p));
		if (lf == s.p ? !cr : lf[-1] != '\r')
			buf_char(out, '\r');
		buf_char(out, '\n');
		p = lf + 1;
	}
	if (p < end)
		buf_bytes(out, p, (size_t)(end - p));
}

/* Was the byte before `at` a CR? Only asked at the edge of a window. */
static bool
cr_before(struct text *t, uint64_t at)
{
	char c = '\0';

	if (at > t->at && at <= t->at + t->n)
		return t->bytes[at - 1 - t->at] == '\r';
	return at > 0 && pread(t->fd, &c, 1, (off_t)(at - 1)) == 1 &&
	    c == '\r';
}

/*
 * The next part of the range at p, at most max bytes of file; *cr: the byte
 * before is a CR. Empty: the range, or the file, ends.
 */
static int
next_part(struct text *t, struct text_range r, const struct place *p,
    size_t max, struct span *out, bool *cr)
{
	*out = SPAN_NONE;
	if (p->at >= r.to)
		return 0;
	*cr = p->at > r.from && cr_before(t, p->at);
	if (window_at(t, p->at, out) == -1)
		return -1;
	if (out->n > r.to - p->at)
		out->n = (size_t)(r.to - p->at);
	*out = span_slice(*out, 0, max);
	return 0;
}

static bool
range_same(struct text_range a, struct text_range b)
{
	return a.from == b.from && a.to == b.to;
}

static void
range_begin(struct text *t, struct text_range r)
{
	if (range_same(t->range, r) && r.to > r.from)
		return;
	t->range = r;
	t->place = (struct place){ 0, r.from };
	t->total_known = false;
}

/* Counts the octets of a range, up to `most`. */
static int
count_octets(struct text *t, uint64_t most, uint64_t *total)
{
	struct place p = { 0, t->range.from };
	struct span part;
	bool cr;

	if (t->total_known) {
		*total = t->total;
		return 0;
	}
	if (t->place.octets <= most)
		p = t->place;
	for (;;) {
		if (next_part(t, t->range, &p, WINDOW, &part, &cr) == -1)
			return -1;
		if (part.n == 0)
			break;
		p.octets += part.n + count_bare(part, cr);
		p.at += part.n;
		if (p.octets >= most) { /* enough is there */
			*total = p.octets;
			return 0;
		}
	}
	t->total = *total = p.octets;
	t->total_known = true;
	return 0;
}

static void
fill_up(struct session *s, uint64_t owed)
{
	static const char blanks[] = "                                ";

	if (owed == 0)
		return;
	log_msg(LL_WARN, "mailbox", "a message shrank while it was read");
	while (owed > 0) {
		size_t n = owed < sizeof(blanks) - 1 ? (size_t)owed :
		                                       sizeof(blanks) - 1;

		out_literal_bytes(&s->out, span_of(blanks, n));
		owed -= n;
	}
}

/* From the place that is kept; it moves on with what is done. */
static void
send_octets(struct session *s, uint64_t skip, uint64_t owed)
{
	struct text *t = s->text;
	struct place p = { 0, t->range.from };
	struct buf ready;
	struct span part, told;
	bool cr;

	buf_init(&ready, 2 * SMALL);
	if (t->place.octets <= skip)
		p = t->place;
	while (owed > 0) {
		if (next_part(t, t->range, &p, SMALL, &part, &cr) == -1 ||
		    part.n == 0)
			break;
		t->place = p;
		buf_clear(&ready);
		with_crlf(part, cr, &ready);
		told = buf_get(&ready);
		p.at += part.n;
		p.octets += told.n;
		if (p.octets <= skip)
			continue;
		if (p.octets - told.n < skip)
			span_take(&told,
			    (size_t)(skip - (p.octets - told.n)));
		if (told.n > owed)
			told.n = (size_t)owed;
		out_literal_bytes(&s->out, told);
		owed -= told.n;
	}
	fill_up(s, owed);
	buf_fini(&ready);
}

static void
literal_begin(struct session *s, struct span label, uint64_t n)
{
	out_made(&s->out, label);
	out_literal(&s->out, n);
}

void
text_out_span(struct session *s, struct span label, struct span bytes,
    struct text_cut c)
{
	struct buf ready;
	struct span told;

	buf_init(&ready, 2 * bytes.n + 1);
	with_crlf(bytes, false, &ready);
	told = buf_get(&ready);
	span_take(&told, c.skip > told.n ? told.n : (size_t)c.skip);
	if (told.n > c.take)
		told.n = (size_t)c.take;
	literal_begin(s, label, told.n);
	out_literal_bytes(&s->out, told);
	buf_fini(&ready);
}

int
text_out(struct session *s, struct span label, struct text_range r,
    struct text_cut c)
{
	struct text *t = s->text;
	uint64_t total, most;
	struct span bytes;

	if (r.to - r.from <= SMALL) {
		if (text_piece(s, r, &bytes) == -1)
			return -1;
		text_out_span(s, label, bytes, c);
		return 0;
	}
	range_begin(t, r);
	if (__builtin_add_overflow(c.skip, c.take, &most))
		most = UINT64_MAX;
	if (count_octets(t, most, &total) == -1)
		return -1;
	total = total > c.skip ? total - c.skip : 0;
	if (total > c.take)
		total = c.take;
	literal_begin(s, label, total);
	send_octets(s, c.skip, total);
	return 0;
}
