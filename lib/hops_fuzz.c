/*
 * hops: hostile headers. Asserts that cutting changes nothing, and that an
 * independent count by lines agrees.
 */
#include "lib/hops.h"

#include <assert.h>

#include "lib/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static unsigned
naive(struct span in)
{
	struct span line;
	unsigned count = 0;
	bool whole;

	while (in.n > 0) {
		whole = span_has(in, '\n');
		line = span_cut(&in, '\n');
		if (line.n == 0 && whole)
			break;
		if (span_istarts(line, SPAN("received:")))
			count++;
	}
	return count;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hops whole = { 0 }, split = { 0 };
	struct span in = span_of(data, size);
	size_t piece = size > 0 ? 1 + data[0] % 9 : 1, at;

	if (size > SMTP_HEADER_MAX)
		return 0;
	hops_scan(&whole, in);
	for (at = 0; at < size; at += piece)
		hops_scan(&split, span_slice(in, at, at + piece));
	assert(whole.count == split.count && whole.ended == split.ended);
	assert(whole.count == naive(in));
	return 0;
}
