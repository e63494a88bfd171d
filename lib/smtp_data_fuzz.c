/*
 * smtp_data: hostile bytes through the framing. Asserts that splitting the
 * input changes nothing, that the end is found exactly where a naive second
 * reading finds CR LF . CR LF, and that what we send is one message again.
 */
#include "lib/smtp_data.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

enum { OUT_MAX = 1 << 22 };

/* Bytes up to and with the end of data; 0: no end. */
static size_t
naive_end(struct span in)
{
	size_t i;

	if (span_starts(in, SPAN(".\r\n")))
		return 3;
	for (i = 0; i + 5 <= in.n; i++)
		if (memcmp(in.p + i, "\r\n.\r\n", 5) == 0)
			return i + 5;
	return 0;
}

static size_t
feed(struct smtp_data *d, struct span in, size_t piece, struct buf *out)
{
	size_t used = 0, n, got;

	while (used < in.n && !d->done) {
		n = in.n - used < piece ? in.n - used : piece;
		got = smtp_data_in(d, span_of(in.p + used, n), out);
		assert(got == n || d->done);
		used += got;
	}
	return used;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct smtp_data whole = { 0 }, split = { 0 }, again = { 0 };
	struct smtp_data_out send = { 0 };
	struct buf a, b, wire, back;
	struct span in = span_of(data, size);
	size_t used, end, piece;

	buf_init(&a, OUT_MAX);
	buf_init(&b, OUT_MAX);
	buf_init(&wire, OUT_MAX);
	buf_init(&back, OUT_MAX);
	piece = size > 0 ? 1 + data[0] % 7 : 1;

	used = feed(&whole, in, size + 1, &a);
	assert(feed(&split, in, piece, &b) == used);
	assert(span_eq(buf_get(&a), buf_get(&b)));
	assert(whole.done == split.done && whole.octets == split.octets);
	assert(whole.bare_cr == split.bare_cr &&
	    whole.bare_lf == split.bare_lf && whole.nul == split.nul);

	end = naive_end(in);
	assert(whole.done == (end != 0));
	assert(used == (end != 0 ? end : size));
	assert(whole.octets <= used);

	/* Sent again it ends once, at its end, and is clean of bare bytes. */
	smtp_data_out(&send, buf_get(&a), &wire);
	smtp_data_end(&send, &wire);
	assert(naive_end(buf_get(&wire)) == wire.n);
	assert(feed(&again, buf_get(&wire), piece, &back) == wire.n);
	assert(again.done && !again.bare_cr && !again.bare_lf);
	if (whole.done && !whole.bare_cr && !whole.bare_lf)
		assert(span_eq(buf_get(&a), buf_get(&back)));

	buf_fini(&a);
	buf_fini(&b);
	buf_fini(&wire);
	buf_fini(&back);
	return 0;
}
