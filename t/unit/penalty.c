/*
 * penalty: different wrong passwords are counted, the same one is not;
 * counters fade; one network's guesses do not lock out another's owner.
 */
#include "auth/penalty.c" /* not in the library: it is auth's own */

#include <stdio.h>

#include "lib/limits.h"
#include "t/unit/tap.h"

#define ANN SPAN("ann@example.org")
#define HERE SPAN("192.0.2.1")

static void
test_counting(void)
{
	struct penalty p;

	penalty_look(HERE, ANN, 0, &p);
	ok(p.network == 0 && p.account == 0 && !p.known,
	    "nothing is known at first");
	penalty_add(HERE, ANN, SPAN("one"), 0, &p);
	penalty_add(HERE, ANN, SPAN("one"), 1, &p);
	ok(p.network == 1 && p.account == 1,
	    "the same wrong password counts once");
	penalty_add(HERE, ANN, SPAN("two"), 2, &p);
	penalty_add(HERE, ANN, SPAN("one"), 3, &p);
	ok(p.network == 2 && p.account == 2,
	    "two in turn, as a client with an old password does, are two");
	penalty_add(HERE, SPAN("bob@example.org"), SPAN("one"), 4, &p);
	ok(p.network == 3 && p.account == 1,
	    "one password on two names is two guesses of the network");
	penalty_add(SPAN("198.51.100.1"), ANN, SPAN("three"), 5, &p);
	ok(p.network == 1 && p.account == 3,
	    "guesses from many places are counted for the account");
}

static void
test_known_wrong(void)
{
	struct penalty p;
	char word[16];

	ok(!penalty_was_wrong(ANN, SPAN("one"), 0), "nothing was wrong yet");
	penalty_add(HERE, ANN, SPAN("one"), 0, &p);
	ok(penalty_was_wrong(ANN, SPAN("one"), 1),
	    "what was wrong is known to be");
	ok(!penalty_was_wrong(ANN, SPAN("two"), 1) &&
	    !penalty_was_wrong(SPAN("bob@example.org"), SPAN("one"), 1),
	    "no other word, and of nobody else");
	penalty_new_map();
	penalty_look(HERE, ANN, 1, &p);
	ok(!penalty_was_wrong(ANN, SPAN("one"), 1) && p.account == 1,
	    "a new map may make it right; it is still counted");
	penalty_add(HERE, ANN, SPAN("one"), 1, &p);
	ok(penalty_was_wrong(ANN, SPAN("one"), 1) && p.account == 1,
	    "until it was wrong again");
	for (int i = 0; i < RECENT; i++) {
		snprintf(word, sizeof(word), "w%d", i);
		penalty_add(HERE, ANN, span_str(word), 2, &p);
	}
	ok(!penalty_was_wrong(ANN, SPAN("one"), 2) &&
	    penalty_was_wrong(ANN, SPAN("w0"), 2), "the last few are kept");
	ok(!penalty_was_wrong(ANN, SPAN("w0"), 2 + 100 * AUTH_HALF_LIFE),
	    "not for ever");
}

static void
test_networks(void)
{
	struct penalty p;

	penalty_add(SPAN("2001:db8::1"), ANN, SPAN("a"), 0, &p);
	penalty_add(SPAN("2001:db8::ffff:1"), ANN, SPAN("b"), 0, &p);
	ok(p.network == 2, "a /64 is one network");
	penalty_add(SPAN("2001:db8:0:1::1"), ANN, SPAN("c"), 0, &p);
	ok(p.network == 1, "the next is another");
	penalty_add(SPAN("192.0.2.9"), ANN, SPAN("d"), 0, &p);
	penalty_add(SPAN("192.0.2.10"), ANN, SPAN("e"), 0, &p);
	ok(p.network == 1, "each IPv4 address is its own");
}

static void
test_ageing(void)
{
	struct penalty p;
	char word[16];

	for (int i = 0; i < 16; i++) {
		snprintf(word, sizeof(word), "w%d", i);
		penalty_add(HERE, ANN, span_str(word), 1000, &p);
	}
	ok(p.network == 16, "sixteen guesses");
	penalty_look(HERE, ANN, 1000 + AUTH_HALF_LIFE - 1, &p);
	ok(p.network == 16, "do not fade before their time");
	penalty_look(HERE, ANN, 1000 + AUTH_HALF_LIFE, &p);
	ok(p.network == 8 && p.account == 8, "halve");
	penalty_look(HERE, ANN, 1000 + 3 * AUTH_HALF_LIFE, &p);
	ok(p.network == 2, "and halve");
	penalty_look(HERE, ANN, 1000 + 100 * AUTH_HALF_LIFE, &p);
	ok(p.network == 0 && p.account == 0, "and are forgotten");
	penalty_look(HERE, ANN, 0, &p);
	ok(p.network == 0, "a clock that runs back does no harm");
}

static void
test_known(void)
{
	struct penalty p;
	char word[16], from[16];

	penalty_good(HERE, ANN, 0);
	for (int i = 0; i < 100; i++) {
		snprintf(word, sizeof(word), "w%d", i);
		snprintf(from, sizeof(from), "203.0.113.%d", i);
		penalty_add(span_str(from), ANN, span_str(word), 1, &p);
	}
	penalty_look(HERE, ANN, 2, &p);
	ok(p.account == 100 && p.network == 0 && p.known,
	    "who logged in from there before is known there");
	penalty_look(SPAN("203.0.113.1"), ANN, 2, &p);
	ok(!p.known, "and not elsewhere");
	penalty_look(HERE, SPAN("bob@example.org"), 2, &p);
	ok(!p.known, "nor is anybody else there");
}

/* More keys than rows: old ones go, nothing breaks, new ones count. */
static void
test_full(void)
{
	struct penalty p;
	char from[40];
	bool counted = true;

	for (int i = 0; i < 100000; i++) {
		snprintf(from, sizeof(from), "2001:db8:%x:%x::1", i >> 8,
		    i & 0xff);
		penalty_add(span_str(from), ANN, SPAN("x"), i, &p);
		counted = counted && p.network == 1;
	}
	ok(counted, "a full table still counts who comes");
	ok(p.account == 1, "and keeps what is in use");
}

int
main(void)
{
	static void (*const tests[])(void) = { test_counting, test_known_wrong,
		test_networks, test_ageing, test_known, test_full };

	for (size_t i = 0; i < nitems(tests); i++) {
		penalty_reset();
		tests[i]();
	}
	return done();
}
