/*
 * header: hostile headers. Fields must follow each other without a gap, be
 * inside the message, and be found again by name.
 */
#include "lib/header.h"

#include <assert.h>

#include "lib/chars.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span all = span_of(data, size), in = all;
	struct header_field f;
	size_t used = 0;

	while (header_next(&in, &f)) {
		assert(f.whole.p == all.p + used && f.whole.n > 1);
		used += f.whole.n;
		assert(used + in.n == all.n);
		assert(f.name.p == f.whole.p && f.name.n > 0);
		assert(chars_all(f.name, CH_FTEXT));
		assert(f.value.p > f.name.p + f.name.n - 1);
		assert(f.value.p + f.value.n <= f.whole.p + f.whole.n);
		assert(in.n == 0 || f.whole.p[f.whole.n - 1] == '\n');
		assert(in.n == 0 || !char_is(in.p[0], CH_BLANK));
	}
	assert(used + in.n == all.n);
	return 0;
}
