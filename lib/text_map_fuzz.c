/*
 * text_map: what an administrator may have written into tls-policy and
 * relay-passwords. What is taken is well formed, what is not is reported.
 */
#include <assert.h>

#include "lib/relay_passwords.h"
#include "lib/tls_policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static int
policy(void *arg, struct span key, struct span value, size_t line)
{
	enum tls_level level;

	(void)arg;
	assert(key.n > 0 && line > 0);
	assert(tls_level_parse(span_word(&value), &level) == 0);
	assert(value.n == 0 || level == TLS_LEVEL_VERIFY);
	return 0;
}

static int
password(void *arg, struct span key, struct span value, size_t line)
{
	struct span user = span_cut(&value, '\0');

	(void)arg;
	assert(key.n > 0 && line > 0);
	assert(user.n > 0 && value.n > 0 && !span_has(value, '\0'));
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_of(data, size);
	struct buf err;
	int rc;

	buf_init(&err, 1 << 20);
	rc = tls_policy_read(NULL, text, "t", policy, NULL, &err);
	assert((rc == -1) == (err.n != 0));
	buf_clear(&err);
	rc = relay_passwords_read(
	    NULL, text, "t", password, NULL, &err);
	assert((rc == -1) == (err.n != 0));
	buf_fini(&err);
	return 0;
}
