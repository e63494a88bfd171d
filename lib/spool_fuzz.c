/*
 * spool: a hostile disk. The input is read as it is; then once more with the
 * checksums of head, envelope and records put right, so that what is behind
 * them is reached. What is accepted must be inside the file and its limits,
 * and the same when written and read again.
 */
#include "lib/spool.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/crc.h"
#include "lib/ipc.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static struct envelope env, env_again;
static struct spool_final final[SPOOL_FINAL_MAX], final_again[SPOOL_FINAL_MAX];

static void
check_inside(struct span outer, struct span s)
{
	assert(s.n == 0 || (s.p >= outer.p && s.p + s.n <= outer.p + outer.n));
}

static void
check_front(struct span in, const struct spool_head *h)
{
	struct spool_head again;
	struct buf b;
	size_t n, m;

	if (spool_front_decode(in, h, &env, final, &n) == -1)
		return;
	assert(n > 0 && n <= SPOOL_FINAL_MAX);
	for (size_t i = 0; i < n; i++) {
		assert(final[i].from < env.nrcpt && final[i].address.n > 0);
		check_inside(in, final[i].address);
	}
	buf_init(&b, SPOOL_HEAD + SPOOL_ENVELOPE_MAX);
	spool_front_encode(&b, &env, final, n, h->whole, h->size, h->crc);
	assert(!b.bad && spool_head_decode(buf_get(&b), &again) == 0);
	assert(again.envlen == h->envlen && again.envcrc == h->envcrc &&
	    again.size == h->size && again.crc == h->crc &&
	    again.whole == h->whole);
	assert(spool_front_decode(span_slice(buf_get(&b), SPOOL_HEAD, b.n),
	    &again, &env_again, final_again, &m) == 0 && m == n);
	buf_fini(&b);
}

static void
check_record(struct span log, const struct spool_record *r)
{
	struct spool_record again;
	struct span in;
	struct buf b;

	check_inside(log, r->text);
	check_inside(log, r->enhanced);
	assert(r->when >= 0 && r->next >= 0);
	buf_init(&b, 2 * SPOOL_RECORD_MAX);
	spool_record_encode(&b, r);
	in = buf_get(&b);
	assert(spool_record_next(&in, &again) == 1 && in.n == 0);
	assert(again.type == r->type && again.when == r->when &&
	    again.rcpt == r->rcpt && again.code == r->code &&
	    again.next == r->next && again.text.n <= r->text.n);
	buf_fini(&b);
}

static void
check_log(struct span log)
{
	struct spool_record r;
	struct span rest = log;
	size_t left;

	for (;;) {
		left = rest.n;
		if (spool_record_next(&rest, &r) == 0)
			break;
		assert(rest.n < left);
		check_record(log, &r);
	}
	assert(rest.n == left);
}

static void
check_file(struct span file)
{
	struct spool_head h;
	struct span in = file;

	check_log(file);
	if (spool_head_decode(file, &h) == -1)
		return;
	assert(file.n >= SPOOL_HEAD && h.envlen <= SPOOL_ENVELOPE_MAX);
	(void)span_take(&in, SPOOL_HEAD);
	check_front(in, &h);
	if (in.n >= h.envlen && in.n - h.envlen >= h.size) {
		(void)span_take(&in, h.envlen + (size_t)h.size);
		check_log(in);
	}
}

/* The head's envelope checksum, and its own. */
static void
mend_head(char *p, size_t n)
{
	struct buf b;

	if (n < SPOOL_HEAD)
		return;
	buf_init(&b, 16);
	buf_hex(&b, n - SPOOL_HEAD, 8);
	memcpy(p + 11, b.p, 8);
	buf_clear(&b);
	buf_hex(&b, crc32c(0, p + SPOOL_HEAD, n - SPOOL_HEAD), 8);
	memcpy(p + 20, b.p, 8);
	buf_clear(&b);
	buf_hex(&b, crc32c(0, p, SPOOL_HEAD - 9), 8);
	memcpy(p + SPOOL_HEAD - 9, b.p, 8);
	buf_fini(&b);
}

/* The whole as one record. */
static void
mend_record(char *p, size_t n)
{
	struct buf b;

	if (n < 8)
		return;
	buf_init(&b, 16);
	put_u32(&b, (uint32_t)(n - 8));
	put_u32(&b, crc32c(0, p + 8, n - 8));
	memcpy(p, b.p, 8);
	buf_fini(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = malloc(size + 1);

	assert(copy != NULL);
	check_file(span_of(data, size));
	if (size > 0)
		memcpy(copy, data, size);
	mend_head(copy, size);
	check_file(span_of(copy, size));
	mend_record(copy, size);
	check_log(span_of(copy, size));
	free(copy);
	return 0;
}
