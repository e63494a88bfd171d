/*
 * search_text: see the header.
 *
 *	HEADER  the field's value, RFC 2047 decoded
 *	BODY    text/... and message/... parts, decoded; header fields of letters
 *	        in the message
 *	TEXT    the same, and the fields of the message and of its parts
 *
 * Everything is compared folded (lib/fold.h), as lib/part_text.h gives it. A
 * text does not go from one part or field into the next.
 */
#include "imapd/search_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "imapd/patience.h"
#include "lib/die.h"
#include "lib/header.h"
#include "lib/limits.h"
#include "lib/mailbox.h"
#include "lib/part_text.h"
#include "lib/search_key.h"
#include "lib/sent_day.h"

enum {
	CHUNK = 32 * 1024,
	HEADER_READ_MAX = 1024 * 1024,    /* of one header */
	FOLDED_MAX = 4 * HEADER_READ_MAX, /* fold: three times; and a name */
};

struct needle {
	enum search_what what; /* HEADER, BODY, TEXT */
	struct buf text;       /* folded */
	bool found;
	struct text_find find; /* while a part is read */
};

void
texts_init(struct texts *t, struct mailbox *box, struct patience *patience)
{
	*t = (struct texts){ .box = box, .patience = patience, .fd = -1 };
	buf_init(&t->header, HEADER_READ_MAX);
	buf_init(&t->folded, FOLDED_MAX);
}

void
texts_fini(struct texts *t)
{
	for (size_t i = 0; i < t->n; i++)
		buf_fini(&t->needle[i].text);
	free(t->needle);
	fd_close(&t->fd);
	buf_fini(&t->header);
	buf_fini(&t->folded);
	t->needle = NULL;
	t->n = t->cap = 0;
}

int
texts_add(struct texts *t, struct search_key *k, const struct charset *charset)
{
	struct needle *n;

	if (t->n == t->cap) {
		t->cap = t->cap == 0 ? 8 : 2 * t->cap;
		t->needle =
		    xreallocarray(t->needle, t->cap, sizeof(*t->needle));
	}
	n = &t->needle[t->n];
	*n = (struct needle){ .what = k->what };
	buf_init(&n->text, 4 * IMAP_COMMAND_MAX);
	k->number = t->n++;
	return part_text_needle(k->text, charset, &n->text);
}

/* --- the message at hand ----------------------------------------------- */

void
texts_message(struct texts *t, uint32_t seq)
{
	fd_close(&t->fd);
	t->seq = seq;
	t->missing = t->read = t->opened = false;
	buf_clear(&t->header);
}

/* Before the structure: a call of mailbox_file() makes that one invalid. */
static bool
file_open(struct texts *t)
{
	if (t->fd == -1 && !t->missing) {
		(void)patience_has(t->patience, WORK_FILE);
		t->opened = false;
		t->fd = mailbox_file(t->box, t->seq);
		t->missing = t->fd == -1;
	}
	return t->fd != -1;
}

static bool
structure_get(struct texts *t)
{
	if (!t->opened && !t->missing) {
		t->opened = mailbox_structure(t->box, t->seq, &t->st) == 0;
		t->missing = !t->opened;
	}
	return t->opened;
}

/* One read(2) of the file. Nothing: its end, or it cannot be read. */
static struct span
read_some(const struct texts *t, uint64_t from, uint64_t to)
{
	static char chunk[CHUNK];
	size_t want = to - from < CHUNK ? (size_t)(to - from) : CHUNK;
	ssize_t n;

	if (from >= to)
		return SPAN_NONE;
	do
		n = pread(t->fd, chunk, want, (off_t)from);
	while (n == -1 && errno == EINTR);
	return span_of(chunk, n > 0 ? (size_t)n : 0);
}

/* Into t->header: as much as there may be of it. */
static void
read_header(struct texts *t, uint64_t from, uint64_t to)
{
	struct span some;

	buf_clear(&t->header);
	if (to > from && to - from > HEADER_READ_MAX)
		to = from + HEADER_READ_MAX;
	while ((some = read_some(t, from, to)).n > 0) {
		buf_span(&t->header, some);
		from += some.n;
	}
}

/* --- header fields ----------------------------------------------------- */

static const struct {
	struct span name;
	enum structure_field field;
} known[] = {
	{ SPAN("Bcc"), FIELD_BCC }, { SPAN("Cc"), FIELD_CC },
	{ SPAN("Date"), FIELD_DATE }, { SPAN("From"), FIELD_FROM },
	{ SPAN("In-Reply-To"), FIELD_IN_REPLY_TO },
	{ SPAN("Message-ID"), FIELD_MESSAGE_ID },
	{ SPAN("Reply-To"), FIELD_REPLY_TO }, { SPAN("Sender"), FIELD_SENDER },
	{ SPAN("Subject"), FIELD_SUBJECT }, { SPAN("To"), FIELD_TO },
};

/* -1: the index does not keep it. */
static int
known_field(struct span name)
{
	for (size_t i = 0; i < nitems(known); i++)
		if (span_ieq(name, known[i].name))
			return (int)known[i].field;
	return -1;
}

unsigned
texts_cost(const struct search_key *k)
{
	if (k->what != SEARCH_HEADER)
		return 4;
	return known_field(k->name) == -1 ? 3 : 2;
}

static bool
span_contains(struct span text, struct span needle)
{
	return needle.n == 0 ||
	    memmem(text.p, text.n, needle.p, needle.n) != NULL;
}

static bool
value_has(struct texts *t, struct span value, struct span needle)
{
	buf_clear(&t->folded);
	part_text_header(value, &t->folded);
	return span_contains(buf_get(&t->folded), needle);
}

static bool
header_has(struct texts *t, struct span name, struct span needle)
{
	struct structure_part message;
	struct header_field f;
	struct span in;

	if (t->header.n == 0) {
		if (!file_open(t) || !structure_get(t) ||
		    structure_find(&t->st, NULL, 0, &message) == -1)
			return false;
		read_header(t, message.header, message.body);
	}
	in = buf_get(&t->header);
	while (in.n > 0) {
		if (!header_next(&in, &f))
			(void)span_line(&in); /* "From " of mbox, junk */
		else if (span_ieq(f.name, name) &&
		    value_has(t, f.value, needle))
			return true;
	}
	return false;
}

static bool
field_has(struct texts *t, struct span name, struct span needle)
{
	struct span value;
	int field = known_field(name);

	if (field == -1)
		return header_has(t, name, needle);
	return structure_get(t) &&
	    structure_field(&t->st, (enum structure_field)field, &value) &&
	    value_has(t, value, needle);
}

int
texts_size(struct texts *t, uint64_t *size)
{
	if (!structure_get(t))
		return -1;
	*size = structure_size(&t->st);
	return 0;
}

int
texts_sent_day(struct texts *t, int64_t *day)
{
	struct span value;

	if (!structure_get(t) ||
	    !structure_field(&t->st, FIELD_DATE, &value))
		return -1;
	return sent_day(value, day);
}

/* --- bodies ------------------------------------------------------------ */

/* Is a needle of that kind looked for in header fields of the message? */
static bool
wants(const struct needle *n, bool text_only)
{
	return !n->found && (n->what == SEARCH_TEXT ||
	    (n->what == SEARCH_BODY && !text_only));
}

static bool
all_found(const struct texts *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (wants(&t->needle[i], false))
			return false;
	return true;
}

/* "name: value", folded, in the eyes of all needles. */
static void
look_at_field(struct texts *t, const struct header_field *f, bool text_only)
{
	struct span all;

	buf_clear(&t->folded);
	part_text_header(f->name, &t->folded);
	buf_str(&t->folded, ": ");
	part_text_header(f->value, &t->folded);
	all = buf_get(&t->folded);
	for (size_t i = 0; i < t->n; i++)
		if (wants(&t->needle[i], text_only))
			t->needle[i].found =
			    span_contains(all, buf_get(&t->needle[i].text));
}

static void
look_at_header(struct texts *t, uint64_t from, uint64_t to, bool text_only)
{
	struct header_field f;
	struct span in;

	read_header(t, from, to);
	in = buf_get(&t->header);
	while (in.n > 0) {
		if (header_next(&in, &f))
			look_at_field(t, &f, text_only);
		else
			(void)span_line(&in);
	}
}

static bool
on_folded(void *arg, struct span folded)
{
	struct texts *t = arg;

	for (size_t i = 0; i < t->n; i++)
		if (wants(&t->needle[i], false))
			t->needle[i].found =
			    text_find_in(&t->needle[i].find, folded);
	return !all_found(t);
}

/* So many bytes were looked at, with the eyes of all needles. */
static bool
work_bytes(struct texts *t, size_t n)
{
	return patience_has(t->patience,
	    (uint64_t)n * (WORK_BYTE + WORK_BYTE_EACH * (uint64_t)t->n));
}

static void
look_at_text(struct texts *t, const struct structure_part *p)
{
	struct part_text text;
	struct span some;
	uint64_t at = p->body;

	for (size_t i = 0; i < t->n; i++)
		text_find_init(
		    &t->needle[i].find, buf_get(&t->needle[i].text));
	part_text_init(&text, p->encoding, p->charset, on_folded, t);
	while ((some = read_some(t, at, p->end)).n > 0 &&
	    part_text_bytes(&text, some) && work_bytes(t, some.n))
		at += some.n;
	(void)part_text_end(&text);
	for (size_t i = 0; i < t->n; i++)
		text_find_fini(&t->needle[i].find);
}

/* message/...: delivery-status and the like, which are read, too. */
static bool
is_readable(const struct structure_part *p)
{
	return span_eq(p->type, SPAN("text")) ||
	    span_eq(p->type, SPAN("message"));
}

static bool
look_at_part(const struct structure_part *p, void *arg)
{
	struct texts *t = arg;

	if (!work_bytes(t, p->mime_end - p->mime))
		return false;
	look_at_header(t, p->mime, p->mime_end, true);
	if (p->is_message)
		look_at_header(t, p->header, p->body, false);
	else if (is_readable(p))
		look_at_text(t, p);
	return !all_found(t);
}

static void
read_all(struct texts *t)
{
	struct structure_part message;

	t->read = true;
	for (size_t i = 0; i < t->n; i++)
		t->needle[i].found = false;
	if (!file_open(t) || !structure_get(t) ||
	    structure_find(&t->st, NULL, 0, &message) == -1)
		return;
	look_at_header(t, message.header, message.body, true);
	if (!all_found(t))
		structure_each(&t->st, look_at_part, t);
	buf_clear(&t->header); /* it may be another one's by now */
}

bool
texts_match(struct texts *t, const struct search_key *k)
{
	const struct needle *n = &t->needle[k->number];

	if (!patience_has(t->patience, WORK_FIELD))
		return false;
	if (k->what == SEARCH_HEADER)
		return field_has(t, k->name, buf_get(&n->text));
	if (!t->read)
		read_all(t);
	return n->found;
}
