/*
 * fetch_parse: fetch-att of RFC 3501 9. A section's label is made once a
 * command, in one spelling: BODY[1.HEADER.FIELDS (From "odd\"name")]<0>.
 */
#include <stdlib.h>

#include "imapd/fetch.h"
#include "imapd/session.h"
#include "lib/chars.h"
#include "lib/die.h"
#include "lib/limits.h"

void
fetch_list_init(struct fetch_list *l)
{
	*l = (struct fetch_list){ .n = 0 };
	buf_init(&l->labels, 2 * IMAP_COMMAND_MAX);
}

void
fetch_list_fini(struct fetch_list *l)
{
	free(l->item);
	free(l->path);
	free(l->field);
	buf_fini(&l->labels);
}

static struct fetch_item *
item_add(struct fetch_list *l, enum fetch_what what)
{
	if (l->n == IMAP_ITEMS_MAX)
		return NULL;
	if (l->n == l->cap) {
		l->cap = l->cap == 0 ? 8 : l->cap * 2;
		l->item = xreallocarray(l->item, l->cap, sizeof(*l->item));
	}
	l->item[l->n] = (struct fetch_item){ .what = what };
	l->uid |= what == FETCH_UID;
	l->flags |= what == FETCH_FLAGS;
	return &l->item[l->n++];
}

/* What is asked for twice is told once. */
static int
simple_add(struct fetch_list *l, enum fetch_what what)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->item[i].what == what)
			return 0;
	return item_add(l, what) == NULL ? -1 : 0;
}

static struct span
item_label(const struct fetch_list *l, const struct fetch_item *f)
{
	return span_of(l->labels.p + f->label, f->label_n);
}

/* The last item's label is whole: was it there before? */
static void
section_added(struct fetch_list *l)
{
	struct fetch_item *last = &l->item[l->n - 1];

	last->label_n = l->labels.n - last->label;
	l->sees |= !last->peek;
	for (size_t i = 0; i + 1 < l->n; i++) {
		if (l->item[i].what != FETCH_SECTION ||
		    l->item[i].take != last->take ||
		    !span_ieq(item_label(l, &l->item[i]),
		        item_label(l, last)))
			continue;
		l->n--;
		return;
	}
}

/* --- sections ------------------------------------------------------------- */

static int
path_add(struct fetch_list *l, struct fetch_item *f, uint32_t number)
{
	if (f->npath == IMAP_PATH_MAX)
		return -1;
	if (l->npath == l->path_cap) {
		l->path_cap = l->path_cap == 0 ? 8 : l->path_cap * 2;
		l->path = xreallocarray(l->path, l->path_cap,
		    sizeof(*l->path));
	}
	if (f->npath++ > 0)
		buf_char(&l->labels, '.');
	l->path[l->npath++] = number;
	buf_num(&l->labels, number);
	return 0;
}

/* As an astring; letters of strangers come back as they were. */
static void
label_field(struct buf *b, struct span name)
{
	struct span in = name, atom;
	size_t i;

	if (imap_atom(&in, &atom) == 0 && in.n == 0 &&
	    !span_ieq(name, SPAN("NIL"))) {
		buf_span(b, name);
		return;
	}
	buf_char(b, '"');
	for (i = 0; i < name.n; i++) {
		if (name.p[i] == '"' || name.p[i] == '\\')
			buf_char(b, '\\');
		buf_char(b, name.p[i]);
	}
	buf_char(b, '"');
}

static int
field_add(struct fetch_list *l, struct fetch_item *f, struct span name)
{
	if (f->nfield == IMAP_ITEMS_MAX || name.n == 0 ||
	    !chars_all(name, CH_GRAPH))
		return -1;
	if (l->nfield == l->field_cap) {
		l->field_cap = l->field_cap == 0 ? 16 : l->field_cap * 2;
		l->field = xreallocarray(l->field, l->field_cap,
		    sizeof(*l->field));
	}
	l->field[l->nfield++] = name;
	if (f->nfield++ > 0)
		buf_char(&l->labels, ' ');
	label_field(&l->labels, name);
	return 0;
}

/* "(From To)" */
static int
take_fields(struct session *s, struct span *in, struct fetch_list *l,
    struct fetch_item *f)
{
	struct span name;

	f->field = l->nfield;
	if (imap_sp(in) == -1 || !imap_is(in, '('))
		return -1;
	buf_str(&l->labels, " (");
	do {
		if (imap_astring(in, &s->scratch, &name) == -1 ||
		    field_add(l, f, name) == -1)
			return -1;
	} while (imap_sp(in) == 0);
	buf_char(&l->labels, ')');
	return imap_is(in, ')') ? 0 : -1;
}

/* section-text: behind the part numbers, if any. */
static int
take_section_text(struct session *s, struct span *in, struct fetch_list *l,
    struct fetch_item *f)
{
	static const struct {
		const char *word;
		enum fetch_section section;
	} texts[] = {
		{ "HEADER", SECTION_HEADER },
		{ "HEADER.FIELDS", SECTION_FIELDS },
		{ "HEADER.FIELDS.NOT", SECTION_FIELDS_NOT },
		{ "TEXT", SECTION_TEXT },
		{ "MIME", SECTION_MIME },
	};
	struct span word;
	size_t i;

	if (imap_atom(in, &word) == -1)
		return -1;
	for (i = 0; i < nitems(texts); i++)
		if (span_ieq(word, span_str(texts[i].word)))
			break;
	if (i == nitems(texts) ||
	    (texts[i].section == SECTION_MIME && f->npath == 0))
		return -1;
	f->section = texts[i].section;
	buf_str(&l->labels, texts[i].word);
	if (f->section == SECTION_FIELDS || f->section == SECTION_FIELDS_NOT)
		return take_fields(s, in, l, f);
	return 0;
}

/* Behind "[". */
static int
take_section(struct session *s, struct span *in, struct fetch_list *l,
    struct fetch_item *f)
{
	uint64_t n;

	f->path = l->npath;
	if (imap_is(in, ']'))
		return 0;
	while (in->n > 0 && char_is(in->p[0], CH_DIGIT)) {
		if (imap_number(in, UINT32_MAX, &n) == -1 || n == 0 ||
		    path_add(l, f, (uint32_t)n) == -1)
			return -1;
		if (imap_is(in, ']'))
			return 0;
		if (!imap_is(in, '.'))
			return -1;
	}
	if (f->npath > 0)
		buf_char(&l->labels, '.');
	if (take_section_text(s, in, l, f) == -1)
		return -1;
	return imap_is(in, ']') ? 0 : -1;
}

/* "<0.1024>" */
static int
take_partial(struct span *in, struct fetch_item *f)
{
	uint64_t skip, take;

	if (!imap_is(in, '<'))
		return 0;
	if (imap_number(in, UINT32_MAX, &skip) == -1 || !imap_is(in, '.') ||
	    imap_number(in, UINT32_MAX, &take) == -1 || take == 0 ||
	    !imap_is(in, '>'))
		return -1;
	f->partial = true;
	f->skip = (uint32_t)skip;
	f->take = (uint32_t)take;
	return 0;
}

/* "BODY[" or "BODY.PEEK[" is behind us up to the bracket. */
static int
take_body(struct session *s, struct span *in, struct fetch_list *l, bool peek)
{
	struct fetch_item *f = item_add(l, FETCH_SECTION);

	if (f == NULL)
		return -1;
	f->peek = peek;
	f->label = l->labels.n;
	buf_str(&l->labels, "BODY[");
	if (take_section(s, in, l, f) == -1)
		return -1;
	buf_char(&l->labels, ']');
	if (take_partial(in, f) == -1)
		return -1;
	if (f->partial) {
		buf_char(&l->labels, '<');
		buf_num(&l->labels, f->skip);
		buf_char(&l->labels, '>');
	}
	section_added(l);
	return l->labels.bad ? -1 : 0;
}

/* --- items ---------------------------------------------------------------- */

static const struct {
	const char *word;
	enum fetch_what what;
} simple[] = {
	{ "FLAGS", FETCH_FLAGS },
	{ "UID", FETCH_UID },
	{ "INTERNALDATE", FETCH_INTERNALDATE },
	{ "RFC822.SIZE", FETCH_SIZE },
	{ "ENVELOPE", FETCH_ENVELOPE },
	{ "BODY", FETCH_BODY },
	{ "BODYSTRUCTURE", FETCH_BODYSTRUCTURE },
};

/* RFC 3501 6.4.5's older names; RFC822.PEEK is Outlook's. */
static const struct {
	const char *word, *label;
	enum fetch_section section;
	bool peek;
} older[] = {
	{ "RFC822", "RFC822", SECTION_ALL, false },
	{ "RFC822.PEEK", "RFC822", SECTION_ALL, true },
	{ "RFC822.HEADER", "RFC822.HEADER", SECTION_HEADER, true },
	{ "RFC822.TEXT", "RFC822.TEXT", SECTION_TEXT, false },
};

static int
take_older(struct fetch_list *l, struct span word)
{
	struct fetch_item *f;

	for (size_t i = 0; i < nitems(older); i++) {
		if (!span_ieq(word, span_str(older[i].word)))
			continue;
		if ((f = item_add(l, FETCH_SECTION)) == NULL)
			return -1;
		f->section = older[i].section;
		f->peek = older[i].peek;
		f->label = l->labels.n;
		buf_str(&l->labels, older[i].label);
		section_added(l);
		return 0;
	}
	return -1;
}

/* An atom that stops at "[", too. */
static int
take_name(struct span *in, struct span *word)
{
	struct span atom, rest = *in;

	if (imap_atom(&rest, &atom) == -1)
		return -1;
	*word = span_take(in, span_find(atom, '['));
	return 0;
}

static int
take_item(struct session *s, struct span *in, struct fetch_list *l)
{
	struct span word;
	size_t i;

	if (take_name(in, &word) == -1)
		return -1;
	if (imap_is(in, '[')) {
		if (span_ieq(word, SPAN("BODY")))
			return take_body(s, in, l, false);
		if (span_ieq(word, SPAN("BODY.PEEK")))
			return take_body(s, in, l, true);
		return -1;
	}
	for (i = 0; i < nitems(simple); i++)
		if (span_ieq(word, span_str(simple[i].word)))
			return simple_add(l, simple[i].what);
	return take_older(l, word);
}

/* ALL, FAST, FULL: alone, without parentheses. */
static bool
take_macro(struct span *in, struct fetch_list *l)
{
	static const enum fetch_what parts[] = { FETCH_FLAGS,
		FETCH_INTERNALDATE, FETCH_SIZE, FETCH_ENVELOPE, FETCH_BODY };
	size_t n = 0;

	if (imap_word(in, "FAST"))
		n = 3;
	else if (imap_word(in, "ALL"))
		n = 4;
	else if (imap_word(in, "FULL"))
		n = 5;
	for (size_t i = 0; i < n; i++)
		(void)simple_add(l, parts[i]);
	return n > 0;
}

const struct imap_reply *
fetch_list_take(struct session *s, struct span *in, struct fetch_list *l)
{
	if (take_macro(in, l))
		return NULL;
	if (!imap_is(in, '('))
		return take_item(s, in, l) == 0 ? NULL : &A_SYNTAX;
	do {
		if (l->n == IMAP_ITEMS_MAX)
			return &A_LIMIT;
		if (take_item(s, in, l) == -1)
			return &A_SYNTAX;
	} while (imap_sp(in) == 0);
	return imap_is(in, ')') ? NULL : &A_SYNTAX;
}
