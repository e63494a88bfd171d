/*
 * recode: first a plan, edits in the order of the message, made of lib/mime's
 * tree; then the message runs past it. Invariants of the plan: edits do not
 * overlap and their places do not go down; what no edit covers is copied.
 *
 * - a part of no encoding gets the shorter of quoted-printable and base64;
 *   one that is encoded already keeps its encoding and is only put right
 * - what says 8bit says 7bit if there is nothing in it, or is no more
 * - what stands before the first and after the last delimiter goes if it
 *   cannot stay: nobody is to show it (RFC 2046 5.1.1), and a line of it, once
 *   changed, could be a delimiter
 * - what cannot be changed is noted, and the caller decides
 */
#include "lib/recode.h"

#include <assert.h>
#include <stdlib.h>

#include "lib/buf.h"
#include "lib/chars.h"
#include "lib/content.h"
#include "lib/decode.h"
#include "lib/die.h"
#include "lib/header.h"
#include "lib/limits.h"
#include "lib/mime.h"
#include "lib/mime_field.h"

/* [at, to) becomes the text (nothing, if that is NULL), or is encoded. */
struct recode_edit {
	uint64_t at, to;
	const char *text;
	bool encode, undone;
	enum encode_kind kind;
};

struct plan {
	struct recode *out;
	struct span in;
	struct mime mime;
	bool eight_bit;
};

static const char as_qp[] = "Content-Transfer-Encoding: quoted-printable\n";
static const char as_base64[] = "Content-Transfer-Encoding: base64\n";
static const char as_7bit[] = "Content-Transfer-Encoding: 7bit\n";
static const char mime_version[] = "MIME-Version: 1.0\n";
/* RFC 1428 3; but who sends no charset mostly means UTF-8. */
static const char as_utf8[] = "Content-Type: text/plain; charset=utf-8\n";
static const char as_unknown[] =
    "Content-Type: text/plain; charset=unknown-8bit\n";

/* --- the plan ---------------------------------------------------------- */

static struct recode_edit *
edit_add(struct plan *p, uint64_t at, uint64_t to, const char *text)
{
	struct recode *r = p->out;

	assert(at <= to && (r->n == 0 || at >= r->edit[r->n - 1].to));
	if (r->n == r->cap) {
		r->cap = r->cap == 0 ? 16 : r->cap * 2;
		r->edit = xreallocarray(r->edit, r->cap, sizeof(*r->edit));
	}
	r->edit[r->n] =
	    (struct recode_edit){ .at = at, .to = to, .text = text };
	return &r->edit[r->n++];
}

static struct span
range(const struct plan *p, uint64_t at, uint64_t to)
{
	return span_slice(p->in, (size_t)at, (size_t)to);
}

static uint64_t
place(const struct plan *p, const char *at)
{
	return (uint64_t)(at - p->in.p);
}

/* Is there anything in it that should not be sent? */
static bool
is_bad(const struct plan *p, struct span s)
{
	struct content c = content_of(s);

	return c.long_line || (c.eight_bit && p->eight_bit);
}

/* It stays as it is. */
static void
leave(struct plan *p, struct span s)
{
	struct content c = content_of(s);

	p->out->eight_bit |= c.eight_bit;
	p->out->long_line |= c.long_line;
}

/* --- headers ----------------------------------------------------------- */

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
fold_line(struct plan *p, struct span line, size_t from)
{
	struct span text = line;
	size_t at;

	while (text.n > 0 && char_is(text.p[text.n - 1], CH_FWS))
		text.n--; /* not there: a line of blanks is none */
	while (text.n > SMTP_TEXT_LINE_MAX && p->out->n < RECODE_EDITS_MAX &&
	    (at = fold_at(text, from)) > 0) {
		edit_add(p, place(p, text.p + at), place(p, text.p + at), "\n");
		span_take(&text, at);
		from = 0;
	}
	if ((size_t)(line.p + line.n - text.p) > SMTP_TEXT_LINE_MAX)
		p->out->long_line = true;
}

static void
fold_field(struct plan *p, const struct header_field *f)
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

/* What becomes of a part's header, apart from folds. */
struct fields {
	const char *encoding; /* in place of all such fields; NULL: they stay */
	const char *type;     /* is added; or NULL */
	bool version;         /* likewise, if it is not there */
	size_t edit;          /* encoding's, + 1; 0: none */
};

static void
note_encoding(struct plan *p, struct fields *x)
{
	x->edit = p->out->n;
	x->encoding = NULL;
}

static void
header_field(struct plan *p, const struct header_field *f, struct fields *x)
{
	uint64_t at = place(p, f->whole.p);

	if (span_ieq(f->name, SPAN("mime-version")))
		x->version = false;
	if (span_ieq(f->name, SPAN("content-transfer-encoding")) &&
	    (x->encoding != NULL || x->edit != 0)) {
		edit_add(p, at, at + f->whole.n, x->encoding);
		if (x->encoding != NULL)
			note_encoding(p, x);
		return;
	}
	fold_field(p, f);
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

static void
header_plan(struct plan *p, const struct mime_part *part, struct fields *x)
{
	struct span in = range(p, part->mime.at, part->body.at), line;
	bool blank, added = false;
	uint64_t end = part->mime.at + header_end(in, &blank);
	struct header_field f;

	while (in.n > 0)
		if (header_next(&in, &f)) {
			header_field(p, &f, x);
		} else {
			line = span_take(&in, span_find(in, '\n') + 1);
			leave(p, line);
		}
	if (x->version)
		added = edit_add(p, end, end, mime_version) != NULL;
	if (x->type != NULL)
		added = edit_add(p, end, end, x->type) != NULL;
	if (x->encoding != NULL) {
		added = edit_add(p, end, end, x->encoding) != NULL;
		note_encoding(p, x);
	}
	if (added && !blank)
		edit_add(p, end, end, "\n");
}

/* --- parts ------------------------------------------------------------- */

enum label { L_PLAIN, L_QP, L_BASE64, L_OTHER };

static enum label
label_of(const struct mime_part *part)
{
	struct span s = mime_encoding(part->field[MIME_ENCODING]);

	switch (decode_kind(s)) {
	case DECODE_QP:
		return L_QP;
	case DECODE_BASE64:
		return L_BASE64;
	default:
		break;
	}
	if (span_ieq(s, SPAN("7bit")) || span_ieq(s, SPAN("8bit")) ||
	    span_ieq(s, SPAN("binary")))
		return L_PLAIN;
	return L_OTHER;
}

/*
 * RFC 2045 6.4, 2046 5.2: multiparts and letters are never encoded, not even
 * those that lib/mime could not take apart; RFC 6532 3.7: message/global is.
 */
static bool
may_be_encoded(const struct mime_part *part)
{
	struct span in = part->field[MIME_TYPE], type, subtype;

	if (in.p == NULL || mime_type(&in, &type, &subtype) == -1)
		return true;
	return !span_ieq(type, SPAN("multipart")) &&
	    (!span_ieq(type, SPAN("message")) ||
		span_istarts(subtype, SPAN("global")));
}

static bool
says_eight_bit(const struct mime_part *part)
{
	struct span s = mime_encoding(part->field[MIME_ENCODING]);

	return span_ieq(s, SPAN("8bit")) || span_ieq(s, SPAN("binary"));
}

/* All of it stays; its header may be folded. */
static void
part_leave(struct plan *p, const struct mime_part *part)
{
	header_plan(p, part, &(struct fields){ .encoding = NULL });
	leave(p, range(p, part->body.at, part->end.at));
}

/* There is nothing to encode; 8bit is less than the truth. */
static void
leaf_name(struct plan *p, const struct mime_part *part)
{
	struct fields x = { .encoding = NULL };

	if (p->eight_bit && says_eight_bit(part))
		x.encoding = as_7bit;
	header_plan(p, part, &x);
}

static void
leaf_plan(struct plan *p, const struct mime_part *part, bool letter)
{
	struct span body = range(p, part->body.at, part->end.at);
	struct fields x = { .encoding = NULL };
	enum label label = label_of(part);
	struct recode_edit *e;
	enum encode_kind kind;

	if (!is_bad(p, body) && !content_eight_bit(body)) {
		leaf_name(p, part);
		return;
	}
	if (!is_bad(p, body) || label == L_OTHER || !may_be_encoded(part)) {
		part_leave(p, part);
		return;
	}
	kind = label == L_QP    ? ENCODE_QP_AGAIN
	    : label == L_BASE64 ? ENCODE_BASE64_AGAIN
				: encode_shorter(body);
	if (label == L_PLAIN) {
		x.encoding = kind == ENCODE_QP ? as_qp : as_base64;
		x.version = letter;
		if (part->field[MIME_TYPE].p == NULL && content_eight_bit(body))
			x.type = utf8_ok(body) ? as_utf8 : as_unknown;
	}
	header_plan(p, part, &x);
	e = edit_add(p, part->body.at, part->end.at, NULL);
	e->encode = true;
	e->kind = kind;
	if (kind == ENCODE_BASE64 && part->end.at == p->in.n)
		edit_add(p, part->end.at, part->end.at, "\n");
}

/* Between parts: a part's line end, a delimiter, what nobody is to show. */
static void
gap_plan(struct plan *p, uint64_t at, uint64_t to, bool first, bool last)
{
	struct span gap = range(p, at, to), shown = gap;
	size_t n;

	if (first) { /* all but the last line, the delimiter */
		n = gap.n > 0
		    ? span_rfind(span_slice(gap, 0, gap.n - 1), '\n') + 1
		    : 0;
		shown = n < gap.n ? span_slice(gap, 0, n) : SPAN_NONE;
	} else if (last) {
		while (shown.n > 0 && char_is(shown.p[0], CH_FWS))
			span_take(&shown, 1);
		span_take(&shown, span_find(shown, '\n') + 1);
	} else {
		shown = SPAN_NONE;
	}
	if (shown.n == 0 || !is_bad(p, shown)) {
		leave(p, gap);
		return;
	}
	at = place(p, shown.p);
	edit_add(p, at, at + shown.n, NULL);
	leave(p, span_slice(gap, 0, (size_t)(shown.p - gap.p)));
	leave(p, span_slice(gap, (size_t)(shown.p - gap.p) + shown.n, gap.n));
}

static void part_plan(struct plan *, size_t i, bool letter);

static void
children_plan(struct plan *p, size_t i)
{
	const struct mime_part *part = &p->mime.part[i];
	uint64_t at = part->body.at;
	size_t j;

	for (j = i + 1; j < part->next; j = p->mime.part[j].next) {
		gap_plan(p, at, p->mime.part[j].mime.at, j == i + 1, false);
		part_plan(p, j, false);
		at = p->mime.part[j].end.at;
	}
	gap_plan(p, at, part->end.at, false, true);
}

/* "8bit" is no longer true, if all below it could be changed. */
static void
container_plan(struct plan *p, size_t i)
{
	const struct mime_part *part = &p->mime.part[i];
	struct fields x = { .encoding = NULL };
	bool before;

	if (p->eight_bit && says_eight_bit(part))
		x.encoding = as_7bit;
	header_plan(p, part, &x);
	before = p->out->eight_bit;
	p->out->eight_bit = false;
	if (part->kind == MIME_MESSAGE)
		part_plan(p, i + 1, true);
	else
		children_plan(p, i);
	if (x.edit != 0 && p->out->eight_bit)
		p->out->edit[x.edit - 1].undone = true;
	p->out->eight_bit |= before;
}

/* May what is below it be changed? */
static bool
is_open(const struct plan *p, const struct mime_part *part)
{
	bool blank;

	if (label_of(part) != L_PLAIN || /* in spite of RFC 2045 6.4 */
	    (part->kind == MIME_MULTIPART &&
		span_ieq(part->subtype, SPAN("signed"))))
		return false;
	/* Else what is added to a header below might belong to this one. */
	header_end(range(p, part->mime.at, part->body.at), &blank);
	return blank;
}

static void
part_plan(struct plan *p, size_t i, bool letter)
{
	const struct mime_part *part = &p->mime.part[i];

	if (part->kind == MIME_LEAF)
		leaf_plan(p, part, letter);
	else if (is_open(p, part))
		container_plan(p, i);
	else
		part_leave(p, part);
}

/* --- counting ---------------------------------------------------------- */

static uint64_t
octets(struct span s)
{
	uint64_t n = 0;
	struct span line;

	while (s.n > 0) {
		line = span_take(&s, span_find(s, '\n') + 1);
		n += line.n;
		if (span_ends(line, SPAN("\n")) &&
		    !span_ends(line, SPAN("\r\n")))
			n++;
	}
	return n;
}

/* What an edit makes. */
static uint64_t
edit_octets(const struct plan *p, const struct recode_edit *edit)
{
	struct span in = range(p, edit->at, edit->to);
	struct encode e;
	struct buf out;
	uint64_t n = 0;

	if (!edit->encode)
		return edit->text == NULL ? 0 : octets(span_str(edit->text));
	buf_init(&out, SIZE_MAX / 4);
	encode_init(&e, edit->kind);
	while (in.n > 0) {
		encode_bytes(&e, span_take(&in, 16 * 1024), &out);
		n += octets(buf_get(&out));
		buf_clear(&out);
	}
	encode_end(&e, &out);
	n += octets(buf_get(&out));
	buf_fini(&out);
	return n;
}

static void
plan_end(struct plan *p)
{
	const struct mime_part *all = &p->mime.part[0];
	struct recode *r = p->out;
	size_t i, n = 0;

	for (i = 0; i < r->n; i++)
		if (!r->edit[i].undone)
			r->edit[n++] = r->edit[i];
	r->n = n;
	r->octets = mime_octets(&all->mime, &all->end);
	for (i = 0; i < n; i++) {
		r->octets -= octets(range(p, r->edit[i].at, r->edit[i].to));
		r->octets += edit_octets(p, &r->edit[i]);
	}
}

void
recode_init(struct recode *r, struct span message, bool eight_bit)
{
	struct plan p = { .out = r, .in = message, .eight_bit = eight_bit };

	*r = (struct recode){ .edit = NULL };
	mime_parse(message, &p.mime);
	if (p.mime.n < MIME_PARTS_MAX)
		part_plan(&p, 0, true);
	else /* the last part may be several: hands off */
		leave(&p, message);
	plan_end(&p);
	mime_fini(&p.mime);
}

void
recode_fini(struct recode *r)
{
	free(r->edit);
	*r = (struct recode){ .edit = NULL };
}

/* --- the stream -------------------------------------------------------- */

void
recode_again(struct recode *r)
{
	r->at = 0;
	r->next = 0;
	r->entered = false;
}

static void
edit_enter(struct recode *r, const struct recode_edit *e, struct buf *out)
{
	r->entered = true;
	if (e->encode)
		encode_init(&r->encode, e->kind);
	else if (e->text != NULL)
		buf_str(out, e->text);
}

/* Whose place has come. */
static void
edit_run(struct recode *r, const struct recode_edit *e, struct span *in,
    struct buf *out)
{
	struct span s;

	if (!r->entered)
		edit_enter(r, e, out);
	s = span_take(in, (size_t)(e->to - r->at));
	if (e->encode)
		encode_bytes(&r->encode, s, out);
	r->at += s.n;
	if (r->at < e->to)
		return;
	if (e->encode)
		encode_end(&r->encode, out);
	r->entered = false;
	r->next++;
}

size_t
recode_bytes(
    struct recode *r, struct span piece, size_t enough, struct buf *out)
{
	const struct recode_edit *e;
	struct span in = piece, s;

	while (in.n > 0 && out->n < enough) {
		e = r->next < r->n ? &r->edit[r->next] : NULL;
		if (e != NULL && e->at <= r->at) {
			edit_run(r, e, &in, out);
			continue;
		}
		s = e == NULL ? in : span_slice(in, 0, (size_t)(e->at - r->at));
		span_take(&in, s.n);
		buf_span(out, s);
		r->at += s.n;
	}
	return piece.n - in.n;
}

void
recode_end(struct recode *r, struct buf *out)
{
	struct span none = SPAN_NONE;

	assert(r->next == r->n || r->edit[r->n - 1].to == r->at);
	while (r->next < r->n)
		edit_run(r, &r->edit[r->next], &none, out);
}
