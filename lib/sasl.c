/*
 * sasl: a mechanism is a row: its name and its step function. All bytes of a
 * client's answers live in mem, whose memory is taken once and wiped at the
 * end, so that no copy of a password stays behind.
 *
 *	PLAIN  0 --[initial response]--> done
 *	       0 --none--> 1 (empty challenge) --> done
 *	LOGIN  0 --[initial: name]--> 2 "Password:" --> done
 *	       0 --none--> 1 "Username:" --> 2 "Password:" --> done
 */
#include "lib/sasl.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base64.h"
#include "lib/chars.h"
#include "lib/die.h"
#include "lib/limits.h"

enum {
	SASL_MEM_MAX = 2 * AUTH_NAME_MAX + AUTH_PASSWORD_MAX + 2,
	SASL_OVER = -1, /* state: DONE or BAD was said */
};

typedef enum sasl_step step_fn(struct sasl *, const struct span *);

const char sasl_mechs[] = "PLAIN LOGIN";

/* A name: bytes that a log, a header and a map key can carry. */
static bool
name_ok(struct span s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (char_is(s.p[i], CH_CTL))
			return false;
	return s.n <= AUTH_NAME_MAX && utf8_ok(s);
}

/* All three are there: RFC 4616 2, neither name nor password is empty. */
static enum sasl_step
finish(struct sasl *s)
{
	s->state = SASL_OVER;
	if (!name_ok(s->authzid) || !name_ok(s->authcid) ||
	    s->authcid.n == 0 || s->password.n == 0 ||
	    s->password.n > AUTH_PASSWORD_MAX || span_has(s->password, '\0'))
		return SASL_BAD;
	return SASL_DONE;
}

/* Keeps the bytes of one answer; they never move. */
static int
keep(struct sasl *s, struct span bytes, struct span *kept)
{
	size_t at = s->mem.n;

	buf_span(&s->mem, bytes);
	if (s->mem.bad)
		return -1;
	*kept = span_slice(buf_get(&s->mem), at, s->mem.n);
	return 0;
}

static enum sasl_step
challenge(struct sasl *s, int state, const char *text)
{
	s->state = state;
	s->challenge = span_str(text);
	return SASL_MORE;
}

/* RFC 4616 2: [authzid] NUL authcid NUL password */
static enum sasl_step
plain_step(struct sasl *s, const struct span *r)
{
	struct span all;

	if (r == NULL)
		return s->state == 0 ? challenge(s, 1, "") : SASL_BAD;
	if (keep(s, *r, &all) == -1 || !span_has(all, '\0'))
		return SASL_BAD;
	s->authzid = span_cut(&all, '\0');
	if (!span_has(all, '\0'))
		return SASL_BAD;
	s->authcid = span_cut(&all, '\0');
	s->password = all;
	return finish(s);
}

static enum sasl_step
login_step(struct sasl *s, const struct span *r)
{
	if (r == NULL)
		return s->state == 0 ? challenge(s, 1, "Username:") : SASL_BAD;
	if (s->state == 2)
		return keep(s, *r, &s->password) == -1 ? SASL_BAD : finish(s);
	if (keep(s, *r, &s->authcid) == -1 || s->authcid.n == 0)
		return SASL_BAD;
	return challenge(s, 2, "Password:");
}

static const struct {
	struct span name;
	step_fn *step;
} mechs[] = {
	{ { "PLAIN", 5 }, plain_step },
	{ { "LOGIN", 5 }, login_step },
};

struct sasl *
sasl_new(struct span mech)
{
	struct sasl *s;
	int i;

	for (i = 0; i < (int)nitems(mechs); i++)
		if (span_ieq(mechs[i].name, mech))
			break;
	if (i == (int)nitems(mechs))
		return NULL;
	s = xcalloc(1, sizeof(*s));
	*s = (struct sasl){ .mech = i, .authzid = SPAN_NONE,
		.authcid = SPAN_NONE, .password = SPAN_NONE,
		.challenge = SPAN_NONE };
	buf_init(&s->mem, SASL_MEM_MAX);
	(void)buf_room(&s->mem, SASL_MEM_MAX); /* now, so that it never moves */
	return s;
}

void
sasl_free(struct sasl **sp)
{
	struct sasl *s = *sp;

	if (s == NULL)
		return;
	explicit_bzero(s->mem.p, s->mem.cap);
	buf_fini(&s->mem);
	free(s);
	*sp = NULL;
}

enum sasl_step
sasl_step(struct sasl *s, const struct span *response)
{
	enum sasl_step r;

	if (s->state == SASL_OVER)
		return SASL_BAD;
	r = mechs[s->mech].step(s, response);
	if (r == SASL_BAD)
		s->state = SASL_OVER;
	return r;
}

enum sasl_step
sasl_step_base64(struct sasl *s, struct span line)
{
	enum sasl_step r = SASL_BAD;
	struct buf b;
	struct span got;

	if (span_eq(line, SPAN("="))) /* RFC 4954 4: an empty initial response */
		line = SPAN_NONE;
	buf_init(&b, SASL_MEM_MAX);
	(void)buf_room(&b, SASL_MEM_MAX);
	if (base64_decode(line, &b) == 0) { /* "*" is not base64 */
		got = buf_get(&b);
		r = sasl_step(s, &got);
	}
	if (r == SASL_BAD)
		s->state = SASL_OVER;
	explicit_bzero(b.p, b.cap);
	buf_fini(&b);
	return r;
}

enum sasl_step
sasl_step_first(struct sasl *s, struct span arg)
{
	return arg.n == 0 ? sasl_step(s, NULL) : sasl_step_base64(s, arg);
}
