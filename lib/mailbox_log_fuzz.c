/*
 * mailbox_log_fuzz: a log as it is on disk, and (with checksums made right)
 * records of any content: rows stay sorted, and nothing outside is touched.
 */
#include "lib/mailbox_impl.h"

#include <assert.h>

#include "lib/ipc.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check_table(const struct table *t)
{
	for (uint32_t i = 1; i < t->n; i++)
		assert(t->row[i - 1].m.uid < t->row[i].m.uid);
	assert(t->n == 0 || t->uidnext > t->row[t->n - 1].m.uid);
}

static void
as_log(struct span in)
{
	struct mailbox_log_head head = { .id = 1 };
	struct mailbox_log_record r;
	struct table t;
	uint64_t at = 0;

	table_init(&t);
	(void)mailbox_log_head_decode(in, &head);
	at += span_take(&in, MAILBOX_LOG_HEAD).n;
	do
		while (mailbox_log_take(&in, &at, head.id, &r) == 0)
			(void)table_apply(&t, &r, r.payload_at);
	while (mailbox_log_resync(&in, &at, head.id));
	check_table(&t);
	table_fini(&t);
}

/* Bytes: type, length (of up to 255), payload, and so on. */
static void
as_records(struct span in)
{
	struct mailbox_log_record r;
	struct table t;
	struct span rest;
	struct buf b;
	uint8_t type, n;
	uint64_t at;
	size_t start;

	table_init(&t);
	buf_init(&b, in.n * 32 + 64);
	while (get_u8(&in, &type) == 0 && get_u8(&in, &n) == 0) {
		start = mailbox_log_begin(&b, (enum mailbox_log_type)type, 0,
		    1);
		buf_span(&b, span_take(&in, n));
		mailbox_log_end(&b, start, 7, 0);
	}
	rest = buf_get(&b);
	at = 0;
	while (mailbox_log_take(&rest, &at, 7, &r) == 0)
		(void)table_apply(&t, &r, r.payload_at);
	assert(rest.n == 0 || b.bad);
	check_table(&t);
	buf_fini(&b);
	table_fini(&t);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	as_log(span_of(data, size));
	as_records(span_of(data, size));
	return 0;
}
