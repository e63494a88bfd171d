/*
 * imap_out: any calls of legal shape with any strings. What comes out must
 * be responses by RFC 3501's grammar, and nothing else. Each byte is a call;
 * a string is a length byte and the bytes.
 */
#include "lib/imap_out.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/buf.h"
#include "t/unit/imap_grammar.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

enum { DEEP = 100 };

static struct buf said;

static int
sink(void *arg, struct span s)
{
	(void)arg;
	buf_span(&said, s);
	return 0;
}

static unsigned
next(struct span *in)
{
	return in->n == 0 ? 0 : (unsigned char)span_take(in, 1).p[0];
}

static struct span
next_string(struct span *in)
{
	unsigned n = next(in);

	return span_take(in, n < 250 ? n : n * 8);
}

/* A status line with text of strangers, which must end at a NUL. */
static void
say_status(struct imap_out *o, struct span *in)
{
	unsigned c = next(in);
	struct span s = next_string(in);
	char *code = NULL, *text;

	text = span_dup(next_string(in));
	if (s.n > 0 && !span_has(s, '\0') &&
	    asprintf(&code, "X-%c %.*s", 'A' + (int)(c % 16), SPAN_FMT(s)) < 0)
		code = NULL;
	if (c % 7 == 0)
		out_continue(o, text == NULL ? "" : text);
	else
		out_status(o, c % 2 ? SPAN("a.1") : SPAN_NONE, c % 5, code,
		    text == NULL ? "" : text);
	free(code);
	free(text);
}

static void
say_item(struct imap_out *o, unsigned call, struct span *in)
{
	uint32_t set[8];
	struct span s;
	size_t i, n;

	switch (call) {
	case 0:
		out_string(o, next_string(in));
		break;
	case 1:
		out_astring(o, next_string(in));
		break;
	case 2:
		s = next_string(in);
		out_nstring(o, s, s.n % 2 == 1);
		break;
	case 3:
		out_num(o, next(in) * UINT64_C(0x0101010101010101));
		break;
	case 4:
		s = next_string(in);
		out_literal(o, s.n);
		out_literal_bytes(o, span_slice(s, 0, s.n / 2));
		out_literal_bytes(o, span_slice(s, s.n / 2, s.n));
		break;
	case 5:
		n = next(in) % nitems(set) + 1;
		for (i = 0; i < n; i++)
			set[i] = (i == 0 ? 0 : set[i - 1]) + 1 + next(in) % 3;
		out_set(o, set, n);
		break;
	case 6:
		out_date_time(
		    o, (int64_t)(next(in) * UINT64_C(0x0101010101010101)));
		break;
	case 7:
		out_atom(o, "BODY[HEADER.FIELDS");
		out_open(o);
		out_astring(o, next_string(in));
		out_close(o);
		out_tight(o);
		out_atom(o, "]");
		break;
	default:
		out_atom(o, call % 2 ? "\\Seen" : "FLAGS");
	}
}

static void
say_line(struct imap_out *o, struct span *in)
{
	unsigned c;

	out_untagged(o);
	while (in->n > 0 && (c = next(in) % 16) != 15)
		if (c == 13 && o->depth < DEEP)
			out_open(o);
		else if (c == 14 && o->depth > 0)
			out_close(o);
		else
			say_item(o, c, in);
	while (o->depth > 0)
		out_close(o);
	out_end(o);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size), s;
	struct imap_out o;
	bool good;

	buf_init(&said, 64 << 20);
	out_init(&o, sink, NULL);
	o.utf8 = g_utf8 = size > 0 && data[0] >= 0x80;
	while (in.n > 0)
		if (next(&in) % 4 == 0)
			say_status(&o, &in);
		else
			say_line(&o, &in);
	assert(out_flush(&o) == 0 && !said.bad);
	for (s = buf_get(&said), good = true; good && s.n > 0;)
		good = g_response(&s);
	assert(good);
	out_fini(&o);
	buf_fini(&said);
	return 0;
}
