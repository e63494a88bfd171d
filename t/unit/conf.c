/*
 * conf: what a postern.conf may hold, what is said of one that is wrong, and
 * that what is written is read back the same.
 */
#include "lib/conf.h"

#include <arpa/inet.h>
#include <string.h>

#include "t/unit/tap.h"

#define BASE "hostname = mail.example.org\n"

static const struct good_case {
	const char *name, *text, *key, *value;
} goods[] = {
	{ "a value may have a comment behind it",
	    BASE "log = stderr # here\n", "log", "stderr" },
	{ "a hash inside a word is no comment",
	    BASE "spool-dir = /a#b\n", "spool-dir", "/a#b" },
	{ "quotes keep blanks and hashes",
	    BASE "spool-dir = \"/a b # c\"\n", "spool-dir", "/a b # c" },
	{ "blanks around are dropped", "  hostname\t=  Mail.Example.ORG  \n",
	    "hostname", "mail.example.org" },
	{ "CR LF lines are fine", "hostname = a.org\r\ndomains = b.org\r\n",
	    "domains", "b.org" },
	{ "a last line without end is a line", "hostname = a.org", "hostname",
	    "a.org" },
	{ "domains are lower case, once each",
	    BASE "domains = B.org, a.org b.ORG\n", "domains", "b.org a.org" },
	{ "the default domain is the first local one",
	    BASE "domains = b.org a.org\n", "default-domain", "b.org" },
	{ "else the hostname", BASE, "default-domain", "mail.example.org" },
	{ "postmaster gets the default domain",
	    BASE "domains = b.org\n", "postmaster", "postmaster@b.org" },
	{ "postmaster may be an address",
	    BASE "postmaster = ann@x.org\n", "postmaster", "ann@x.org" },
	{ "sizes have units", BASE "message-size = 1024K\n", "message-size",
	    "1M" },
	{ "times have units", BASE "queue-lifetime = 48h\n", "queue-lifetime",
	    "2d" },
	{ "seconds need none", BASE "smtp-timeout = 90\n", "smtp-timeout",
	    "90s" },
	{ "zero switches off", BASE "delay-warning = 0\n", "delay-warning",
	    "0" },
	{ "off is no listener", BASE "listen-smtp = off\n", "listen-smtp",
	    "off" },
	{ "a star is both families", BASE "listen-smtp = *:2525\n",
	    "listen-smtp", "0.0.0.0:2525 [::]:2525" },
	{ "port 0 is for tests", BASE "listen-smtp = 127.0.0.1:0, [::1]:0\n",
	    "listen-smtp", "127.0.0.1:0 [::1]:0" },
	{ "networks", BASE "trusted-networks = 192.0.2.0/24 ::1\n",
	    "trusted-networks", "192.0.2.0/24 ::1/128" },
	{ "no network", BASE "trusted-networks = none\n", "trusted-networks",
	    "none" },
	{ "a slash at the end of a path goes",
	    BASE "mail-root = /var/mail/\n", "mail-root", "/var/mail" },
	{ "a relay host with port", BASE "relayhost = [192.0.2.1]:587\n",
	    "relayhost", "[192.0.2.1]:587" },
	{ "resolvers", BASE "resolver = 192.0.2.1, 2001:db8::1@5353\n",
	    "resolver", "192.0.2.1 2001:db8::1@5353" },
	{ "no resolver of its own", BASE "resolver = recursive\n", "resolver",
	    "recursive" },
	{ "delays of milliseconds", BASE "auth-delay = 1500ms\n",
	    "auth-delay", "1500ms" },
};

static const struct bad_case {
	const char *name, *text, *says;
} bads[] = {
	{ "no hostname", "domains = a.org\n", "hostname is not set" },
	{ "a resolver by name", BASE "resolver = ns.example.org\n",
	    "is no resolver" },
	{ "a resolver's port is 0", BASE "resolver = 192.0.2.1@0\n",
	    "is no resolver" },
	{ "recursive, and more", BASE "resolver = recursive 192.0.2.1\n",
	    "\"recursive\" is no resolver" },
	{ "no resolver", BASE "resolver =\n", "is no resolver" },
	{ "an unknown key is guessed", BASE "domain = a.org\n",
	    "x:2: unknown key \"domain\"; did you mean domains?" },
	{ "underscores are guessed", BASE "message_size = 1M\n",
	    "did you mean message-size?" },
	{ "what is near nothing is not", BASE "zzzzzzzz = 1\n",
	    "postern config --keys" },
	{ "a key twice", BASE BASE, "x:2: hostname is already set in line 1" },
	{ "no equals sign", BASE "listen smtp\n", "x:2: no \"=\"" },
	{ "a bad name", "hostname = a..b\n", "x:1: hostname: \"a..b\"" },
	{ "a name with a dot at the end", "hostname = a.org.\n", "x:1:" },
	{ "a size without number", BASE "message-size = big\n",
	    "x:2: message-size: not a size" },
	{ "a size out of range", BASE "message-size = 2G\n",
	    "between 64K and 1G" },
	{ "a size that overflows", BASE "message-size = 99999999999999T\n",
	    "message-size" },
	{ "a negative number", BASE "smtp-errors = -1\n", "smtp-errors" },
	{ "a relative path", BASE "spool-dir = spool\n",
	    "spool-dir: not an absolute path" },
	{ "a path with ..", BASE "spool-dir = /a/../b\n", "spool-dir" },
	{ "host bits in a network", BASE "trusted-networks = 10.0.0.1/8\n",
	    "bits are set behind the /8" },
	{ "a prefix too long", BASE "trusted-networks = 10.0.0.0/33\n",
	    "no network" },
	{ "a listener by name", BASE "listen-smtp = localhost:25\n",
	    "no address to listen on" },
	{ "a port out of range", BASE "listen-smtp = *:65536\n",
	    "no address to listen on" },
	{ "a quote that does not end", BASE "log = \"stderr\n",
	    "no quote at the end" },
	{ "text behind a quote", BASE "log = \"stderr\" x\n",
	    "text after the closing quote" },
	{ "half a TLS pair", BASE "tls-key = /k\n", "go together" },
	{ "a domain in both lists",
	    BASE "domains = a.org\nsystem-domains = a.org\n",
	    "in domains and in system-domains" },
	{ "a flag is yes or no", BASE "plaintext-auth = true\n",
	    "neither yes nor no" },
	{ "a level that is none", BASE "log-level = loud\n",
	    "one of: error warn info debug" },
	{ "a word where the words are not the meaning",
	    BASE "relay-tls = some\n", "one of: none may encrypt verify" },
	{ "the shortest wait above the longest",
	    BASE "retry-min = 2h\nretry-max = 1h\n", "retry-min is longer" },
	{ "a relay that may not wait for an answer",
	    BASE "relay-timeout = 9m\n", "shorter than relay-dot-timeout" },
	{ "a user with a colon", BASE "mail-user = a:b\n", "not an account" },
};

static struct conf *
read_text(const char *text, struct buf *err)
{
	buf_clear(err);
	return conf_read_text(span_str(text), "x", err);
}

static bool
contains(struct buf *b, const char *what)
{
	const char *s = b->n == 0 ? "" : buf_cstr(b);

	return s != NULL && strstr(s, what) != NULL;
}

static void
test_good(const struct good_case *g)
{
	struct buf err, value;
	struct conf *c;

	buf_init(&err, 65536);
	buf_init(&value, 65536);
	c = read_text(g->text, &err);
	ok(c != NULL && conf_write_key(c, span_str(g->key), &value) == 0 &&
	    span_eq(buf_get(&value), span_str(g->value)), g->name);
	if (err.n != 0)
		printf("# %.*s", (int)err.n, err.p);
	conf_free(c);
	buf_fini(&err);
	buf_fini(&value);
}

static void
test_bad(const struct bad_case *b)
{
	struct buf err;
	struct conf *c;

	buf_init(&err, 65536);
	c = read_text(b->text, &err);
	if (!ok(c == NULL && contains(&err, b->says) && contains(&err, "; "),
		b->name))
		printf("# %.*s", (int)err.n, err.p);
	conf_free(c);
	buf_fini(&err);
}

static void
test_round_trip(void)
{
	struct buf err, one, two;
	struct conf *c, *again;

	buf_init(&err, 65536);
	buf_init(&one, 65536);
	buf_init(&two, 65536);
	c = read_text(BASE "domains = a.org\nspool-dir = \"/a # b\"\n"
	    "relayhost = x.org:25\nauth-delay = 0ms\n", &err);
	conf_write(c, false, &one);
	again = conf_read_text(buf_get(&one), "again", &err);
	ok(again != NULL, "what is written is read");
	if (again != NULL)
		conf_write(again, false, &two);
	ok(one.n != 0 && span_eq(buf_get(&one), buf_get(&two)),
	    "and is the same");
	buf_clear(&one);
	conf_write(c, true, &one);
	ok(contains(&one, "relayhost") && contains(&one, "auth-delay") &&
	    !contains(&one, "default-domain") &&
	    !contains(&one, "message-size"),
	    "only what was changed, if one wants");
	conf_free(c);
	conf_free(again);
	buf_fini(&err);
	buf_fini(&one);
	buf_fini(&two);
}

static void
test_all_reported(void)
{
	struct buf err;

	buf_init(&err, 65536);
	ok(read_text("a = 1\nb = 2\nhostname = -\n", &err) == NULL &&
	    contains(&err, "x:1:") && contains(&err, "x:2:") &&
	    contains(&err, "x:3:"), "all mistakes are reported at once");
	ok(conf_read_text(SPAN("hostname = a.org\nlog = st\0derr\n"), "x",
	    &err) == NULL && contains(&err, "NUL"), "a NUL byte is refused");
	ok(conf_read("/nonexistent", &err) == NULL &&
	    contains(&err, "/nonexistent"), "a missing file is named");
	buf_fini(&err);
}

static void
test_keys(void)
{
	struct conf_key_info k;
	bool same = true, bounded = true;

	for (size_t i = 0; i < conf_keys_count(); i++) {
		conf_key_info(i, &k);
		bounded = bounded && k.what[0] != '\0' && k.type[0] != '\0';
		for (size_t j = 0; j < strlen(k.name); j++)
			same = same && ((k.name[j] >= 'a' && k.name[j] <= 'z')
			    || k.name[j] == '-' || k.name[j] == '3');
	}
	ok(same, "keys are words of lower case with dashes");
	ok(bounded, "each says what it is");
}

static bool
matches(const struct conf *c, const char *address)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
	struct sockaddr_in four = { .sin_family = AF_INET };

	if (inet_pton(AF_INET, address, &four.sin_addr) == 1)
		return conf_nets_match(&c->trusted_networks,
		    (const struct sockaddr *)&four);
	inet_pton(AF_INET6, address, &six.sin6_addr);
	return conf_nets_match(&c->trusted_networks,
	    (const struct sockaddr *)&six);
}

static void
test_networks(void)
{
	struct sockaddr local = { .sa_family = AF_UNIX };
	struct buf err;
	struct conf *c;

	buf_init(&err, 65536);
	c = read_text(BASE "trusted-networks = 192.0.2.128/25 10.0.0.0/8 "
			   "2001:db8::/47\n", &err);
	ok(matches(c, "192.0.2.128") && matches(c, "192.0.2.255"),
	    "inside a /25");
	ok(!matches(c, "192.0.2.127"), "outside a /25");
	ok(matches(c, "::ffff:10.1.2.3"), "a mapped address is what it maps");
	ok(matches(c, "2001:db8:1:ffff::1") && !matches(c, "2001:db8:2::"),
	    "a /47");
	ok(!conf_nets_match(&c->trusted_networks, &local),
	    "no other family is in a network");
	conf_free(c);
	c = read_text(BASE "trusted-networks = 0.0.0.0/0\n", &err);
	ok(matches(c, "203.0.113.9") && !matches(c, "::1"),
	    "all of IPv4 is not IPv6");
	conf_free(c);
	buf_fini(&err);
}

int
main(void)
{
	for (size_t i = 0; i < nitems(goods); i++)
		test_good(&goods[i]);
	for (size_t i = 0; i < nitems(bads); i++)
		test_bad(&bads[i]);
	test_round_trip();
	test_all_reported();
	test_keys();
	test_networks();
	return done();
}
