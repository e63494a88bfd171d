/* hops: Received fields are counted, however the message is cut. */
#include "lib/hops.h"

#include <string.h>

#include "lib/buf.h"
#include "lib/limits.h"
#include "t/unit/tap.h"

static const struct hops_case {
	const char *name, *text;
	unsigned count;
} cases[] = {
	{ "no header", "\nReceived: x\n", 0 },
	{ "one", "Received: x\n\n", 1 },
	{ "any case", "rECEIVED: x\nreceived:y\n\n", 2 },
	{ "between others", "A: b\nReceived: x\nC: d\nReceived: y\n\n", 2 },
	{ "in a fold", "A: b\n Received: x\n\tReceived: y\n\n", 0 },
	{ "in a value", "A: Received: x\n\n", 0 },
	{ "a longer name", "Received-SPF: x\n\n", 0 },
	{ "a shorter one", "Receive: x\n\n", 0 },
	{ "in the body", "A: b\n\nReceived: x\n", 0 },
	{ "twice in a line", "Received: Received: x\n\n", 1 },
	{ "without an end", "Received: x\nReceived:", 2 },
};

static void
test_one(const struct hops_case *c)
{
	struct hops whole = { 0 }, split;
	size_t n = strlen(c->text), at, i;
	bool good = true;

	hops_scan(&whole, span_str(c->text));
	for (at = 0; at <= n; at++) {
		split = (struct hops){ 0 };
		hops_scan(&split, span_of(c->text, at));
		hops_scan(&split, span_of(c->text + at, n - at));
		good = good && split.count == c->count;
	}
	split = (struct hops){ 0 };
	for (i = 0; i < n; i++)
		hops_scan(&split, span_of(c->text + i, 1));
	ok(whole.count == c->count && good && split.count == c->count,
	    c->name);
}

static void
test_bound(void)
{
	struct span line = SPAN("Received: x\n");
	struct hops h = { 0 };
	size_t i;

	for (i = 0; i < 2 * SMTP_HEADER_MAX / line.n; i++)
		hops_scan(&h, line);
	ok(h.count <= SMTP_HEADER_MAX / line.n + 1 &&
	    h.count > SMTP_RECEIVED_MAX, "an endless header is not read on");
}

int
main(void)
{
	size_t i;

	for (i = 0; i < nitems(cases); i++)
		test_one(&cases[i]);
	test_bound();
	return done();
}
