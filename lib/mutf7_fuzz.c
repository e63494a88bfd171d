/*
 * mutf7_fuzz: names from clients and from disk. What decodes is UTF-8 and
 * encodes to the same bytes again: no name has two spellings.
 */
#include "lib/mutf7.h"

#include <assert.h>

#include "lib/chars.h"
#include "lib/folders_impl.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size);
	struct buf a, b;

	buf_init(&a, size * 4 + 16);
	buf_init(&b, size * 8 + 16);
	if (mutf7_decode(in, &a) == 0) {
		assert(utf8_ok(buf_get(&a)));
		assert(mutf7_encode(buf_get(&a), &b) == 0);
		assert(span_eq(buf_get(&b), in));
	}
	buf_clear(&a);
	if (folder_from_disk(in, &a) == 0) {
		assert(folder_name_ok(buf_get(&a)));
		assert(folder_disk(buf_get(&a), &b) == 0);
		assert(span_eq(buf_get(&b), in));
	}
	buf_clear(&a);
	if (mutf7_encode(in, &a) == 0) {
		buf_clear(&b);
		assert(mutf7_decode(buf_get(&a), &b) == 0);
		assert(span_eq(buf_get(&b), in));
	}
	(void)folder_matches(span_slice(in, 0, size / 2),
	    span_slice(in, size / 2, size));
	buf_fini(&a);
	buf_fini(&b);
	return 0;
}
