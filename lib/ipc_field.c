/*
 * ipc_field: the fields of messages and of spool files. Numbers are big
 * endian; lengths precede bytes. A get_* that fails leaves input and output
 * as they were, so a decoder may be tried on anything.
 */
#include "lib/ipc.h"

#include "lib/chars.h"

static void
put_number(struct buf *b, uint64_t v, unsigned bytes)
{
	char c[8];

	for (unsigned i = 0; i < bytes; i++)
		c[i] = (char)(unsigned char)(v >> (8 * (bytes - 1 - i)) & 0xff);
	buf_bytes(b, c, bytes);
}

void
put_u8(struct buf *b, uint8_t v)
{
	put_number(b, v, 1);
}

void
put_u16(struct buf *b, uint16_t v)
{
	put_number(b, v, 2);
}

void
put_u32(struct buf *b, uint32_t v)
{
	put_number(b, v, 4);
}

void
put_u64(struct buf *b, uint64_t v)
{
	put_number(b, v, 8);
}

void
put_span(struct buf *b, struct span s)
{
	if (s.n > UINT32_MAX) {
		b->bad = true;
		return;
	}
	put_u32(b, (uint32_t)s.n);
	buf_span(b, s);
}

void
put_cut(struct buf *b, struct span s, size_t max)
{
	put_span(b, span_slice(s, 0, max));
}

static int
get_number(struct span *in, uint64_t *v, unsigned bytes)
{
	struct span s;
	uint64_t r = 0;
	size_t i;

	if (in->n < bytes)
		return -1;
	s = span_take(in, bytes);
	for (i = 0; i < s.n; i++)
		r = r << 8 | (unsigned char)s.p[i];
	*v = r;
	return 0;
}

int
get_u8(struct span *in, uint8_t *v)
{
	uint64_t r;

	if (get_number(in, &r, 1) == -1)
		return -1;
	*v = (uint8_t)r;
	return 0;
}

int
get_u16(struct span *in, uint16_t *v)
{
	uint64_t r;

	if (get_number(in, &r, 2) == -1)
		return -1;
	*v = (uint16_t)r;
	return 0;
}

int
get_u32(struct span *in, uint32_t *v)
{
	uint64_t r;

	if (get_number(in, &r, 4) == -1)
		return -1;
	*v = (uint32_t)r;
	return 0;
}

int
get_u64(struct span *in, uint64_t *v)
{
	return get_number(in, v, 8);
}

int
get_span(struct span *in, struct span *out, size_t max)
{
	struct span rest = *in;
	uint32_t n;

	if (get_u32(&rest, &n) == -1 || n > max || n > rest.n)
		return -1;
	*out = span_take(&rest, n);
	*in = rest;
	return 0;
}

int
get_text(struct span *in, struct span *out, size_t max)
{
	struct span rest = *in, s;
	size_t i;

	if (get_span(&rest, &s, max) == -1)
		return -1;
	for (i = 0; i < s.n; i++)
		if (char_is(s.p[i], CH_CTL))
			return -1;
	*out = s;
	*in = rest;
	return 0;
}
