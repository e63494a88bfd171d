/* allowance: an hour that slides; a set that is full forgets the oldest. */
#include "lib/loop.h"

static int64_t wall;
#define loop_wall() wall
#include "queue/allowance.c" /* not in the library: it is the queue's own */

#include <stdio.h>
#include <stdlib.h>

#include "t/unit/tap.h"

enum { MANY = SETS * WAYS + 1 };

struct queue queue;
static struct conf conf;

/* Sends as long as he may, n recipients each; how many messages were that? */
static unsigned
sends(const char *user, size_t n, unsigned most)
{
	static struct envelope e; /* large */
	unsigned i;

	e.login = span_str(user);
	e.nrcpt = n;
	for (i = 0; i < most && allowance_check(&e) == NULL; i++)
		allowance_use(&e);
	return i;
}

static void
at(int64_t hour, int64_t minute)
{
	wall = (1000 + hour) * HOUR + minute * 60;
}

static void
test_slides(void)
{
	conf.user_messages = 100;
	at(0, 0);
	ok(sends("ann", 1, 200) == 100, "a hundred messages");
	at(0, 59);
	ok(sends("ann", 1, 200) == 0, "and none more in that hour");
	at(1, 0);
	ok(sends("ann", 1, 200) == 0, "nor at its end");
	wall++;
	ok(sends("ann", 1, 200) == 0, "nor a second later");
	at(1, 15);
	ok(sends("ann", 1, 200) == 25, "a quarter later a quarter");
	at(1, 30);
	ok(sends("ann", 1, 200) == 25, "and another");
	at(2, 0);
	ok(sends("ann", 1, 200) == 50, "what was sent long ago does not count");
	at(4, 0);
	ok(sends("ann", 1, 200) == 100, "after an hour of rest there is all");
	conf.user_messages = 0;
	ok(sends("ann", 1, 200) == 200, "0 is no limit");
}

static void
test_recipients(void)
{
	conf.user_recipients = 60;
	at(10, 0);
	ok(sends("bob", 20, 10) == 3, "recipients count, not messages");
	at(11, 20);
	ok(sends("bob", 20, 10) == 1 && sends("bob", 1, 10) == 0,
	    "a third of an hour later there is room for a third");
	conf.user_recipients = 0;
}

/* More users than there are rows: each sends, whoever gives way. */
static void
test_many(void)
{
	char user[32];
	bool good = true;

	conf.user_messages = 1;
	at(20, 0);
	(void)sends("carl", 1, 1);
	at(21, 59);
	for (unsigned i = 0; i < 2 * MANY; i++) {
		(void)snprintf(user, sizeof(user), "user%u", i);
		good &= sends(user, 1, 1) == 1;
	}
	ok(good, "a full table keeps nobody from sending");
	ok(sends(user, 1, 1) == 0, "the last of them is remembered");
	ok(sends("dora", 1, 2) == 1, "so is who comes next");
}

/* Fills one set; who sent last stays, whatever rows they have. */
static void
test_oldest(void)
{
	char user[WAYS + 1][32];
	bool known = true;
	size_t n = 0;

	for (unsigned i = 0; n < nitems(user); i++) {
		(void)snprintf(user[n], sizeof(user[n]), "same%u", i);
		n += (hash_keyed(span_str(user[n])) >> 1) % SETS == 0;
	}
	conf.user_messages = 10;
	at(30, 0);
	for (n = 0; n < WAYS; n++)
		(void)sends(user[n], 1, 10);
	at(31, 0);
	for (n = 0; n < WAYS; n++)
		if (n != 1)
			known &= sends(user[n], 1, 10) == 0;
	ok(known, "nobody of a full set is forgotten");
	(void)sends(user[WAYS], 1, 10);
	ok(sends(user[WAYS], 1, 10) == 0 && sends(user[0], 1, 10) == 0,
	    "who came in this hour is not who gives way");
	ok(sends(user[1], 1, 10) == 10, "but who did not");
}

int
main(void)
{
	queue.conf = &conf;
	log_level(LL_ERROR);
	test_slides();
	test_recipients();
	test_many();
	test_oldest();
	return done();
}
