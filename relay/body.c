/*
 * body: a message is looked at once a job, and nearly always that is all: it
 * has short lines, and the server takes 8 bits. Else it is in memory, whole,
 * while the plan is made, a moment in which this process does nothing else;
 * afterwards there are only blocks again.
 *
 * A message that cannot be made fit is sent as it is. RFC 6152 3 would have it
 * returned; but servers that take 8 bits without saying so are many, those
 * that do harm to them few, and UTF-8 in a header field is no reason to return
 * all of somebody's letter. The server has the last word. Where 8 bits must
 * go, a signature over the body (DKIM) breaks.
 */
#include "relay/body.h"

#include <assert.h>
#include <errno.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/die.h"
#include "lib/limits.h"
#include "lib/log.h"
#include "relay/job.h"

enum {
	PIECE = RELAY_BLOCK / 8, /* of what is recoded */
	ENOUGH = RELAY_BLOCK / 4,
};

static struct buf recoded = { .max = RELAY_BLOCK };

static_assert(ENOUGH + 4 * PIECE + 256 <= (int)RELAY_BLOCK,
    "what lib/recode.h may append fits");

/* --- reading ----------------------------------------------------------- */

/* What is at `at`, at most max and RELAY_BLOCK bytes. false: an error. */
static bool
block_read(const struct job *j, uint64_t at, size_t max, struct span *block)
{
	static char mem[RELAY_BLOCK];
	uint64_t left = j->size - at;
	size_t want = left < max ? (size_t)left : max;
	ssize_t n;

	if (j->fd == -1) {
		*block = span_slice(j->body, (size_t)at, (size_t)at + want);
		return true;
	}
	want = want < sizeof(mem) ? want : sizeof(mem);
	do
		n = pread(j->fd, mem, want, (off_t)(j->offset + at));
	while (n == -1 && errno == EINTR);
	if (n <= 0 && want > 0) {
		log_begin(LL_ERROR, "sent");
		log_str("qid", j->qid_text);
		log_str("what", "spool file");
		log_err(n == 0 ? 0 : errno);
		log_end();
		return false;
	}
	*block = span_of(mem, n < 0 ? 0 : (size_t)n);
	return true;
}

/* All of it. What cannot be read now is said when it is to be sent. */
static bool
whole_read(const struct job *j, struct buf *b)
{
	struct span block;

	while (b->n < j->size) {
		if (!block_read(j, b->n, RELAY_BLOCK, &block))
			return false;
		buf_span(b, block);
		if (b->bad)
			return false;
	}
	return true;
}

/* --- what it is -------------------------------------------------------- */

static void
look(struct job *j)
{
	struct body *t = &j->text;
	struct span block;
	uint64_t at = 0;

	t->looked = true;
	t->octets = j->size;
	for (; at < j->size; at += block.n) {
		if (!block_read(j, at, RELAY_BLOCK, &block))
			return;
		content_scan(&t->content, block);
	}
	if (j->fd != -1)
		return;
	for (size_t i = 0; i < j->body.n; i++)
		t->octets += j->body.p[i] == '\n';
	if (j->body.n > 0 && j->body.p[j->body.n - 1] != '\n')
		t->octets += 2;
}

static void
plan(struct job *j, bool eight_bit)
{
	struct body *t = &j->text;
	struct buf whole;

	body_fini(t);
	t->planned = true;
	t->eight_bit = eight_bit;
	if (j->fd == -1) {
		recode_init(&t->recode, j->body, eight_bit);
	} else if (j->size <= RELAY_RECODE_MAX) {
		buf_init(&whole, (size_t)j->size);
		(void)buf_room(&whole, (size_t)j->size);
		if (whole_read(j, &whole))
			recode_init(&t->recode, buf_get(&whole), eight_bit);
		buf_fini(&whole);
	}
	t->recoded = t->recode.n > 0;
}

void
body_begin(struct job *j, bool eight_bit_ok)
{
	struct body *t = &j->text;
	bool eight_bit;

	if (!t->looked)
		look(j);
	t->sent = 0;
	t->framing = (struct smtp_data_out){ 0 };
	eight_bit = t->content.eight_bit && !eight_bit_ok;
	if (!eight_bit && !t->content.long_line)
		body_fini(t);
	else if (!t->planned || t->eight_bit != eight_bit)
		plan(j, eight_bit);
	else
		recode_again(&t->recode);
}

uint64_t
body_octets(const struct job *j)
{
	return j->text.recoded ? j->text.recode.octets : j->text.octets;
}

bool
body_is_eight_bit(const struct job *j)
{
	const struct body *t = &j->text;

	return t->recoded ? t->recode.eight_bit : t->content.eight_bit;
}

const char *
body_note(const struct job *j)
{
	const struct body *t = &j->text;
	bool eight_bit = t->planned && t->eight_bit && body_is_eight_bit(j);
	bool long_line =
	    t->recoded ? t->recode.long_line : t->content.long_line;

	if (eight_bit)
		return long_line ? "8-bit, long lines" : "8-bit";
	if (long_line)
		return "long lines";
	return t->recoded ? "recoded" : "";
}

void
body_fini(struct body *t)
{
	if (t->planned)
		recode_fini(&t->recode);
	t->planned = t->recoded = false;
}

/* --- sending ----------------------------------------------------------- */

static bool
recoded_more(struct job *j, struct span *out)
{
	struct body *t = &j->text;
	struct span piece;

	buf_clear(&recoded);
	while (t->sent < j->size && recoded.n < ENOUGH) {
		if (!block_read(j, t->sent, PIECE, &piece))
			return false;
		t->sent += recode_bytes(&t->recode, piece, ENOUGH, &recoded);
	}
	if (t->sent == j->size)
		recode_end(&t->recode, &recoded);
	if (recoded.bad)
		die("a recoded block is too long");
	*out = buf_get(&recoded);
	return true;
}

bool
body_more(struct job *j, struct buf *wire, bool *last)
{
	struct body *t = &j->text;
	struct span block;

	if (t->recoded) {
		if (!recoded_more(j, &block))
			return false;
	} else {
		if (!block_read(j, t->sent, RELAY_BLOCK, &block))
			return false;
		t->sent += block.n;
	}
	buf_clear(wire);
	smtp_data_out(&t->framing, block, wire);
	*last = t->sent == j->size;
	if (*last)
		smtp_data_end(&t->framing, wire);
	if (wire->bad)
		die("a block is too long");
	return true;
}
