/*
 * parameter: hostile words behind MAIL. Asserts that each step takes
 * something, that what comes out lies inside the input and is harmless.
 */
#include "lib/parameter.h"

#include <assert.h>

#include "lib/chars.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static bool
is_inside(struct span part, struct span whole)
{
	return part.n == 0 || (part.p >= whole.p &&
	    part.p + part.n <= whole.p + whole.n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size), whole = in, keyword, value;
	size_t before = in.n;

	while (parameter_next(&in, &keyword, &value) == 1) {
		assert(in.n < before);
		before = in.n;
		assert(keyword.n > 0 && is_inside(keyword, whole));
		assert(is_inside(value, whole));
		assert(chars_all(keyword, CH_GRAPH));
		assert(chars_all(value, CH_GRAPH));
		assert(!span_has(keyword, '=') && !span_has(value, '='));
	}
	return 0;
}
