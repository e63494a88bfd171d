/*
 * section: BODY[...] of one message, RFC 3501 6.4.5. Where the parts are is
 * known from the record that was made when the message was first looked at
 * (lib/structure.h); only BODY[] needs no record.
 */
#include "imapd/fetch.h"
#include "imapd/session.h"
#include "lib/header.h"
#include "lib/structure.h"

static bool
is_asked(const struct fetch_list *l, const struct fetch_item *f,
    struct span name)
{
	for (size_t i = 0; i < f->nfield; i++)
		if (span_ieq(l->field[f->field + i], name))
			return true;
	return false;
}

/* RFC 3501 6.4.5: the blank line at the end belongs to it. */
static void
fields_take(const struct fetch_list *l, const struct fetch_item *f,
    struct span header, struct buf *out)
{
	bool not = f->section == SECTION_FIELDS_NOT;
	struct header_field h;

	while (header.n > 0) {
		if (!header_next(&header, &h)) {
			span_line(&header); /* "From " of mbox, the blank */
			continue;
		}
		if (is_asked(l, f, h.name) == not)
			continue;
		buf_span(out, h.whole);
		if (!span_ends(h.whole, SPAN("\n")))
			buf_char(out, '\n');
	}
	buf_char(out, '\n');
}

static int
fields_out(struct session *s, const struct fetch_list *l,
    const struct fetch_item *f, struct text_range header, struct text_cut c)
{
	struct span label = span_of(l->labels.p + f->label, f->label_n);
	struct span bytes;
	struct buf out;

	if (text_piece(s, header, &bytes) == -1)
		return -1;
	buf_init(&out, bytes.n + 2);
	fields_take(l, f, bytes, &out);
	text_out_span(s, label, buf_get(&out), c);
	buf_fini(&out);
	return 0;
}

/* Where it is. 0, 1: there is no such part; -1: errno. */
static int
section_find(struct session *s, const struct fetch_list *l,
    const struct fetch_item *f, const struct structure *st,
    struct text_range *r)
{
	struct structure_part part;

	*r = (struct text_range){ 0, 0 };
	if (f->section == SECTION_ALL && f->npath == 0)
		return text_end(s, &r->to);
	if (structure_find(st, l->path + f->path, f->npath, &part) == -1)
		return 1;
	if (f->section != SECTION_ALL && f->section != SECTION_MIME &&
	    f->npath > 0 && !part.is_message)
		return 1;
	switch (f->section) {
	case SECTION_ALL:
		r->from = part.header;
		r->to = part.end;
		break;
	case SECTION_TEXT:
		r->from = part.body;
		r->to = part.end;
		break;
	case SECTION_MIME:
		r->from = part.mime;
		r->to = part.mime_end;
		break;
	default:
		r->from = part.header;
		r->to = part.body;
		break;
	}
	return 0;
}

int
section_out(struct session *s, const struct fetch_list *l,
    const struct fetch_item *f, const struct structure *st)
{
	struct span label = span_of(l->labels.p + f->label, f->label_n);
	struct text_cut c = { f->skip, f->partial ? f->take : UINT64_MAX };
	struct text_range r;

	switch (section_find(s, l, f, st, &r)) {
	case -1:
		return -1;
	case 1:
		out_made(&s->out, label);
		out_nil(&s->out);
		return 0;
	}
	if (f->section == SECTION_FIELDS || f->section == SECTION_FIELDS_NOT)
		return fields_out(s, l, f, r, c);
	return text_out(s, label, r, c);
}
