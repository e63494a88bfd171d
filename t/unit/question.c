/*
 * question: shares of those who ask, against a resolver that answers when it
 * is told to, or never.
 */
#include "dns/known.c" /* not in the library: they are dns' own */
#include "dns/question.c"

#include <stdio.h>

#include "lib/os_loop.h"
#include "t/unit/tap.h"

enum { HELD_MAX = 4096 };

/* What was asked and is not answered, in order. */
static struct {
	resolver_fn *fn;
	void *arg;
	char name[64];
} held[HELD_MAX];
static size_t nheld, total;
static bool cached; /* all is known, and answered at once */
static struct span message = SPAN_NONE; /* what is answered */

static void
answer(resolver_fn *fn, void *arg)
{
	struct resolver_answer is = { .message = message,
		.why = SPAN("said so") };

	fn(arg, &is);
}

int
resolver_ask(const char *name, uint32_t type, resolver_fn *fn, void *arg)
{
	(void)type;
	total++;
	if (cached) {
		answer(fn, arg);
		return 0;
	}
	if (nheld == HELD_MAX)
		return -1;
	held[nheld].fn = fn;
	held[nheld].arg = arg;
	(void)span_copy(held[nheld].name, sizeof(held[nheld].name),
	    span_str(name));
	nheld++;
	return 0;
}

static void
answer_first(void)
{
	resolver_fn *fn = held[0].fn;
	void *arg = held[0].arg;

	memmove(&held[0], &held[1], --nheld * sizeof(held[0]));
	answer(fn, arg);
}

static bool
is_held(const char *name)
{
	for (size_t i = 0; i < nheld; i++)
		if (strcmp(held[i].name, name) == 0)
			return true;
	return false;
}

static void
is_num(size_t got, size_t wanted, const char *name)
{
	ok(got == wanted, name);
	if (got != wanted)
		printf("# got %zu, wanted %zu\n", got, wanted);
}

struct peer { /* one who asks; its answers are read and counted */
	struct ipc *dns, *own;
	size_t sent, answered, refused;
};

static int
on_dns_is(struct ipc *own, struct ipc_msg *m, void *arg)
{
	static struct ipc_dns_is is;
	struct peer *p = arg;

	(void)own;
	if (ipc_dns_is_decode(m->body, &is) == -1)
		return -1;
	p->answered++;
	p->refused += span_eq(is.why, SPAN("too many questions at once"));
	return 0;
}

static void
on_gone(struct ipc *peer, void *arg)
{
	(void)arg;
	ipc_free(peer);
}

static struct peer
peer_new(struct peer *at)
{
	struct peer p = { 0 };
	int fd[2];

	if (ipc_pair(fd) == -1)
		die("pair");
	p.dns = ipc_new(fd[0], ROLE_DNS, ROLE_RELAY, question_take, on_gone,
	    NULL);
	p.own = ipc_new(fd[1], ROLE_RELAY, ROLE_DNS, on_dns_is, on_gone, at);
	question_asker(p.dns);
	return p;
}

static void
on_pause(struct timer *t)
{
	(void)t;
	loop_stop();
}

/* Until nothing moves any more. */
static void
run(void)
{
	static struct timer pause = { .fn = on_pause };

	for (int i = 0; i < 200; i++) {
		loop_timer(&pause, 0);
		loop_run();
	}
}

static void
ask(struct peer *p, const char *name)
{
	struct ipc_dns q = { DNS_A, span_str(name) };
	struct buf b;

	buf_init(&b, 1024);
	ipc_dns_encode(&b, &q);
	if (ipc_send(p->own, IPC_DNS, (uint32_t)++p->sent, buf_get(&b), -1,
		-1) == -1)
		die("ask");
	buf_fini(&b);
}

static void
flood(struct peer *p, const char *prefix, size_t n)
{
	char name[64];

	for (size_t i = 0; i < n; i++) {
		(void)snprintf(name, sizeof(name), "%s%zu.test", prefix, i);
		ask(p, name);
	}
	run();
}

static void
test_shares(void)
{
	static struct peer a, b;

	a = peer_new(&a);
	b = peer_new(&b);
	question_resolver(NULL);
	flood(&a, "slow", 1600);
	is_num(nheld, DNS_LOOKUPS_MAX / 2, "one who asks has half");
	is_num(a.refused, 1600 - DNS_LOOKUPS_MAX / 2 - DNS_QUEUED_MAX,
	    "some wait, the others are told: later");
	ask(&b, "quick.test");
	run();
	ok(is_held("quick.test") && b.answered == 0, "another is not hindered");
	ask(&b, "slow900.test");
	run();
	ok(is_held("slow900.test"),
	    "what it asks is begun, though the first waits for it");
	flood(&b, "more", 600);
	is_num(nheld, DNS_LOOKUPS_MAX / 2 + DNS_LOOKUPS_MAX / 3,
	    "it has a third, for there are two");
	for (int i = 0; i < 400; i++)
		answer_first();
	run();
	is_num(nheld, 2 * (DNS_LOOKUPS_MAX / 3),
	    "then the first has a third, too");
	while (nheld > 0)
		answer_first();
	run();
	ok(a.answered == a.sent && b.answered == b.sent, "all are answered");
	is_num(b.refused, 0, "the second was never refused");
	ok(nasked == 0 && TAILQ_FIRST(&askers)->nasked == 0, "none is left");

	flood(&a, "hold", 700);
	ask(&b, "hold650.test");
	ask(&b, "hold1.test");
	run();
	cached = true;
	total = 0;
	question_forget(a.dns);
	ipc_free(a.dns);
	run();
	is_num(total, 0, "who leaves takes what was not begun along");
	is_num(nheld, DNS_LOOKUPS_MAX / 2 + 1, "what was begun goes on");
	while (nheld > 0)
		answer_first();
	run();
	ok(b.answered == b.sent && nasked == 0, "another who waits is told");
	flood(&b, "known", 1500);
	ok(b.answered == b.sent && b.refused == 0 && nasked == 0,
	    "what is known needs no share");
}

/* What was answered is not kept waiting by what is not. */
static void
test_known(void)
{
	static const char packet[] = "\0\0\x81\x80\0\1\0\1\0\0\0\0"
	    "\4mail\4test\0\0\1\0\1" /* A 192.0.2.1 for a minute */
	    "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1";
	static struct peer a;

	a = peer_new(&a);
	cached = false;
	ask(&a, "mail.test");
	run();
	message = span_of(packet, sizeof(packet) - 1);
	answer_first();
	message = SPAN_NONE;
	flood(&a, "slow", 700);
	is_num(nheld, DNS_LOOKUPS_MAX / 2, "no more is begun,");
	ask(&a, "mail.test");
	ask(&a, "other.test");
	run();
	ok(is_held("mail.test"), "but what was answered before is");
	ok(!is_held("other.test"), "other names wait");
	while (nheld > 0)
		answer_first();
	run();
	ok(a.answered == a.sent && nasked == 0, "all are answered");
	question_resolver(NULL); /* another */
	flood(&a, "slow", 700);
	ask(&a, "mail.test");
	run();
	ok(!is_held("mail.test"), "what one knew the next does not");
	while (nheld > 0)
		answer_first();
	run();
}

static void
test_closed(void)
{
	static struct peer a;

	a = peer_new(&a);
	cached = false;
	flood(&a, "wait", 800);
	question_resolver("no resolver");
	run();
	is_num(a.answered, 800, "without a resolver all are answered");
	nheld = 0; /* libunbound forgets them */
	question_resolver(NULL);
	flood(&a, "later", 700);
	nheld = 0;
	question_resolver(NULL); /* another one */
	run();
	is_num(nheld, DNS_LOOKUPS_MAX / 2, "a new one is asked what was begun");
	while (nheld > 0)
		answer_first();
	run();
	ok(a.answered == a.sent && nasked == 0, "and then what was not");
}

static void
drain(void)
{
	while (nheld > 0)
		answer_first();
	run();
}

/* How many of those that begin so are with the resolver? */
static size_t
held_of(const char *prefix)
{
	size_t n = 0;

	for (size_t i = 0; i < nheld; i++)
		n += span_starts(span_str(held[i].name), span_str(prefix));
	return n;
}

static void
test_turns(void)
{
	static struct peer a, b, c, d;

	a = peer_new(&a);
	b = peer_new(&b);
	c = peer_new(&c);
	d = peer_new(&d);
	flood(&a, "a", 600);
	flood(&b, "b", 400);
	flood(&c, "c", 300);
	flood(&d, "d", 100);
	is_num(nheld, DNS_LOOKUPS_MAX, "all is taken, two have less than a "
				       "fifth");
	is_num(held_of("d"), 0, "or nothing");
	for (int i = 0; i < 20; i++)
		answer_first();
	run();
	is_num(held_of("a") + held_of("b"), DNS_LOOKUPS_MAX / 2 +
	    DNS_LOOKUPS_MAX / 3 - 20, "who has more waits");
	is_num(held_of("d"), 10, "these two take turns");
	drain();
	ok(a.answered == a.sent && b.answered == b.sent &&
	        c.answered == c.sent && d.answered == d.sent && nasked == 0,
	    "all are answered in the end");
}

static void
test_leaves(void)
{
	static struct peer a, b;

	a = peer_new(&a);
	b = peer_new(&b);
	flood(&a, "a", 600);
	flood(&b, "b", 600);
	ask(&b, "a550.test");
	run();
	is_num(held_of("b"), DNS_LOOKUPS_MAX / 3, "one has a third");
	question_forget(a.dns);
	ipc_free(a.dns);
	run();
	is_num(held_of("b"), DNS_LOOKUPS_MAX / 2,
	    "at once more when the other leaves");
	drain();
	ok(b.answered == b.sent && b.refused == 0 && nasked == 0,
	    "also what the other had asked first, and not begun");
}

static void
test_patience(void)
{
	static struct peer a;

	a = peer_new(&a);
	flood(&a, "a", 600);
	loop_skip(patience * 1000);
	run();
	ok(a.answered == a.sent && asker_find(a.dns)->nqueued == 0,
	    "who has waited long enough is told; what was not begun is not");
	is_num(nheld, DNS_LOOKUPS_MAX / 2, "what was begun goes on");
	drain();
	ok(a.answered == a.sent && nasked == 0, "and nobody hears of it");
}

int
main(void)
{
	loop_init();
	log_open("stderr", "question", LL_ERROR);
	question_timeout(24 * 60 * 60); /* however slow this host is */
	test_shares();
	test_known();
	test_closed();
	test_turns();
	test_leaves();
	test_patience();
	return done();
}
