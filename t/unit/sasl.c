/* sasl: conversations, answer by answer; NULL stands for "no response". */
#include "lib/sasl.h"

#include <string.h>

#include "lib/limits.h"
#include "t/unit/tap.h"

struct line {
	const char *p; /* NULL: no initial response */
	size_t n;
};

#define L(lit) { "" lit, sizeof(lit) - 1 }
#define NO { NULL, 0 }

static const struct sasl_case {
	const char *name, *mech;
	bool wire;
	size_t n;
	struct line in[4];
	enum sasl_step last;
	const char *authzid, *authcid, *password;
} cases[] = {
	{ "PLAIN at once", "PLAIN", 0, 1, { L("\0ann\0secret") }, SASL_DONE,
	    "", "ann", "secret" },
	{ "PLAIN in small letters", "plain", 0, 1, { L("\0ann\0secret") },
	    SASL_DONE, "", "ann", "secret" },
	{ "PLAIN after an empty challenge", "PLAIN", 0, 2,
	    { NO, L("\0ann\0s") }, SASL_DONE, "", "ann", "s" },
	{ "PLAIN with authzid", "PLAIN", 0, 1, { L("bob\0ann\0s") },
	    SASL_DONE, "bob", "ann", "s" },
	{ "PLAIN on the wire", "PLAIN", 1, 1, { L("AGFubgBzZWNyZXQ=") },
	    SASL_DONE, "", "ann", "secret" },
	{ "a password of any bytes", "PLAIN", 0, 1, { L("\0ann\0\xff\n ") },
	    SASL_DONE, "", "ann", "\xff\n " },
	{ "PLAIN without password", "PLAIN", 0, 1, { L("\0ann\0") }, SASL_BAD,
	    0, 0, 0 },
	{ "PLAIN without name", "PLAIN", 0, 1, { L("\0\0secret") }, SASL_BAD,
	    0, 0, 0 },
	{ "PLAIN without NUL", "PLAIN", 0, 1, { L("ann secret") }, SASL_BAD,
	    0, 0, 0 },
	{ "PLAIN with one NUL", "PLAIN", 0, 1, { L("ann\0secret") }, SASL_BAD,
	    0, 0, 0 },
	{ "PLAIN with three NULs", "PLAIN", 0, 1, { L("\0ann\0sec\0ret") },
	    SASL_BAD, 0, 0, 0 },
	{ "PLAIN of nothing", "PLAIN", 0, 1, { L("") }, SASL_BAD, 0, 0, 0 },
	{ "PLAIN, no answer twice", "PLAIN", 0, 2, { NO, NO }, SASL_BAD, 0, 0,
	    0 },
	{ "a control in the name", "PLAIN", 0, 1, { L("\0an\nn\0s") },
	    SASL_BAD, 0, 0, 0 },
	{ "a name that is not UTF-8", "PLAIN", 0, 1, { L("\0an\xff\0s") },
	    SASL_BAD, 0, 0, 0 },
	{ "a control in the authzid", "PLAIN", 0, 1, { L("\r\0ann\0s") },
	    SASL_BAD, 0, 0, 0 },
	{ "LOGIN", "LOGIN", 0, 3, { NO, L("ann"), L("secret") }, SASL_DONE,
	    "", "ann", "secret" },
	{ "LOGIN with the name at once", "LOGIN", 0, 2,
	    { L("ann"), L("secret") }, SASL_DONE, "", "ann", "secret" },
	{ "LOGIN on the wire", "LOGIN", 1, 2, { L("YW5u"), L("c2VjcmV0") },
	    SASL_DONE, "", "ann", "secret" },
	{ "LOGIN with NUL in the name", "LOGIN", 0, 2,
	    { L("ann\0x"), L("secret") }, SASL_BAD, 0, 0, 0 },
	{ "LOGIN with NUL in the password", "LOGIN", 0, 2,
	    { L("ann"), L("sec\0ret") }, SASL_BAD, 0, 0, 0 },
	{ "LOGIN without name", "LOGIN", 0, 1, { L("") }, SASL_BAD, 0, 0, 0 },
	{ "LOGIN without password", "LOGIN", 0, 2, { L("ann"), L("") },
	    SASL_BAD, 0, 0, 0 },
	{ "a cancel", "LOGIN", 1, 1, { L("*") }, SASL_BAD, 0, 0, 0 },
	{ "a cancel in the middle", "LOGIN", 1, 2, { L("YW5u"), L("*") },
	    SASL_BAD, 0, 0, 0 },
	{ "not base64", "PLAIN", 1, 1, { L("AGFubgBzZWNyZXQ") }, SASL_BAD, 0,
	    0, 0 },
	{ "an empty answer on the wire", "PLAIN", 1, 1, { L("=") }, SASL_BAD,
	    0, 0, 0 },
};

static enum sasl_step
converse(const struct sasl_case *c, struct sasl *s)
{
	enum sasl_step r = SASL_MORE;
	struct span in;
	size_t i;

	for (i = 0; i < c->n && r == SASL_MORE; i++) {
		in = span_of(c->in[i].p, c->in[i].n);
		if (c->in[i].p == NULL)
			r = sasl_step(s, NULL);
		else if (c->wire)
			r = sasl_step_base64(s, in);
		else
			r = sasl_step(s, &in);
	}
	return r;
}

static void
test_conversations(void)
{
	const struct sasl_case *c;
	struct span again = SPAN("x");
	struct sasl *s;
	bool good;

	for (c = cases; c < cases + nitems(cases); c++) {
		s = sasl_new(span_str(c->mech));
		good = s != NULL && converse(c, s) == c->last;
		if (good && c->last == SASL_DONE)
			good = span_eq(s->authzid, span_str(c->authzid)) &&
			    span_eq(s->authcid, span_str(c->authcid)) &&
			    span_eq(s->password, span_str(c->password));
		good = good && sasl_step(s, &again) == SASL_BAD;
		ok(good, c->name);
		sasl_free(&s);
	}
}

/* PLAIN with a name and a password of these lengths. */
static enum sasl_step
plain_lengths(size_t name, size_t password)
{
	struct sasl *s;
	struct buf b;
	struct span in;
	enum sasl_step r;

	buf_init(&b, 10000);
	buf_char(&b, '\0');
	while (b.n < 1 + name)
		buf_char(&b, 'n');
	buf_char(&b, '\0');
	while (b.n < 2 + name + password)
		buf_char(&b, 'p');
	in = buf_get(&b);
	s = sasl_new(SPAN("PLAIN"));
	r = sasl_step(s, &in);
	sasl_free(&s);
	buf_fini(&b);
	return r;
}

static void
test_limits(void)
{
	ok(plain_lengths(AUTH_NAME_MAX, 1) == SASL_DONE, "the longest name");
	ok(plain_lengths(AUTH_NAME_MAX + 1, 1) == SASL_BAD, "one byte more");
	ok(plain_lengths(1, AUTH_PASSWORD_MAX) == SASL_DONE,
	    "the longest password");
	ok(plain_lengths(1, AUTH_PASSWORD_MAX + 1) == SASL_BAD,
	    "one byte more");
	ok(plain_lengths(1, 9000) == SASL_BAD, "far more than memory");
}

static void
test_rest(void)
{
	struct sasl *s;
	struct span name = SPAN("ann");

	ok(sasl_new(SPAN("CRAM-MD5")) == NULL, "a mechanism not offered");
	ok(sasl_new(SPAN_NONE) == NULL, "no mechanism");
	ok(sasl_new(SPAN("LOGI")) == NULL, "half a mechanism");
	s = sasl_new(SPAN("LOGIN"));
	ok(sasl_step_first(s, SPAN_NONE) == SASL_MORE &&
	        span_eq(s->challenge, SPAN("Username:")), "asks for the name");
	ok(sasl_step(s, &name) == SASL_MORE &&
	        span_eq(s->challenge, SPAN("Password:")), "and the password");
	sasl_free(&s);
	sasl_free(&s);
	ok(s == NULL, "freed twice is fine");
	s = sasl_new(SPAN("LOGIN"));
	ok(sasl_step_first(s, SPAN("YW5u")) == SASL_MORE &&
	        span_eq(s->challenge, SPAN("Password:")),
	    "a name beside the mechanism's");
	sasl_free(&s);
}

int
main(void)
{
	test_conversations();
	test_limits();
	test_rest();
	return done();
}
