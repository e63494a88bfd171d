/* What is read is a transport, and printing it loses nothing. */
#include <assert.h>

#include "lib/conf.h"
#include "lib/limits.h"
#include "lib/transport.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static int
check(void *arg, struct span key, struct span value, size_t line)
{
	struct transport t;
	struct buf again;

	(void)arg;
	assert(line != 0 && key.n != 0 && value.n != 0);
	assert(transport_parse(value, &t) == 0);
	assert(t.port <= 65535 && t.host.n < PATH_LEN_MAX);
	assert((t.kind == TRANSPORT_ERROR) == (t.text.n != 0));
	buf_init(&again, MAP_VALUE_MAX);
	transport_print(&again, &t);
	assert(span_eq(buf_get(&again), value));
	buf_fini(&again);
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
		    "domains = a.org\nlmtp-sockets = /s\n"), "c", &err);
	assert(conf != NULL);
	rc = transport_read(conf, span_of(data, size), "t", check, NULL, &err);
	assert((rc == -1) == (err.n != 0));
	buf_fini(&err);
	return 0;
}
