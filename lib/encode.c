/*
 * encode: a byte makes a unit ("a", "=3D", four digits) that is not broken;
 * invariants: column is what the line in hand has, have < 3, keep <= 2.
 *
 * A "-" in front of a line is quoted: text in which a long line was broken
 * just before "--" and a boundary would fall into two parts.
 */
#include "lib/encode.h"

#include "lib/buf.h"
#include "lib/chars.h"
#include "lib/limits.h"

enum {
	LINE = 76,        /* RFC 2045 6.7 (5), 6.8 */
	LINE_AGAIN = 500, /* its own breaks are good enough */
};

void
encode_init(struct encode *e, enum encode_kind kind)
{
	*e = (struct encode){ .kind = kind };
}

/* --- quoted-printable -------------------------------------------------- */

static char *
soft_break(struct encode *e, size_t unit, size_t max, char *o)
{
	if (e->column + unit < max) /* "=" has room, too */
		return o;
	*o++ = '=';
	*o++ = '\n';
	e->column = 0;
	return o;
}

static char *
quoted(struct encode *e, char c, size_t max, char *o)
{
	static const char digits[] = "0123456789ABCDEF";

	o = soft_break(e, 3, max, o);
	*o++ = '=';
	*o++ = digits[(unsigned char)c >> 4];
	*o++ = digits[(unsigned char)c & 15];
	e->column += 3;
	return o;
}

static char *
plain(struct encode *e, char c, size_t max, char *o)
{
	o = soft_break(e, 1, max, o);
	if (c == '-' && e->column == 0)
		return quoted(e, c, max, o);
	*o++ = c;
	e->column++;
	return o;
}

static char *
line_end(struct encode *e, char *o)
{
	if (e->blank != '\0') /* RFC 2045 6.7 (3) */
		o = quoted(e, e->blank, LINE, o);
	e->blank = '\0';
	e->column = 0;
	*o++ = '\n';
	return o;
}

static char *
qp_byte(struct encode *e, char c, char *o)
{
	if (c == '\r')
		return o;
	if (c == '\n')
		return line_end(e, o);
	if (e->blank != '\0')
		o = plain(e, e->blank, LINE, o);
	e->blank = '\0';
	if (char_is(c, CH_BLANK)) {
		e->blank = c;
		return o;
	}
	if (c == '=' || !char_is(c, CH_GRAPH))
		return quoted(e, c, LINE, o);
	return plain(e, c, LINE, o);
}

/* "=" and what it quotes stay together, as do "=", blanks and the line end. */
static char *
kept_byte(struct encode *e, char c, char *o)
{
	if (e->keep < 2 || !char_is(c, CH_BLANK) ||
	    e->column == SMTP_TEXT_LINE_MAX - 2)
		e->keep--;
	*o++ = c;
	e->column++;
	return o;
}

static char *
qp_again_byte(struct encode *e, char c, char *o)
{
	unsigned keep = e->keep;

	if (c == '\r')
		return o;
	e->keep = 0;
	if (c == '\n')
		return line_end(e, o);
	if ((c & 0x80) != 0)
		return quoted(e, c, LINE_AGAIN, o);
	if (c == '=') {
		o = soft_break(e, 3, LINE_AGAIN, o);
		e->keep = 2;
	} else if (keep > 0) {
		e->keep = keep;
		return kept_byte(e, c, o);
	}
	return plain(e, c, LINE_AGAIN, o);
}

/* --- base64 ------------------------------------------------------------ */

static char *
base64_group(struct encode *e, char *o)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t v = e->bits << (24 - 8 * e->have);
	unsigned i;

	if (e->column == LINE) {
		*o++ = '\n';
		e->column = 0;
	}
	for (i = 0; i < 4; i++)
		*o++ = i <= e->have ? digits[v >> (18 - 6 * i) & 63] : '=';
	e->column += 4;
	e->have = 0;
	e->bits = 0;
	return o;
}

static char *
base64_octet(struct encode *e, char c, char *o)
{
	e->bits = e->bits << 8 | (unsigned char)c;
	return ++e->have == 3 ? base64_group(e, o) : o;
}

static char *
base64_byte(struct encode *e, char c, char *o)
{
	if (c == '\r')
		return o;
	if (c == '\n') /* RFC 2045 6.8: canonical form first */
		o = base64_octet(e, '\r', o);
	return base64_octet(e, c, o);
}

/* Nobody decodes what is no digit: it goes. */
static char *
base64_again_byte(struct encode *e, char c, char *o)
{
	if (c == '\n') {
		e->column = 0;
	} else if (!char_is(c, CH_BASE64) && c != '=') {
		return o;
	} else if (e->column++ == LINE) {
		*o++ = '\n';
		e->column = 1;
	}
	*o++ = c;
	return o;
}

/* --- all of them ------------------------------------------------------- */

void
encode_bytes(struct encode *e, struct span in, struct buf *out)
{
	static char *(*const byte[])(struct encode *, char, char *) = {
		[ENCODE_QP] = qp_byte,
		[ENCODE_BASE64] = base64_byte,
		[ENCODE_QP_AGAIN] = qp_again_byte,
		[ENCODE_BASE64_AGAIN] = base64_again_byte,
	};
	char *room = buf_room(out, 4 * in.n + 8), *o = room;
	size_t i;

	if (room == NULL)
		return;
	for (i = 0; i < in.n; i++)
		o = byte[e->kind](e, in.p[i], o);
	buf_grew(out, (size_t)(o - room));
}

void
encode_end(struct encode *e, struct buf *out)
{
	char end[8], *o = end;

	if (e->blank != '\0')
		o = quoted(e, e->blank, LINE, o);
	if (e->have > 0)
		o = base64_group(e, o);
	e->blank = '\0';
	buf_bytes(out, end, (size_t)(o - end));
}

enum encode_kind
encode_shorter(struct span text)
{
	uint64_t n = text.n, lines = 0, quoted_n = 0, qp, base64;
	size_t i;

	for (i = 0; i < text.n; i++)
		if (text.p[i] == '\n')
			lines++;
		else if (text.p[i] == '=' ||
		    (!char_is(text.p[i], CH_GRAPH | CH_BLANK)))
			quoted_n++;
	qp = n + 2 * quoted_n;
	qp += qp / (LINE - 1) * 2;
	base64 = (n + lines) / 3 * 4;
	base64 += base64 / LINE;
	return base64 < qp ? ENCODE_BASE64 : ENCODE_QP;
}
