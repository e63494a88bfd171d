/*
 * account: rows there and back, and rows that nobody shall believe.
 */
#include "lib/account.h"

#include <stdlib.h>
#include <string.h>

#include "t/unit/tap.h"

static const struct account ann = {
	.uid = 1001,
	.gid = 4294967294,
	.address = { "ann@example.org", 15 },
	.user = { "ann", 3 },
	.root = { "/home/ann", 9 },
	.mailbox = { "/home/ann/Maildir", 17 },
	.hash = { "$6$x", 4 },
};

static bool
believed(const struct account *a)
{
	struct account got;
	struct buf b;
	bool rc;

	buf_init(&b, 65536);
	account_encode(&b, a);
	rc = account_decode(buf_get(&b), &got) == 0 && got.uid == a->uid &&
	    got.gid == a->gid && span_eq(got.address, a->address) &&
	    span_eq(got.user, a->user) && span_eq(got.root, a->root) &&
	    span_eq(got.mailbox, a->mailbox) && span_eq(got.hash, a->hash);
	buf_fini(&b);
	return rc;
}

static void
test_places(void)
{
	static const struct {
		const char *name;
		struct span root, mailbox;
	} bad[] = {
		{ "a relative root", SPAN("home"), SPAN("home/Maildir") },
		{ "the file system's root", SPAN("/"), SPAN("/Maildir") },
		{ "a mailbox elsewhere", SPAN("/home/ann"),
		    SPAN("/home/bob/Maildir") },
		{ "a mailbox beside", SPAN("/home/ann"),
		    SPAN("/home/anne/Maildir") },
		{ "a mailbox that is the root", SPAN("/home/ann"),
		    SPAN("/home/ann") },
		{ "a way up", SPAN("/home/ann"),
		    SPAN("/home/ann/../bob/Maildir") },
		{ "a way around", SPAN("/home/ann"),
		    SPAN("/home/ann/./Maildir") },
		{ "an empty part", SPAN("/home/ann"),
		    SPAN("/home/ann//Maildir") },
		{ "a slash at the end", SPAN("/home/ann"),
		    SPAN("/home/ann/Maildir/") },
		{ "a NUL byte", SPAN("/home/ann"), SPAN("/home/ann/M\0x") },
		{ "a line end", SPAN("/home/ann"), SPAN("/home/ann/M\nx") },
	};
	struct account a;

	for (size_t i = 0; i < nitems(bad); i++) {
		a = ann;
		a.root = bad[i].root;
		a.mailbox = bad[i].mailbox;
		ok(!believed(&a), bad[i].name);
	}
}

int
main(void)
{
	struct account a = ann, got;
	struct buf b;
	size_t taken = 0;

	ok(believed(&ann), "an account comes back as it was");
	a.user = a.hash = SPAN_NONE;
	ok(believed(&a), "without user and hash, too");
	a.address = SPAN_NONE;
	ok(!believed(&a), "without address not");
	test_places();

	buf_init(&b, 65536);
	account_encode(&b, &ann);
	for (size_t i = 0; i < b.n; i++) {
		char *copy = malloc(i + 1); /* so that a sanitizer sees */

		memcpy(copy, b.p, i);
		taken += account_decode(span_of(copy, i), &got) == 0;
		free(copy);
	}
	ok(taken == 0, "cut at any byte it is refused");
	buf_char(&b, 'x');
	ok(account_decode(buf_get(&b), &got) == -1, "a byte more is a lie");
	b.p[0] = 2;
	b.n--;
	ok(account_decode(buf_get(&b), &got) == -1,
	    "another version is not guessed at");
	account_key(SPAN("Ann.B@EXAMPLE.org"), &b);
	ok(span_eq(buf_get(&b), SPAN("ann.b@example.org")),
	    "keys are in lower case");
	buf_fini(&b);
	return done();
}
