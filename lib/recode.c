/*
 * recode: first a plan, edits in the order of the message; then the message
 * runs past it. Here are its costs, and the run.
 */
#include "lib/recode_impl.h"

#include <assert.h>
#include <stdlib.h>

#include "lib/buf.h"

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
edit_octets(const struct recode_plan *p, const struct recode_edit *edit)
{
	struct span in = recode_range(p, edit->at, edit->to);
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
plan_end(struct recode_plan *p)
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
		r->octets -=
		    octets(recode_range(p, r->edit[i].at, r->edit[i].to));
		r->octets += edit_octets(p, &r->edit[i]);
	}
}

void
recode_init(struct recode *r, struct span message, bool eight_bit)
{
	struct recode_plan p = {
		.out = r, .in = message, .eight_bit = eight_bit
	};

	*r = (struct recode){ .edit = NULL };
	mime_parse(message, &p.mime);
	recode_plan(&p);
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
