/* Whoever gets an account has a clean mailbox and no forbidden uid. */
#include <assert.h>

#include "lib/conf.h"
#include "lib/users.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static int
check(void *arg, const struct account *a, size_t line)
{
	struct account again;
	struct buf b;

	(void)arg;
	assert(line != 0);
	assert(a->uid != 0 && (a->uid >= 1000 || a->uid == 900));
	assert(users_name_ok(a->address) && users_hash_ok(a->hash));
	buf_init(&b, 1 << 16);
	account_encode(&b, a);
	assert(account_decode(buf_get(&b), &again) == 0);
	buf_fini(&b);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct users_owner owner = { 900, 900, false };
	static struct conf *conf;
	struct buf err;
	int rc;

	buf_init(&err, 1 << 20);
	if (conf == NULL)
		conf = conf_read_text(SPAN("hostname = a.org\n"
		    "domains = a.org b.org\nmail-root = /m\n"), "c", &err);
	assert(conf != NULL);
	rc = users_read(conf, &owner, span_of(data, size), "u", check, NULL,
	    &err);
	assert((rc == -1) == (err.n != 0));
	buf_fini(&err);
	return 0;
}
