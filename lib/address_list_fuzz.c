/*
 * address_list: any bytes. Groups must begin and end in turns, each step must
 * go forward, and no text may be longer than the field.
 */
#include "lib/address_list.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct address_list l;
	struct address a;
	bool group = false, ended = false;
	size_t left = size, sum = 0;

	address_list_init(&l, span_of(data, size));
	while (address_list_next(&l, &a)) {
		assert(!ended);
		assert(l.in.n < left ||
		    (a.kind == ADDRESS_GROUP_END && left == 0));
		ended = l.in.n == 0 && a.kind == ADDRESS_GROUP_END;
		left = l.in.n;
		assert(a.name.n <= size && a.route.n <= size &&
		    a.mailbox.n <= size && a.domain.n <= size);
		assert((a.kind == ADDRESS_GROUP_END) ==
		    (group && a.kind != ADDRESS_MAILBOX));
		sum += span_find(a.name, 'x') + span_find(a.route, 'x') +
		    span_find(a.mailbox, 'x') + span_find(a.domain, 'x');
		if (a.kind != ADDRESS_MAILBOX)
			group = !group;
	}
	assert(!group && l.in.n == 0 && sum <= 4 * (size + 1) * (size + 1));
	address_list_fini(&l);
	return 0;
}
