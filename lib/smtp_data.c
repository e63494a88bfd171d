/*
 * smtp_data: the framing of a message after DATA.
 *
 *	         other   CR      LF      .       NUL
 *	BOL      MID     CR      MID*    DOT     MID*     after CR LF
 *	MID      MID     CR      MID*    MID     MID*     inside a line
 *	CR       MID*    CR*     BOL     MID*    MID*     a CR is held back
 *	DOT      MID     DOTCR   MID*    MID     MID*     its dot is dropped
 *	DOTCR    MID*    CR*     end     MID*    MID*     CR held, dot dropped
 *
 * A star remembers that something bare was seen. Invariants: only the state
 * DOTCR ends a message, and only CR LF leads to BOL, so no other bytes can
 * be a line end or an end of data to us, whatever they are to others.
 *
 * Runs without CR, LF and NUL inside a line are found by memchr and copied
 * whole; only the bytes between runs walk through the table.
 */
#include "lib/smtp_data.h"

#include <assert.h>
#include <string.h>

enum state { BOL, MID, CR, DOT, DOTCR, STATES };
enum class { C_OTHER, C_CR, C_LF, C_DOT, C_NUL, CLASSES };

enum {
	PUT = 1,  /* append this byte */
	HELD = 2, /* append the CR held back; it was bare */
	BARE_LF = 4,
	NUL = 8,
	EOL = 16, /* CR LF: two octets, appended as one LF */
	END = 32,
};

struct step {
	unsigned char next, act;
};

static const struct step steps[STATES][CLASSES] = {
	[BOL] = {
		[C_OTHER] = { MID, PUT },
		[C_CR] = { CR, 0 },
		[C_LF] = { MID, PUT | BARE_LF },
		[C_DOT] = { DOT, 0 },
		[C_NUL] = { MID, PUT | NUL },
	},
	[MID] = {
		[C_OTHER] = { MID, PUT },
		[C_CR] = { CR, 0 },
		[C_LF] = { MID, PUT | BARE_LF },
		[C_DOT] = { MID, PUT },
		[C_NUL] = { MID, PUT | NUL },
	},
	[CR] = {
		[C_OTHER] = { MID, HELD | PUT },
		[C_CR] = { CR, HELD },
		[C_LF] = { BOL, PUT | EOL },
		[C_DOT] = { MID, HELD | PUT },
		[C_NUL] = { MID, HELD | PUT | NUL },
	},
	[DOT] = { /* RFC 5321 4.5.2: a dot before other text is deleted */
		[C_OTHER] = { MID, PUT },
		[C_CR] = { DOTCR, 0 },
		[C_LF] = { MID, PUT | BARE_LF },
		[C_DOT] = { MID, PUT },
		[C_NUL] = { MID, PUT | NUL },
	},
	[DOTCR] = {
		[C_OTHER] = { MID, HELD | PUT },
		[C_CR] = { CR, HELD },
		[C_LF] = { BOL, END }, /* RFC 5321 4.1.1.4 */
		[C_DOT] = { MID, HELD | PUT },
		[C_NUL] = { MID, HELD | PUT | NUL },
	},
};

static const unsigned char classes[256] = {
	['\r'] = C_CR,
	['\n'] = C_LF,
	['.'] = C_DOT,
	['\0'] = C_NUL,
};

/* The first c in [p, end), or end. */
static const char *
scan(const char *p, const char *end, int c)
{
	const char *at = memchr(p, c, (size_t)(end - p));

	return at != NULL ? at : end;
}

/* One byte through the table; returns the new end of the output. */
static char *
step(struct smtp_data *d, char c, char *o)
{
	const struct step *s = &steps[d->state][classes[(unsigned char)c]];

	if (s->act & HELD) {
		d->bare_cr = true;
		d->octets++;
		*o++ = '\r';
	}
	if (s->act & PUT) {
		d->octets += s->act & EOL ? 2 : 1;
		*o++ = c;
	}
	if (s->act & BARE_LF)
		d->bare_lf = true;
	if (s->act & NUL)
		d->nul = true;
	if (s->act & END)
		d->done = true;
	d->state = s->next;
	return o;
}

size_t
smtp_data_in(struct smtp_data *d, struct span in, struct buf *out)
{
	const char *p = in.p, *end, *cr, *nul, *stop;
	char *start, *o;

	assert(d->state >= 0 && d->state < STATES);
	if (d->done || in.n == 0)
		return 0;
	/* Each byte gives at most itself, and a CR held before may come. */
	if ((start = o = buf_room(out, in.n + 2)) == NULL)
		return in.n;
	end = p + in.n;
	cr = scan(p, end, '\r');
	nul = scan(p, end, '\0');
	while (p < end && !d->done) {
		if (d->state == MID) {
			/* Found once, used until passed: linear, always. */
			if (cr < p)
				cr = scan(p, end, '\r');
			if (nul < p)
				nul = scan(p, end, '\0');
			stop = scan(p, cr < nul ? cr : nul, '\n');
			memcpy(o, p, (size_t)(stop - p));
			o += stop - p;
			d->octets += (uint64_t)(stop - p);
			if ((p = stop) == end)
				break;
		}
		o = step(d, *p++, o);
	}
	assert((size_t)(o - start) <= in.n + 2);
	buf_grew(out, (size_t)(o - start));
	return (size_t)(p - in.p);
}

enum { OUT_BOL, OUT_MID };

void
smtp_data_out(struct smtp_data_out *d, struct span in, struct buf *out)
{
	const char *p = in.p, *end = in.p + in.n, *lf = NULL, *stop;

	while (p < end) {
		if (*p == '\r') { /* comes back before each LF, nowhere else */
			p++;
			continue;
		}
		if (*p == '\n') {
			buf_bytes(out, "\r\n", 2);
			d->state = OUT_BOL;
			p++;
			continue;
		}
		if (d->state == OUT_BOL && *p == '.')
			buf_char(out, '.'); /* RFC 5321 4.5.2 */
		if (lf == NULL || lf < p)
			lf = scan(p, end, '\n');
		stop = scan(p, lf, '\r');
		buf_bytes(out, p, (size_t)(stop - p));
		d->state = OUT_MID;
		p = stop;
	}
}

void
smtp_data_end(struct smtp_data_out *d, struct buf *out)
{
	if (d->state == OUT_MID)
		buf_bytes(out, "\r\n", 2);
	buf_bytes(out, ".\r\n", 3);
	d->state = OUT_BOL;
}
