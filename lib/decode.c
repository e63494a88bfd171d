/*
 * decode: invariants: have < 4 digits, n < sizeof(held); what is held means
 * nothing yet. Base64 (RFC 2045 6.8): all that is no digit is passed over,
 * "=" ends a group; text after padding is decoded, too, as parts that were
 * joined have it. Quoted-printable (6.7): "=" without two digits stays.
 */
#include "lib/decode.h"

#include <string.h>

#include "lib/buf.h"
#include "lib/chars.h"

enum decode_kind
decode_kind(struct span encoding)
{
	if (span_ieq(encoding, SPAN("base64")))
		return DECODE_BASE64;
	if (span_ieq(encoding, SPAN("quoted-printable")))
		return DECODE_QP;
	return DECODE_NONE;
}

void
decode_init(struct decode *d, enum decode_kind kind)
{
	*d = (struct decode){ .kind = kind };
}

/* 0..63, or -1. */
static int
digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* The whole bytes of a group of `have` digits; returns past the last. */
static char *
end_group(struct decode *d, char *p)
{
	uint32_t v = d->bits << (24 - 6 * d->have);
	unsigned i;

	for (i = 0; i < d->have * 6 / 8; i++)
		*p++ = (char)(unsigned char)(v >> (16 - 8 * i) & 0xff);
	d->have = 0;
	d->bits = 0;
	return p;
}

static void
base64_bytes(struct decode *d, struct span in, struct buf *out)
{
	char *room = buf_room(out, in.n + 3), *p = room; /* digits, and held */
	size_t i;
	int v;

	if (room == NULL)
		return;
	for (i = 0; i < in.n; i++) {
		v = digit(in.p[i]);
		if (v != -1) {
			d->bits = d->bits << 6 | (uint32_t)v;
			d->have++;
		}
		if (d->have == 4 || in.p[i] == '=')
			p = end_group(d, p);
	}
	buf_grew(out, (size_t)(p - room));
}

static void
hold(struct decode *d, char c, struct buf *out)
{
	if (d->n == sizeof(d->held) - 1) { /* no such line: as it is */
		buf_bytes(out, d->held, d->n);
		d->n = 0;
	}
	d->held[d->n++] = c;
}

static void
let_go(struct decode *d, struct buf *out)
{
	buf_bytes(out, d->held, d->n);
	d->n = 0;
}

/* c after what is held, which begins with '='. false: not taken. */
static bool
after_equals(struct decode *d, char c, struct buf *out)
{
	if (d->n < 3 && char_is(c, CH_HEX) &&
	    (d->n == 1 || char_is(d->held[1], CH_HEX))) {
		hold(d, c, out);
		if (d->n == 3) {
			buf_char(out,
			    (char)(unsigned char)(char_hex(d->held[1]) << 4 |
				char_hex(c)));
			d->n = 0;
		}
		return true;
	}
	if (c == '\n' && (d->n == 1 || !char_is(d->held[1], CH_HEX))) {
		d->n = 0; /* a soft line end */
		return true;
	}
	if ((char_is(c, CH_BLANK) || c == '\r') &&
	    (d->n == 1 || !char_is(d->held[1], CH_HEX)) &&
	    d->n < sizeof(d->held) - 1) {
		hold(d, c, out);
		return true;
	}
	return false;
}

/* c when nothing is held but blanks, which go if the line ends. */
static void
qp_byte(struct decode *d, char c, struct buf *out)
{
	if (c == '\n') {
		if (d->n > 0 && d->held[d->n - 1] == '\r')
			buf_char(out, '\r');
		d->n = 0;
		buf_char(out, c);
	} else if (char_is(c, CH_BLANK) || c == '\r') {
		hold(d, c, out);
	} else {
		let_go(d, out);
		if (c == '=')
			hold(d, c, out);
		else
			buf_char(out, c);
	}
}

static void
qp_bytes(struct decode *d, struct span in, struct buf *out)
{
	size_t i;

	while (in.n > 0) {
		if (d->n > 0 && d->held[0] == '=') {
			if (after_equals(d, in.p[0], out))
				span_take(&in, 1);
			else
				let_go(d, out);
			continue;
		}
		for (i = 0; d->n == 0 && i < in.n; i++)
			if (in.p[i] == '=' || in.p[i] == '\r' ||
			    in.p[i] == '\n' || char_is(in.p[i], CH_BLANK))
				break;
		buf_span(out, span_take(&in, i));
		if (in.n > 0)
			qp_byte(d, span_take(&in, 1).p[0], out);
	}
}

void
decode_bytes(struct decode *d, struct span in, struct buf *out)
{
	switch (d->kind) {
	case DECODE_BASE64:
		base64_bytes(d, in, out);
		break;
	case DECODE_QP:
		qp_bytes(d, in, out);
		break;
	default:
		buf_span(out, in);
	}
}

void
decode_end(struct decode *d, struct buf *out)
{
	char bytes[3];

	if (d->kind == DECODE_BASE64)
		buf_bytes(out, bytes, (size_t)(end_group(d, bytes) - bytes));
	else if (d->n > 0 && d->held[0] == '=')
		let_go(d, out);
	d->n = 0;
}
