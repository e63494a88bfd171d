/*
 * recode: any bytes are a message. What comes out, whole or in pieces, has no
 * more than was noted of what a server would not take, as many octets as was
 * said, and the same parts with the same contents. The first byte says
 * whether eight bits may come out, the second how large the pieces are. "~" and
 * "`" are a thousand bytes, so that short inputs have long lines.
 */
#include "lib/recode.h"

#include <assert.h>

#include "lib/chars.h"
#include "lib/content.h"
#include "lib/decode.h"
#include "lib/limits.h"
#include "lib/mime.h"
#include "lib/mime_field.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
run(struct recode *r, struct span in, size_t step, struct buf *out)
{
	size_t used, before;

	recode_again(r);
	while (in.n > 0) {
		before = out->n;
		used = recode_bytes(
		    r, span_slice(in, 0, step), before + step, out);
		assert(out->n - before <= step + 4 * step + 256);
		assert(used > 0 || out->n > before);
		span_take(&in, used);
	}
	recode_end(r, out);
	assert(!out->bad);
}

/* What a part is to its reader: no CR, no blanks in front of a line end. */
static void
meaning(struct span message, const struct mime_part *p, struct buf *out)
{
	struct span in =
	    span_slice(message, (size_t)p->body.at, (size_t)p->end.at);
	struct decode d;
	struct buf b;
	size_t i;

	buf_init(&b, SIZE_MAX / 4);
	decode_init(&d, decode_kind(mime_encoding(p->field[MIME_ENCODING])));
	decode_bytes(&d, in, &b);
	decode_end(&d, &b);
	for (i = 0; i < b.n; i++) {
		while (b.p[i] == '\n' && out->n > 0 &&
		    char_is(out->p[out->n - 1], CH_BLANK))
			out->n--;
		if (b.p[i] != '\r')
			buf_char(out, b.p[i]);
	}
	while (out->n > 0 && char_is(out->p[out->n - 1], CH_BLANK))
		out->n--;
	buf_fini(&b);
}

static void
check_params(struct span a, struct span b)
{
	struct mime_params x, y;
	size_t i;

	mime_params_init(&x);
	mime_params_init(&y);
	mime_params_parse(&x, a);
	mime_params_parse(&y, b);
	assert(x.n == y.n);
	for (i = 0; i < x.n; i++) {
		assert(span_eq(mime_param_name(&x, i), mime_param_name(&y, i)));
		assert(
		    span_eq(mime_param_value(&x, i), mime_param_value(&y, i)));
	}
	mime_params_fini(&x);
	mime_params_fini(&y);
}

static void
check_part(struct span in, const struct mime_part *a, struct span out,
    const struct mime_part *b)
{
	struct buf x, y;

	assert(a->kind == b->kind && a->next == b->next);
	assert(span_ieq(a->type, b->type) && span_ieq(a->subtype, b->subtype));
	if (a->field[MIME_TYPE].p != NULL)
		check_params(a->params, b->params);
	if (a->kind != MIME_LEAF)
		return;
	buf_init(&x, SIZE_MAX / 4);
	buf_init(&y, SIZE_MAX / 4);
	meaning(in, a, &x);
	meaning(out, b, &y);
	assert(span_eq(buf_get(&x), buf_get(&y)));
	buf_fini(&x);
	buf_fini(&y);
}

static void
check_same(struct span in, struct span out)
{
	struct mime a, b;
	size_t i;

	mime_parse(in, &a);
	mime_parse(out, &b);
	assert(a.n == b.n);
	for (i = 0; i < a.n; i++)
		check_part(in, &a.part[i], out, &b.part[i]);
	mime_fini(&a);
	mime_fini(&b);
}

static uint64_t
octets(struct span s)
{
	uint64_t n = s.n;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == '\n';
	return n;
}

static void
check(struct span in, bool eight_bit, size_t step)
{
	struct buf whole, pieces;
	struct content c;
	struct recode r;

	buf_init(&whole, SIZE_MAX / 4);
	buf_init(&pieces, SIZE_MAX / 4);
	recode_init(&r, in, eight_bit);
	run(&r, in, in.n + 1, &whole);
	run(&r, in, step, &pieces);
	assert(span_eq(buf_get(&whole), buf_get(&pieces)));
	assert(octets(buf_get(&whole)) == r.octets);
	c = content_of(buf_get(&whole));
	assert(c.long_line == r.long_line);
	assert(!eight_bit || c.eight_bit == r.eight_bit);
	assert(r.eight_bit || !c.eight_bit); /* BODY=8BITMIME is said */
	check_same(in, buf_get(&whole));
	recode_fini(&r);
	buf_fini(&whole);
	buf_fini(&pieces);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf in;
	size_t i, wide = 0;

	if (size < 2)
		return 0;
	buf_init(&in, SIZE_MAX / 4);
	for (i = 2; i < size; i++)
		if ((data[i] == '~' || data[i] == '`') && wide++ < 16)
			for (int k = 0; k < 1000; k++)
				buf_char(&in,
				    data[i] == '~' && k % 100 == 0 ? ' ' : '-');
		else if (data[i] != '\r') /* not in a spool file */
			buf_char(&in, (char)data[i]);
	check(buf_get(&in), (data[0] & 1) != 0, data[1] % 64 + 1U);
	buf_fini(&in);
	return 0;
}
