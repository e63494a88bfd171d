/*
 * spool: what is written comes back; a file that is cut anywhere, or has any
 * byte changed, is never taken for a whole one, and its log ends there.
 */
#include "lib/spool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "t/unit/tap.h"

static struct envelope env, got;
static struct spool_final final[SPOOL_FINAL_MAX];
static const char body[] = "Received: from x\nSubject: hi\n\nbody\n";

static void
make_envelope(size_t nrcpt)
{
	env = (struct envelope){ .arrived = 1700000000,
		.sender = SPAN("ann@example.net"), .sid = SPAN("sid1"),
		.client = SPAN("192.0.2.1"), .helo = SPAN("client"),
		.protocol = SPAN("ESMTPS"), .login = SPAN("ann"),
		.flags = ENV_8BITMIME, .nrcpt = nrcpt };
	for (size_t i = 0; i < nrcpt; i++)
		env.rcpt[i] = SPAN("list@example.org");
}

static void
make_file(struct buf *b)
{
	const struct spool_final to[] = { { 0, SPAN("bob@example.org") },
		{ 1, SPAN("carl@example.org") } };
	const struct spool_record r[] = {
		{ .type = SPOOL_RESULT, .when = 1700000001, .rcpt = 0,
		    .code = 250, .enhanced = SPAN("2.0.0") },
		{ .type = SPOOL_RESULT, .when = 1700000002, .rcpt = 1,
		    .code = 451, .next = 1700000300, .enhanced = SPAN("4.3.0"),
		    .text = SPAN("later") },
		{ .type = SPOOL_HELD, .when = 1700000003 },
	};

	make_envelope(2);
	buf_init(b, 65536);
	spool_front_encode(b, &env, to, 2, true, sizeof(body) - 1, 77);
	buf_str(b, body);
	for (size_t i = 0; i < nitems(r); i++)
		spool_record_encode(b, &r[i]);
}

/* Bytes that head and envelope take; 0: the file is not valid. */
static size_t
front_of(struct span file, struct spool_head *h)
{
	size_t n;

	if (spool_head_decode(file, h) == -1 || !h->whole)
		return 0;
	(void)span_take(&file, SPOOL_HEAD);
	if (spool_front_decode(file, h, &got, final, &n) == -1 ||
	    file.n < h->envlen + h->size)
		return 0;
	return SPOOL_HEAD + h->envlen;
}

static size_t
records_of(struct span file, struct spool_record *last)
{
	struct spool_head h;
	size_t n = front_of(file, &h), count = 0;

	if (n == 0)
		return 0;
	(void)span_take(&file, n + (size_t)h.size);
	while (spool_record_next(&file, last) == 1)
		count++;
	return count;
}

static void
test_round_trip(void)
{
	struct spool_record last;
	struct spool_head h;
	struct buf b;

	make_file(&b);
	ok(front_of(buf_get(&b), &h) > 0, "a whole file is valid");
	ok(h.size == sizeof(body) - 1 && h.crc == 77, "size and checksum");
	ok(got.arrived == env.arrived && span_eq(got.sender, env.sender) &&
	    span_eq(got.helo, env.helo) && got.flags == env.flags &&
	    got.nrcpt == 2, "the envelope");
	ok(final[1].from == 1 &&
	    span_eq(final[1].address, SPAN("carl@example.org")),
	    "final recipients");
	ok(records_of(buf_get(&b), &last) == 3 && last.type == SPOOL_HELD &&
	    last.when == 1700000003, "the log");
	buf_fini(&b);
}

static void
test_cut(void)
{
	struct spool_record last;
	struct spool_head h;
	size_t front, all, wrong = 0, count;
	struct buf b;

	make_file(&b);
	front = front_of(buf_get(&b), &h) + (size_t)h.size;
	all = b.n;
	for (size_t n = 0; n < all; n++) {
		char *copy = malloc(n + 1); /* for a sanitizer to watch */

		memcpy(copy, b.p, n);
		count = records_of(span_of(copy, n), &last);
		if ((front_of(span_of(copy, n), &h) != 0) != (n >= front) ||
		    count > 2)
			wrong++;
		free(copy);
	}
	ok(wrong == 0, "cut at any byte: not valid, or a shorter log");
	buf_fini(&b);
}

static void
test_flip(void)
{
	struct spool_record last;
	struct spool_head h;
	size_t front, in_front = 0, in_log = 0;
	struct buf b;

	make_file(&b);
	front = front_of(buf_get(&b), &h);
	for (size_t i = 0; i < b.n; i++)
		for (int bit = 0; bit < 8; bit++) {
			b.p[i] = (char)(b.p[i] ^ 1 << bit);
			if (i < front)
				in_front += front_of(buf_get(&b), &h) != 0;
			else if (i >= front + sizeof(body) - 1)
				in_log += records_of(buf_get(&b), &last) > 2;
			b.p[i] = (char)(b.p[i] ^ 1 << bit);
		}
	ok(in_front == 0, "no bit of head and envelope can change unnoticed");
	ok(in_log == 0, "nor of the log");
	buf_fini(&b);
}

static void
test_unfinished(void)
{
	struct spool_head h;
	struct buf b, head;

	make_envelope(1);
	final[0] = (struct spool_final){ 0, SPAN("bob@example.org") };
	buf_init(&b, 65536);
	spool_front_encode(&b, &env, final, 1, false, 0, 0);
	buf_str(&b, body);
	ok(spool_head_decode(buf_get(&b), &h) == 0 && !h.whole,
	    "an unfinished file says so");
	h.whole = true;
	h.size = sizeof(body) - 1;
	h.crc = 77;
	buf_init(&head, SPOOL_HEAD);
	spool_head_encode(&head, &h);
	ok(head.n == SPOOL_HEAD, "a head has its size");
	memcpy(b.p, head.p, SPOOL_HEAD);
	ok(front_of(buf_get(&b), &h) > 0, "the new head makes it whole");
	buf_fini(&head);
	buf_fini(&b);
}

/* Written by a power failure in the middle of pwrite(2). */
static void
test_torn_head(void)
{
	struct spool_head h;
	struct buf u, w;
	size_t whole = 0;
	char line[SPOOL_HEAD];

	buf_init(&u, SPOOL_HEAD);
	buf_init(&w, SPOOL_HEAD);
	spool_head_encode(&u, &(struct spool_head){ false, 90, 1, 0, 0 });
	spool_head_encode(&w, &(struct spool_head){ true, 90, 1, 500, 7 });
	for (size_t n = 0; n < SPOOL_HEAD; n++) {
		memcpy(line, u.p, SPOOL_HEAD);
		memcpy(line, w.p, n);
		/* All digits but the last may stand already. */
		if (spool_head_decode(span_of(line, SPOOL_HEAD), &h) == 0 &&
		    h.whole && (h.size != 500 || h.crc != 7))
			whole++;
	}
	ok(whole == 0, "a half written head is not a whole file's");
	buf_fini(&u);
	buf_fini(&w);
}

static const struct text_case {
	const char *name;
	struct span text, read;
} texts[] = {
	{ "a line end in an answer", SPAN("one\ntwo"), SPAN("one?two") },
	{ "a NUL in an answer", SPAN("a\0b"), SPAN("a?b") },
	{ "DEL and ESC", SPAN("a\x7f\x1b[2J"), SPAN("a??[2J") },
	{ "UTF-8", SPAN("gr\xc3\xbc\xc3\x9f"), SPAN("gr\xc3\xbc\xc3\x9f") },
	{ "what is no UTF-8", SPAN("a\xff\xfe"), SPAN("a??") },
};

static void
test_texts(void)
{
	struct spool_record r = { .type = SPOOL_RESULT, .code = 451 }, is;
	struct buf b;
	struct span in;
	char *lots = malloc(5000);

	buf_init(&b, 65536);
	for (size_t i = 0; i < nitems(texts); i++) {
		r.text = texts[i].text;
		buf_clear(&b);
		spool_record_encode(&b, &r);
		in = buf_get(&b);
		ok(spool_record_next(&in, &is) == 1 &&
		    span_eq(is.text, texts[i].read), texts[i].name);
	}
	memset(lots, 'x', 5000);
	for (size_t i = 1; i < 5000; i += 2)
		memcpy(lots + i - 1, "\xc3\xbc", 2);
	r.text = r.enhanced = span_of(lots, 4999);
	buf_clear(&b);
	spool_record_encode(&b, &r);
	in = buf_get(&b);
	ok(spool_record_next(&in, &is) == 1 && is.text.n > 500 && in.n == 0,
	    "a text that is too long is cut");
	free(lots);
	buf_fini(&b);
}

static void
test_limits(void)
{
	static const char zeros[64];
	struct spool_record r;
	struct spool_head h;
	struct span in = span_of(zeros, sizeof(zeros));
	struct buf b;
	size_t n;

	ok(spool_record_next(&in, &r) == 0, "zeros after a crash end the log");
	ok(spool_head_decode(in, &h) == -1, "zeros are not a head");
	make_envelope(SMTP_RCPT_MAX);
	for (size_t i = 0; i < SPOOL_FINAL_MAX; i++)
		final[i] = (struct spool_final){ (uint32_t)i % SMTP_RCPT_MAX,
			SPAN("somebody-with-a-name@example.org") };
	buf_init(&b, SPOOL_HEAD + SPOOL_ENVELOPE_MAX);
	spool_front_encode(&b, &env, final, SPOOL_FINAL_MAX, true, 0, 0);
	ok(!b.bad && spool_head_decode(buf_get(&b), &h) == 0 &&
	    spool_front_decode(span_slice(buf_get(&b), SPOOL_HEAD, b.n), &h,
	        &got, final, &n) == 0 && n == SPOOL_FINAL_MAX &&
	    got.nrcpt == SMTP_RCPT_MAX, "as many recipients as there may be");
	buf_fini(&b);
}

int
main(void)
{
	test_round_trip();
	test_cut();
	test_flip();
	test_unfinished();
	test_torn_head();
	test_texts();
	test_limits();
	return done();
}
