/*
 * sasl: hostile conversations. The first byte chooses the mechanism and
 * whether the first line is an initial response; then a line an answer, from
 * the wire or decoded. What is said to be DONE is complete and bounded, and
 * nothing follows DONE or BAD.
 */
#include "lib/sasl.h"

#include <assert.h>

#include "lib/chars.h"
#include "lib/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check_done(const struct sasl *s)
{
	assert(s->authcid.n > 0 && s->authcid.n <= AUTH_NAME_MAX);
	assert(s->authzid.n <= AUTH_NAME_MAX);
	assert(s->password.n > 0 && s->password.n <= AUTH_PASSWORD_MAX);
	assert(utf8_ok(s->authcid) && utf8_ok(s->authzid));
	assert(!span_has(s->authcid, '\0') && !span_has(s->authzid, '\0'));
	assert(!span_has(s->password, '\0'));
	assert(!span_has(s->authcid, '\n') && !span_has(s->authcid, '\r'));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in, line;
	struct sasl *s;
	enum sasl_step r = SASL_MORE;
	bool wire;

	if (size == 0)
		return 0;
	in = span_of(data + 1, size - 1);
	wire = (data[0] & 2) != 0;
	s = sasl_new((data[0] & 1) != 0 ? SPAN("LOGIN") : SPAN("plain"));
	assert(s != NULL);
	if ((data[0] & 4) != 0)
		r = sasl_step(s, NULL);
	while (in.n > 0 && r == SASL_MORE) {
		line = span_cut(&in, '\n');
		r = wire ? sasl_step_base64(s, line) : sasl_step(s, &line);
	}
	if (r == SASL_DONE)
		check_done(s);
	line = SPAN("=");
	if (r != SASL_MORE)
		assert(sasl_step(s, &line) == SASL_BAD);
	sasl_free(&s);
	sasl_free(&s);
	return 0;
}
