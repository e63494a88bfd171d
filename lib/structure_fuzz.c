/*
 * structure: a record from a damaged disk. What opens must be readable by
 * all, and told by RFC 3501's grammar.
 */
#include "lib/structure.h"

#include <assert.h>

#include "t/unit/structure_told.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static bool
touch(const struct structure_part *p, void *arg)
{
	uint64_t *sum = arg;

	assert(p->header <= p->body && p->body <= p->end);
	assert(p->type.n > 0 && p->subtype.n > 0 && p->encoding.n > 0);
	*sum += p->header_size + p->body_size + p->mime_size;
	*sum += span_find(p->charset, 'x') + span_find(p->type, 'x');
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t path[] = { 1, 2, 1, 1, 3 };
	struct structure_part p;
	struct structure s;
	uint64_t sum = 0;
	struct span v;
	size_t i;

	if (structure_open(span_of(data, size), &s) == -1)
		return 0;
	sum += structure_size(&s);
	for (i = 0; i <= FIELD_MESSAGE_ID; i++)
		if (structure_field(&s, (enum structure_field)i, &v))
			sum += span_find(v, 'x');
	structure_each(&s, touch, &sum);
	for (i = 0; i <= nitems(path); i++)
		if (structure_find(&s, path, i, &p) == 0)
			(void)touch(&p, &sum);
	structure_must_be_told(&s);
	return 0;
}
