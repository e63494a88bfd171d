/* What is read is written, and what is written is read as the same. */
#include <assert.h>

#include "lib/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf err, one, two;
	struct conf *c, *again;

	buf_init(&err, 1 << 20);
	buf_init(&one, 8 << 20);
	buf_init(&two, 8 << 20);
	c = conf_read_text(span_of(data, size), "fuzz", &err);
	assert((c == NULL) == (err.n != 0)); /* a refusal has its reason */
	if (c != NULL) {
		conf_write(c, false, &one);
		again = conf_read_text(buf_get(&one), "again", &err);
		assert(again != NULL);
		conf_write(again, false, &two);
		assert(span_eq(buf_get(&one), buf_get(&two)));
		conf_free(again);
	}
	conf_free(c);
	buf_fini(&err);
	buf_fini(&one);
	buf_fini(&two);
	return 0;
}
