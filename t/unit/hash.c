/*
 * hash: the plain one must never change (UIDLs stand on it); the keyed one
 * must differ by key and hold still in a process.
 */
#include "lib/hash.h"

#include <string.h>

#include "t/unit/tap.h"

static const struct plain_case {
	const char *text;
	uint64_t seed, value;
} plains[] = {
	{ "", 0, 0xd1fba762150c532c },
	{ "a", 0, 0x407448d2b89b1813 },
	{ "1234567", 0, 0xa33d651594fdae81 },
	{ "12345678", 0, 0x3489982430560a87 },
	{ "123456789", 0, 0x0fbc0f0007965fcf },
	{ "the quick brown fox jumps over the lazy dog", 0, 0x80a65583f613da2d },
	{ "", 5, 0x7428815d814ab250 },
	{ "a", 5, 0x962127b5a6465160 },
	{ "1234567", 5, 0xfdfd326f270f546c },
	{ "12345678", 5, 0x8738b4645a6496b7 },
	{ "123456789", 5, 0x995f4f0db07d470b },
	{ "the quick brown fox jumps over the lazy dog", 5, 0x2bc23b1d8e30c775 },
};

int
main(void)
{
	const struct plain_case *c;
	unsigned char a[600], b[600];
	bool spread = false;
	size_t i;

	for (c = plains; c < plains + nitems(plains); c++)
		if (!ok(hash_plain64(span_str(c->text), c->seed) == c->value,
		        c->text))
			printf("# %llx\n", (unsigned long long)hash_plain64(
			    span_str(c->text), c->seed));
	ok(hash_plain64(SPAN("a\0"), 0) != hash_plain64(SPAN("a"), 0),
	    "NUL counts");
	ok(hash_keyed(SPAN("x")) == hash_keyed(SPAN("x")), "keyed holds still");
	ok(hash_keyed(SPAN("x")) != hash_keyed(SPAN("y")), "and tells apart");
	ok(hash_keyed(SPAN("x")) != hash_plain64(SPAN("x"), 0),
	    "and has a key");
	memset(a, 0, sizeof(a));
	random_bytes(a, sizeof(a));
	random_bytes(b, sizeof(b));
	ok(memcmp(a, b, sizeof(a)) != 0, "random bytes differ");
	for (i = 590; i < sizeof(a); i++)
		spread = spread || a[i] != 0;
	ok(spread, "and reach the end of a long piece");
	random_bytes(a, 0);
	return done();
}
