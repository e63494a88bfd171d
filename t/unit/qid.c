/* qid: order, uniqueness, and text that is a file name and comes back. */
#include "lib/qid.h"

#include <string.h>
#include <time.h>

#include "lib/chars.h"
#include "t/unit/tap.h"

static void
test_new(void)
{
	uint64_t last = 0, q = 0;
	bool rising = true;
	time_t now = time(NULL);
	int i;

	for (i = 0; i < 10000; i++) {
		q = qid_new();
		rising = rising && q > last;
		last = q;
	}
	ok(rising, "ids only rise");
	q = (q >> 10) / 1000000;
	ok(q + 1 >= (uint64_t)now && q <= (uint64_t)now + 60,
	    "and begin with the time");
}

static void
test_text(void)
{
	static const uint64_t ids[] = { 0, 1, 61, 62, 1838336225280000000,
		UINT64_MAX - 1, UINT64_MAX };
	char text[QID_TEXT_MAX], before[QID_TEXT_MAX] = "";
	uint64_t back;
	size_t i;

	for (i = 0; i < nitems(ids); i++) {
		qid_text(ids[i], text);
		ok(strlen(text) == 11 && chars_all(span_str(text), CH_ALNUM),
		    text);
		back = ~ids[i];
		ok(qid_parse(span_str(text), &back) == 0 && back == ids[i],
		    "comes back");
		ok(strcmp(before, text) < 0, "and sorts by age");
		memcpy(before, text, sizeof(text));
	}
}

static const struct bad_case {
	const char *name;
	struct span text;
} bads[] = {
	{ "nothing", { "", 0 } },
	{ "ten characters", { "0000000000", 10 } },
	{ "twelve characters", { "000000000000", 12 } },
	{ "a slash", { "00000/00000", 11 } },
	{ "a dot", { "..000000000", 11 } },
	{ "NUL", { "00000\0" "00000", 11 } },
	{ "beyond ASCII", { "0000000000\xff", 11 } },
	{ "more than 64 bits", { "zzzzzzzzzzz", 11 } },
};

int
main(void)
{
	const struct bad_case *c;
	uint64_t q = 7;

	test_new();
	test_text();
	for (c = bads; c < bads + nitems(bads); c++)
		ok(qid_parse(c->text, &q) == -1 && q == 7, c->name);
	return done();
}
