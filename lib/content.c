/*
 * content: eight bytes at a time for the high bits. For the lines a search
 * backwards: where a line could be too long, only the line end nearest below
 * the limit is looked for, so most bytes are never touched.
 */
#include "lib/content.h"

#include <string.h>

#include "lib/limits.h"

bool
content_eight_bit(struct span s)
{
	uint64_t all = 0, w[4];
	size_t i = 0;

	for (; s.n - i >= sizeof(w); i += sizeof(w)) {
		memcpy(w, s.p + i, sizeof(w));
		all |= w[0] | w[1] | w[2] | w[3];
	}
	for (; i < s.n; i++)
		all |= (unsigned char)s.p[i];
	return (all & 0x8080808080808080U) != 0;
}

/* The line before the piece had column bytes; returns those of its last. */
static size_t
lines(struct span s, size_t column, bool *is_long)
{
	struct span front;
	size_t room, lf;

	for (;;) {
		room = column > SMTP_TEXT_LINE_MAX
		    ? 0
		    : SMTP_TEXT_LINE_MAX - column;
		if (s.n <= room) /* even if there is no line end in it */
			break;
		front = span_slice(s, 0, room + 1);
		lf = span_rfind(front, '\n');
		if (lf == front.n) {
			*is_long = true;
			return 0;
		}
		span_take(&s, lf + 1);
		column = 0;
	}
	lf = span_rfind(s, '\n');
	return lf == s.n ? column + s.n : s.n - lf - 1;
}

void
content_scan(struct content *c, struct span piece)
{
	if (!c->eight_bit)
		c->eight_bit = content_eight_bit(piece);
	if (!c->long_line)
		c->column = lines(piece, c->column, &c->long_line);
}
