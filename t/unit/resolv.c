/* resolv: resolv.conf(5). */
#include "lib/resolv.h"

#include "lib/buf.h"
#include "t/unit/tap.h"

static const struct resolv_case {
	const char *name, *text, *found;
} cases[] = {
	{ "nothing", "", "" },
	{ "one", "nameserver 192.0.2.1\n", "192.0.2.1 " },
	{ "without an end", "nameserver 192.0.2.1", "192.0.2.1 " },
	{ "tabs, both families, CR",
	    "search x.org\nnameserver\t192.0.2.1\r\n nameserver  2001:db8::1 \n",
	    "192.0.2.1 2001:db8::1 " },
	{ "comments and options",
	    "# nameserver 192.0.2.1\n;nameserver 192.0.2.2\noptions edns0\n",
	    "" },
	{ "no addresses", "nameserver localhost\nnameserver\n"
	    "nameserver 192.0.2\nnameserver fe80::1%eth0\n"
	    "nameserver 192.0.2.9 # that\n", "192.0.2.9 " },
	{ "too long", "nameserver 1111111111111111111111111111111111111111111"
	    "1111111\n", "" },
};

int
main(void)
{
	struct resolv_address a;
	struct span rest;
	struct buf b;

	buf_init(&b, 1000);
	for (size_t i = 0; i < nitems(cases); i++) {
		buf_clear(&b);
		rest = span_str(cases[i].text);
		while (resolv_next(&rest, &a))
			buf_fmt(&b, "%s ", a.text);
		ok(span_eq(buf_get(&b), span_str(cases[i].found)),
		    cases[i].name);
	}
	buf_fini(&b);
	return done();
}
