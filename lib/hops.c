/*
 * hops: counts the Received fields of a message that passes by in pieces.
 * Only the header matters: an empty line ends it.
 */
#include "lib/hops.h"

#include "lib/chars.h"
#include "lib/limits.h"

static const char name[] = "received:";

static void
line_end(struct hops *h)
{
	if (h->column == 0 && !h->other)
		h->ended = true;
	h->column = 0;
	h->other = false;
}

void
hops_scan(struct hops *h, struct span piece)
{
	char c;

	if (h->ended || h->seen > SMTP_HEADER_MAX)
		return;
	h->seen += piece.n;
	while (piece.n > 0 && !h->ended) {
		if (h->other) /* nothing more to see in this line */
			(void)span_take(&piece, span_find(piece, '\n'));
		if (piece.n == 0)
			return;
		c = *span_take(&piece, 1).p;
		if (c == '\n') {
			line_end(h);
		} else if (char_lower(c) != name[h->column]) {
			h->other = true;
		} else if (name[++h->column] == '\0') {
			h->count++;
			h->other = true;
		}
	}
}
