/* Each target is an address as addr_parse() makes them. */
#include <assert.h>

#include "lib/addr.h"
#include "lib/aliases.h"
#include "lib/conf.h"
#include "lib/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static int
check(void *arg, struct span key, struct span targets, size_t line)
{
	struct buf text;
	struct addr a;

	(void)arg;
	assert(line != 0 && key.n != 0 && targets.n != 0);
	buf_init(&text, SMTP_PATH_MAX);
	/* Those with quoted commas cannot be cut that simply. */
	if (!span_has(targets, '"')) {
		struct span rest = targets, one;

		while (rest.n != 0) {
			one = span_cut(&rest, ',');
			buf_clear(&text);
			assert(addr_parse(&one, 0, &text, &a) == 0);
			assert(one.n == 0 && a.domain.n != 0);
		}
	}
	buf_fini(&text);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct conf *conf;
	struct buf err;
	int rc;

	buf_init(&err, 1 << 20);
	if (conf == NULL)
		conf = conf_read_text(SPAN("hostname = a.org\n"
		    "domains = a.org b.org\n"), "c", &err);
	assert(conf != NULL);
	rc = aliases_read(conf, span_of(data, size), "a", check, NULL, &err);
	assert((rc == -1) == (err.n != 0));
	buf_fini(&err);
	return 0;
}
