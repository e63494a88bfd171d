/*
 * transport: lines of the map, what is said of lines that are none, and
 * which way an address gets.
 */
#include "lib/transport.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/conf.h"
#include "t/unit/lines.h"

static struct conf *conf, *hub;

static const struct good_case goods[] = {
	{ "mx", "c.net mx\n", "c.net=mx;" },
	{ "an address", "Ann@C.net  discard\n", "ann@c.net=discard;" },
	{ "a suffix", ".C.net\tlmtp:Box.c.net:24\n", ".c.net=lmtp:box.c.net:24;" },
	{ "all", "* relay:[192.0.2.1]:587\n", "*=relay:[192.0.2.1]:587;" },
	{ "a host by its MX", "c.net relay:Hub.c.net\n",
	    "c.net=relay:hub.c.net;" },
	{ "a host itself", "c.net relay:[hub.c.net]:2525\n",
	    "c.net=relay:[hub.c.net]:2525;" },
	{ "an address needs no brackets", "c.net relay:192.0.2.1:26\n",
	    "c.net=relay:[192.0.2.1]:26;" },
	{ "IPv6", "c.net relay:[2001:DB8::1]:26\n",
	    "c.net=relay:[2001:db8::1]:26;" },
	{ "IPv6 as in mail addresses", "c.net relay:[IPv6:2001:db8::1]\n",
	    "c.net=relay:[2001:db8::1];" },
	{ "LMTP by IPv6", "c.net lmtp:[::1]:24\n", "c.net=lmtp:[::1]:24;" },
	{ "LMTP without a port", "c.net lmtp:box\n", "c.net=lmtp:box;" },
	{ "a socket", "a.org lmtp:unix:/run/Lmtp.sock\n",
	    "a.org=lmtp:unix:/run/Lmtp.sock;" },
	{ "an error", "c.net error:gone  away\n",
	    "c.net=error:5.0.0 gone  away;" },
	{ "with a status", "c.net error:5.7.1 not  here\n",
	    "c.net=error:5.7.1 not  here;" },
	{ "a number that is no status", "c.net error:5.7 x\n",
	    "c.net=error:5.0.0 5.7 x;" },
	{ "local", "ann@a.org local\n", "ann@a.org=local;" },
	{ "a literal", "[192.0.2.7] discard\n", "[192.0.2.7]=discard;" },
	{ "a comment", "# c.net mx\n\nc.net mx\n", "c.net=mx;" },
	{ "nothing", "", "" },
};

static const struct bad_case bads[] = {
	{ "no transport", "c.net\n", "t:1: no transport; write one behind c.net" },
	{ "not a pattern", "a..b mx\n", "no pattern" },
	{ "a path in brackets", "<a@c.net> mx\n", "no pattern" },
	{ "no local part", "@c.net mx\n", "no pattern" },
	{ "only a dot", ". mx\n", "no pattern" },
	{ "a star in a name", "*.c.net mx\n", "no pattern" },
	{ "not a transport", "c.net smtp:x\n", "is no transport" },
	{ "words behind it", "c.net mx x\n", "is no transport" },
	{ "a code", "c.net error:550 5.7.1 no\n", "code of SMTP" },
	{ "no host", "c.net relay:\n", "is no transport" },
	{ "no host in brackets", "c.net relay:[]:25\n", "is no transport" },
	{ "an open bracket", "c.net relay:[x\n", "is no transport" },
	{ "port 0", "c.net relay:x:0\n", "is no transport" },
	{ "port 65536", "c.net relay:x:65536\n", "is no transport" },
	{ "no port behind the colon", "c.net relay:x:\n", "is no transport" },
	{ "IPv6 without brackets", "c.net relay:2001:db8::1\n",
	    "is no transport" },
	{ "two hosts", "c.net relay:a,b\n", "is no transport" },
	{ "a socket without a path", "c.net lmtp:unix:\n", "is no transport" },
	{ "a path with dots", "c.net lmtp:unix:/run/../x\n",
	    "is no transport" },
	{ "a socket that is not allowed", "c.net lmtp:unix:/run/other\n",
	    "t:1: /run/other may not be connected to; add it to lmtp-sockets" },
	{ "local elsewhere", "c.net local\n", "local is for local domains" },
	{ "local for all", "* local\n", "local is for local domains" },
	{ "an error without a text", "c.net error:\n", "is no transport" },
	{ "with a status alone", "c.net error:5.7.1\n", "is no transport" },
	{ "with a control", "c.net error:a\tb\x01\n", "is no transport" },
	{ "the same twice", "c.net mx\nC.NET discard\n",
	    "t:2: C.NET is already in line 1" },
};

static const char map_text[] = "* relay:[fallback]\n"
    ".net relay:hub.net\n.c.net discard\nc.net mx\n"
    "ann@c.net error:5.1.6 moved\na.org lmtp:unix:/run/Lmtp.sock\n"
    "bob@a.org local\n[192.0.2.9] discard\nport.net relay:hub.net:26\n";

static const struct way_case {
	const char *address;
	const char *with, *without, *hub; /* by the map; by none; relayhost */
} ways[] = {
	{ "x@c.net", "c.net", "c.net", "relay:[smart.net]:587" },
	{ "x@C.Net", "c.net", "c.net", "relay:[smart.net]:587" },
	{ "ANN@c.net", "error:5.1.6 moved", "c.net", "relay:[smart.net]:587" },
	{ "x@mail.c.net", "discard", "mail.c.net", "relay:[smart.net]:587" },
	{ "x@d.net", "hub.net", "d.net", "relay:[smart.net]:587" },
	{ "x@port.net", "relay:hub.net:26", "port.net",
	    "relay:[smart.net]:587" },
	{ "x@d.com", "relay:[fallback]", "d.com", "relay:[smart.net]:587" },
	{ "x@[192.0.2.8]", "relay:[fallback]", "relay:[192.0.2.8]",
	    "relay:[smart.net]:587" },
	{ "x@[192.0.2.9]", "discard", "relay:[192.0.2.9]",
	    "relay:[smart.net]:587" },
	{ "x@[IPv6:2001:db8::1]", "relay:[fallback]", "relay:[2001:db8::1]",
	    "relay:[smart.net]:587" },
	{ "x@a.org", "lmtp:unix:/run/Lmtp.sock", "local", "local" },
	{ "bob@a.org", "local", "local", "local" },
	{ "x@sub.net", "local", "local", "local" },
};

static int
read_lines(struct span text, struct buf *out, struct buf *err)
{
	return transport_read(conf, text, "t", lines_row, out, err);
}

static bool
leads_to(const struct conf *c, struct map *map, const char *address,
    const char *want, struct buf *out)
{
	struct transport t;
	const char *why = "";

	buf_clear(out);
	if (transport_of(c, map, span_str(address), &t, &why) == -1)
		buf_str(out, why);
	else
		transport_name(out, &t);
	return span_ieq(buf_get(out), span_str(want));
}

static int
put_row(void *arg, struct span key, struct span value, size_t line)
{
	(void)line;
	return map_put(arg, key, value);
}

static struct map *
map_make(struct buf *err)
{
	char path[] = "/tmp/transport-map-XXXXXX";
	struct map_writer *w;
	struct map *map = NULL;
	int fd = mkstemp(path);

	if (fd == -1 || (w = map_create(path, 0600)) == NULL)
		return NULL;
	(void)close(fd);
	if (transport_read(conf, span_str(map_text), "t", put_row, w, err) == 0 &&
	    map_put(w, SPAN("bad.net"), SPAN("nonsense")) == 0 &&
	    map_put(w, SPAN("far.net"), SPAN("local")) == 0 &&
	    map_commit(w) == 0 && (fd = open(path, O_RDONLY)) != -1)
		map = map_open(fd);
	(void)unlink(path);
	return map;
}

static void
addresses(struct buf *out, struct buf *err)
{
	struct map *map = map_make(err);
	char name[200];

	ok(map != NULL, "a map is made");
	for (size_t i = 0; i < nitems(ways); i++) {
		(void)snprintf(name, sizeof(name), "%s: %s, %s, %s",
		    ways[i].address, ways[i].with, ways[i].without,
		    ways[i].hub);
		if (!ok(leads_to(conf, map, ways[i].address, ways[i].with,
			    out) &&
			leads_to(conf, NULL, ways[i].address, ways[i].without,
			    out) &&
			leads_to(hub, NULL, ways[i].address, ways[i].hub, out),
			name))
			printf("# %.*s\n", SPAN_FMT(buf_get(out)));
	}
	ok(leads_to(conf, map, "x@bad.net", "transport map is damaged", out),
	    "a row that cannot be read");
	ok(leads_to(conf, map, "x@far.net", "transport map says local, but the "
	    "domain is not", out), "a domain that is local no more");
	map_close(map);
}

int
main(void)
{
	struct buf out, err;

	buf_init(&out, 65536);
	buf_init(&err, 65536);
	conf = conf_read_text(SPAN("hostname = mail.a.org\n"
	    "domains = a.org sub.net\nlmtp-sockets = /run/Lmtp.sock\n"), "c",
	    &err);
	hub = conf_read_text(SPAN("hostname = mail.a.org\n"
	    "domains = a.org sub.net\nrelayhost = smart.net:587\n"), "c",
	    &err);
	if (conf == NULL || hub == NULL)
		return 1;
	lines_good(read_lines, goods, nitems(goods));
	lines_bad(read_lines, bads, nitems(bads));
	addresses(&out, &err);
	conf_free(conf);
	conf_free(hub);
	buf_fini(&out);
	buf_fini(&err);
	return done();
}
