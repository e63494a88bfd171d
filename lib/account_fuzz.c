/* What is believed is clean, and encodes to the same bytes. */
#include <assert.h>

#include "lib/account.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size);
	struct account a;
	struct buf b;

	if (account_decode(in, &a) == -1)
		return 0;
	assert(account_path_below(a.mailbox, a.root));
	assert(!span_has(a.mailbox, '\0') && !span_has(a.user, '\0'));
	buf_init(&b, 1 << 16);
	account_encode(&b, &a);
	assert(span_eq(buf_get(&b), in));
	buf_fini(&b);
	return 0;
}
