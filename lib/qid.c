/*
 * qid: 54 bits of microseconds since the epoch (enough until 2540), ten
 * random bits below. The text is base 62 with digits in ASCII order and of
 * fixed width, so that names sort by age.
 */
#include "lib/qid.h"

#include <assert.h>
#include <string.h>
#include <time.h>

#include "lib/chars.h"
#include "lib/hash.h"

enum { QID_RANDOM_BITS = 10 };

static_assert((int)QID_LEN < QID_TEXT_MAX && QID_TEXT_MAX <= SID_MAX,
    "an id fits where ids are kept");

static const char digits[] =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

uint64_t
qid_new(void)
{
	static uint64_t last; /* microseconds */
	struct timespec now;
	uint64_t us, salt;

	clock_gettime(CLOCK_REALTIME, &now);
	us = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
	if (us <= last) /* twice in a microsecond, or the clock was set back */
		us = last + 1;
	last = us;
	/* Keyed by the process: two processes differ; costs no system call. */
	salt = hash_keyed(span_of(&us, sizeof(us)));
	return us << QID_RANDOM_BITS | salt >> (64 - QID_RANDOM_BITS);
}

void
qid_text(uint64_t qid, char text[QID_TEXT_MAX])
{
	int i;

	for (i = QID_LEN - 1; i >= 0; i--) {
		text[i] = digits[qid % 62];
		qid /= 62;
	}
	text[QID_LEN] = '\0';
}

int
qid_parse(struct span s, uint64_t *qid)
{
	uint64_t v = 0;
	const char *d;
	size_t i;

	if (s.n != QID_LEN)
		return -1;
	for (i = 0; i < s.n; i++) {
		if (!char_is(s.p[i], CH_ALNUM))
			return -1;
		d = strchr(digits, s.p[i]);
		if (__builtin_mul_overflow(v, 62, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(d - digits), &v))
			return -1;
	}
	*qid = v;
	return 0;
}
