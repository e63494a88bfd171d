/*
 * recode_header: the header of a part: its lines are folded where there is a
 * blank, its encoding is put in place of what it said, fields are added. Other
 * bytes are not touched, 8-bit ones neither.
 */
#include "lib/recode_impl.h"

#include "lib/chars.h"
#include "lib/content.h"
#include "lib/header.h"
#include "lib/limits.h"

static const char mime_version[] = "MIME-Version: 1.0\n";

/* Where line can be folded, RFC 5322 2.2.3: before a blank, between text. */
static size_t
fold_at(struct span line, size_t from)
{
	size_t i;

	while (from < line.n && char_is(line.p[from], CH_BLANK))
		from++;
	for (i = SMTP_TEXT_LINE_MAX + 1; i-- > from;)
		if (char_is(line.p[i], CH_BLANK))
			return i;
	return 0;
}

/* Without its line end; from: where the value begins on it. */
static void
fold_line(struct recode_plan *p, struct span line, size_t from)
{
	struct span text = line;
	size_t at;

	while (text.n > 0 && char_is(text.p[text.n - 1], CH_FWS))
		text.n--; /* not there: a line of blanks is none */
	while (text.n > SMTP_TEXT_LINE_MAX && p->out->n < RECODE_EDITS_MAX &&
	    (at = fold_at(text, from)) > 0) {
		recode_edit_add(p, recode_place(p, text.p + at),
		    recode_place(p, text.p + at), "\n");
		span_take(&text, at);
		from = 0;
	}
	if ((size_t)(line.p + line.n - text.p) > SMTP_TEXT_LINE_MAX)
		p->out->long_line = true;
}

static void
fold_field(struct recode_plan *p, const struct header_field *f)
{
	struct span rest = f->whole;
	size_t from = (size_t)(f->value.p - f->whole.p);

	p->out->eight_bit |= content_eight_bit(rest);
	while (rest.n > 0) {
		fold_line(p, span_take(&rest, span_find(rest, '\n')), from);
		span_take(&rest, 1);
		from = 0;
	}
}

/* Once; again only where without it a stray line would be the body. */
static void
encoding_field(struct recode_plan *p, const struct header_field *f,
    struct recode_fields *x)
{
	uint64_t at = recode_place(p, f->whole.p);
	bool stays = x->edit == 0 || x->stray;

	recode_edit_add(
	    p, at, at + f->whole.n, stays ? x->encoding : NULL);
	if (x->edit == 0)
		x->edit = p->out->n;
}

static void
header_field(struct recode_plan *p, const struct header_field *f,
    struct recode_fields *x)
{
	if (span_ieq(f->name, SPAN("mime-version")))
		x->version = false;
	if (span_ieq(f->name, SPAN("content-transfer-encoding")) &&
	    x->encoding != NULL)
		encoding_field(p, f, x);
	else
		fold_field(p, f);
	x->stray = false;
}

/* The end of a header: before the blank line, if there is one. */
static uint64_t
header_end(struct span header, bool *blank)
{
	size_t n = header.n;

	*blank = false;
	if (n == 0 || header.p[n - 1] != '\n')
		return n;
	n--;
	if (n > 0 && header.p[n - 1] == '\r')
		n--;
	*blank = n == 0 || header.p[n - 1] == '\n';
	return *blank ? n : header.n;
}

void
recode_header(struct recode_plan *p, const struct mime_part *part,
    struct recode_fields *x)
{
	struct span in = recode_range(p, part->mime.at, part->body.at), line;
	bool blank;
	uint64_t end = part->mime.at + header_end(in, &blank);
	struct header_field f;

	while (in.n > 0)
		if (header_next(&in, &f)) {
			header_field(p, &f, x);
		} else {
			line = span_take(&in, span_find(in, '\n') + 1);
			recode_leave(p, line);
			x->stray = true;
		}
	if (x->version)
		recode_edit_add(p, end, end, mime_version);
	if (x->type != NULL)
		recode_edit_add(p, end, end, x->type);
	if (x->encoding != NULL && x->edit == 0) {
		recode_edit_add(p, end, end, x->encoding);
		x->edit = p->out->n;
	}
	/* Else what the body becomes could be a field. */
	if (x->blank && !blank)
		recode_edit_add(p, end, end, "\n");
}

bool
recode_header_ends(const struct recode_plan *p, const struct mime_part *part)
{
	bool blank;

	header_end(recode_range(p, part->mime.at, part->body.at), &blank);
	return blank;
}

bool
recode_header_signs(const struct recode_plan *p)
{
	struct span in = recode_range(p, 0, p->mime.part[0].body.at);
	struct header_field f;

	while (in.n > 0)
		if (!header_next(&in, &f))
			span_take(&in, span_find(in, '\n') + 1);
		else if (span_ieq(f.name, SPAN("dkim-signature")) ||
		    span_ieq(f.name, SPAN("arc-message-signature")))
			return true;
	return false;
}
