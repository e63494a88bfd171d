/*
 * mailbox_map_fuzz: a map and a cache as they are on disk; a map is tried
 * with its checksums made right, too. What decodes, encodes to a map that
 * says the same.
 */
#include "lib/mailbox_impl.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/crc.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

enum { HEAD = 128, BODY_CRC_AT = 90 };

static void
check(struct span in)
{
	struct table t, again;
	uint64_t id, at, id2, at2;
	struct buf b;

	table_init(&t);
	table_init(&again);
	buf_init(&b, in.n * 2 + 1000);
	if (mailbox_map_decode(in, &t, &id, &at) == 0) {
		for (uint32_t i = 1; i < t.n; i++)
			assert(t.row[i - 1].m.uid < t.row[i].m.uid);
		mailbox_map_encode(&b, &t, id, at);
		assert(!b.bad && b.n == in.n);
		assert(mailbox_map_decode(buf_get(&b), &again, &id2, &at2) ==
			0 && again.n == t.n && id2 == id && at2 == at);
	}
	table_fini(&t);
	table_fini(&again);
	buf_fini(&b);
}

static void
store(char *p, uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		p[i] = (char)(unsigned char)(v >> (8 * (3 - i)) & 0xff);
}

static void
mended(struct span in)
{
	char *copy;

	if (in.n < HEAD)
		return;
	copy = malloc(in.n);
	if (copy == NULL)
		return;
	memcpy(copy, in.p, in.n);
	store(copy + BODY_CRC_AT, crc32c(0, copy + HEAD, in.n - HEAD));
	store(copy + HEAD - 4, crc32c(0, copy, HEAD - 4));
	check(span_of(copy, in.n));
	free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size), rec;
	uint32_t uid;

	check(in);
	mended(in);
	span_take(&in, 16);
	while (mailbox_cache_entry(&in, &uid, &rec) == 0)
		assert(uid != 0);
	return 0;
}
