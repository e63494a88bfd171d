/* base64: what decodes has one text, and every text decodes to its bytes. */
#include "lib/base64.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size);
	struct buf a, b, small;

	buf_init(&a, 2 * size + 4);
	buf_init(&b, 2 * size + 4);
	buf_init(&small, size / 2);
	if (base64_decode(in, &a) == 0) {
		assert(a.n == size / 4 * 3 - span_has(in, '=') -
		        span_ends(in, SPAN("==")));
		base64_encode(&b, buf_get(&a));
		assert(span_eq(in, buf_get(&b)));
	}
	if (base64_decode(in, &small) == 0)
		assert(!small.bad && span_eq(buf_get(&small), buf_get(&a)));
	buf_clear(&a);
	buf_clear(&b);
	base64_encode(&a, in);
	assert(a.n == (size + 2) / 3 * 4);
	assert(base64_decode(buf_get(&a), &b) == 0);
	assert(span_eq(in, buf_get(&b)));
	buf_fini(&a);
	buf_fini(&b);
	buf_fini(&small);
	return 0;
}
