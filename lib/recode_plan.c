/*
 * recode_plan: what becomes of each part. Invariants: edits do not overlap
 * and their places do not go down; what no edit covers is copied.
 *
 * - a part of no encoding gets the shorter of quoted-printable and base64;
 *   one that is encoded already keeps its encoding and is only put right
 * - what says 8bit says 7bit if there is nothing in it, or is no more
 * - what stands before the first and after the last delimiter goes if it
 *   cannot stay: nobody is to show it (RFC 2046 5.1.1), and a line of it, once
 *   changed, could be a delimiter
 * - what cannot be changed is noted, and the caller decides
 * - DKIM (RFC 6376), ARC: a signature is worth more than short lines, since
 *   forwarded mail often has nothing else to show; but not more than 7 bits,
 *   which its signer was told to see to (RFC 6376 5.3)
 */
#include "lib/recode_impl.h"

#include <assert.h>

#include "lib/buf.h"
#include "lib/chars.h"
#include "lib/content.h"
#include "lib/decode.h"
#include "lib/die.h"
#include "lib/limits.h"
#include "lib/mime_field.h"

static const char as_qp[] = "Content-Transfer-Encoding: quoted-printable\n";
static const char as_base64[] = "Content-Transfer-Encoding: base64\n";
static const char as_7bit[] = "Content-Transfer-Encoding: 7bit\n";
/* RFC 1428 3; but who sends no charset mostly means UTF-8. */
static const char as_utf8[] = "Content-Type: text/plain; charset=utf-8\n";
static const char as_unknown[] =
    "Content-Type: text/plain; charset=unknown-8bit\n";

struct recode_edit *
recode_edit_add(
    struct recode_plan *p, uint64_t at, uint64_t to, const char *text)
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

struct span
recode_range(const struct recode_plan *p, uint64_t at, uint64_t to)
{
	return span_slice(p->in, (size_t)at, (size_t)to);
}

/* Should it not be sent? */
static bool
is_bad(const struct recode_plan *p, struct content c)
{
	return c.long_line || (c.eight_bit && p->eight_bit);
}

void
recode_leave(struct recode_plan *p, struct span s)
{
	struct content c = content_of(s);

	p->out->eight_bit |= c.eight_bit;
	p->out->long_line |= c.long_line;
}

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
part_leave(struct recode_plan *p, const struct mime_part *part)
{
	recode_header(p, part, &(struct recode_fields){ .encoding = NULL });
	recode_leave(p, recode_range(p, part->body.at, part->end.at));
}

/* There is nothing to encode; 8bit is less than the truth. */
static void
leaf_name(struct recode_plan *p, const struct mime_part *part)
{
	struct recode_fields x = { .encoding = NULL };

	if (p->eight_bit && says_eight_bit(part))
		x.encoding = as_7bit;
	recode_header(p, part, &x);
}

static void
leaf_plan(struct recode_plan *p, const struct mime_part *part, bool letter)
{
	struct span body = recode_range(p, part->body.at, part->end.at);
	struct recode_fields x = { .encoding = NULL };
	struct content c = content_of(body);
	enum label label = label_of(part);
	struct recode_edit *e;
	enum encode_kind kind;

	if (!c.long_line && !c.eight_bit) {
		leaf_name(p, part);
		return;
	}
	if (!is_bad(p, c) || label == L_OTHER || !may_be_encoded(part)) {
		part_leave(p, part);
		return;
	}
	kind = label == L_QP    ? ENCODE_QP_AGAIN
	    : label == L_BASE64 ? ENCODE_BASE64_AGAIN
				: encode_shorter(body);
	/* In words that all readers know, also where it is what it was. */
	x.encoding = kind == ENCODE_QP || kind == ENCODE_QP_AGAIN ? as_qp
								  : as_base64;
	x.blank = true;
	if (label == L_PLAIN) {
		x.version = letter;
		if (part->field[MIME_TYPE].p == NULL && c.eight_bit)
			x.type = utf8_ok(body) ? as_utf8 : as_unknown;
	}
	recode_header(p, part, &x);
	e = recode_edit_add(p, part->body.at, part->end.at, NULL);
	e->encode = true;
	e->kind = kind;
	if (kind == ENCODE_BASE64 && part->end.at == p->in.n)
		recode_edit_add(p, part->end.at, part->end.at, "\n");
}

/* Between parts: a part's line end, a delimiter, what nobody is to show. */
static void
gap_plan(struct recode_plan *p, uint64_t at, uint64_t to, bool first, bool last)
{
	struct span gap = recode_range(p, at, to), shown = gap;
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
	if (shown.n == 0 || !is_bad(p, content_of(shown))) {
		recode_leave(p, gap);
		return;
	}
	at = recode_place(p, shown.p);
	recode_edit_add(p, at, at + shown.n, NULL);
	recode_leave(p, span_slice(gap, 0, (size_t)(shown.p - gap.p)));
	recode_leave(
	    p, span_slice(gap, (size_t)(shown.p - gap.p) + shown.n, gap.n));
}

static void part_plan(struct recode_plan *, size_t i, bool letter);

static void
children_plan(struct recode_plan *p, size_t i)
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
container_plan(struct recode_plan *p, size_t i)
{
	const struct mime_part *part = &p->mime.part[i];
	struct recode_fields x = { .encoding = NULL };
	bool before;

	if (p->eight_bit && says_eight_bit(part))
		x.encoding = as_7bit;
	recode_header(p, part, &x);
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
is_open(const struct recode_plan *p, const struct mime_part *part)
{
	if (label_of(part) != L_PLAIN || /* in spite of RFC 2045 6.4 */
	    (part->kind == MIME_MULTIPART &&
		span_ieq(part->subtype, SPAN("signed"))))
		return false;
	/* Else what is added to a header below might belong to this one. */
	return recode_header_ends(p, part);
}

static void
part_plan(struct recode_plan *p, size_t i, bool letter)
{
	const struct mime_part *part = &p->mime.part[i];

	if (part->kind == MIME_LEAF)
		leaf_plan(p, part, letter);
	else if (is_open(p, part))
		container_plan(p, i);
	else
		part_leave(p, part);
}

void
recode_plan(struct recode_plan *p)
{
	bool several = p->mime.n == MIME_PARTS_MAX; /* in the last part */

	if (several || (!p->eight_bit && recode_header_signs(p)))
		recode_leave(p, p->in);
	else
		part_plan(p, 0, true);
}
