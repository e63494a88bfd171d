/* text_map: the files tls-policy and relay-passwords, read and looked up. */
#include "lib/text_map.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/map.h"
#include "lib/relay_passwords.h"
#include "lib/tls_policy.h"
#include "t/unit/tap.h"

static char dir[] = "/tmp/postern-text_map.XXXXXX";

struct line_case {
	const char *line;
	const char *complaint; /* NULL: taken */
};

static const struct line_case policies[] = {
	{ "example.org may", NULL },
	{ "Example.ORG  ENCRYPT", NULL },
	{ ".example.org verify", NULL },
	{ "* none", NULL },
	{ "[192.0.2.1] none", NULL },
	{ "192.0.2.1 none", NULL },
	{ "2001:db8::1 none", NULL },
	{ "[IPv6:2001:db8::1] none", NULL },
	{ "[2001:DB8::1] none", NULL },
	{ "192.0.2.1 none\n[192.0.2.1] may", "line 1 is about the same" },
	{ "2001:db8:0::1 none\n2001:db8::1 may", "line 1 is about the same" },
	{ "192.0.2.256 none", "no domain" },
	{ "[mx.example.org] none", "no domain" },
	{ "example.org verify match=mx.example.org,.example.net", NULL },
	{ "example.org", "is no level" },
	{ "example.org must", "is no level" },
	{ "exa_mple..org may", "no domain" },
	{ ". may", "no domain" },
	{ "example.org may match=a.org", "only verify" },
	{ "example.org verify matches=a.org", "only verify" },
	{ "example.org verify match=a.org match=b.org", "only verify" },
	{ "example.org verify match=a..b", "match= wants" },
	{ "example.org verify match=a,b,c,d,e,f,g,h,i", "match= wants" },
	{ "a.org may\na.org none", "line 1 is about the same" },
};

static const struct line_case passwords[] = {
	{ "smtp.example.org ann secret", NULL },
	{ "smtp.example.org:587 ann a pass word", NULL },
	{ "[2001:db8::1]:25 ann x", NULL },
	{ "smtp.example.org ann", "no user and password" },
	{ "smtp.example.org", "no user and password" },
	{ "smtp.example.org:0 ann x", "no host" },
	{ "smtp.example.org:65536 ann x", "no host" },
	{ "2001:db8::1 ann x", "no host" },
	{ "[smtp.example.org]:587 ann x", "no host" },
	{ "[2001:db8::1]:25 ann x\n[2001:DB8:0::1]:25 b y",
	    "line 1 is about the same" },
};

static int
put(void *arg, struct span key, struct span value, size_t line)
{
	(void)line;
	return arg == NULL ? 0 : map_put(arg, key, value);
}

static void
test_lines(map_reader_fn *read, const struct line_case *c, size_t n)
{
	struct buf err;
	bool good;
	int rc;

	for (; n > 0; n--, c++) {
		buf_init(&err, 65536);
		rc = read(NULL, span_str(c->line), "FILE", put, NULL,
		    &err);
		if (c->complaint == NULL)
			good = rc == 0 && err.n == 0;
		else
			good = rc == -1 && err.n > 0 &&
			    strstr(buf_cstr(&err), c->complaint) != NULL &&
			    strncmp(buf_cstr(&err), "FILE:", 5) == 0;
		ok(good, c->line);
		if (!good && err.n > 0)
			printf("# %s\n", buf_cstr(&err));
		buf_fini(&err);
	}
}

static struct map *
map_of(map_reader_fn *read, const char *text)
{
	char path[64];
	struct map_writer *w;
	struct buf err;

	buf_init(&err, 65536);
	snprintf(path, sizeof(path), "%s/map.cdb", dir);
	w = map_create(path, 0600);
	if (w == NULL || read(NULL, span_str(text), "t", put, w, &err) ==
	    -1 || map_commit(w) == -1)
		return NULL;
	buf_fini(&err);
	return map_open(open(path, O_RDONLY | O_CLOEXEC));
}

static void
test_policy(void)
{
	static const struct {
		const char *name, *domain, *host, *found;
	} cases[] = {
		{ "the domain itself", "Example.org", "mx.a.net", "encrypt" },
		{ "a name below it is another one", "x.example.org",
		    "mx.b.net", "may" },
		{ "a suffix", "a.b.example.net", "", "verify x.org" },
		{ "not the suffix itself", "example.net", "", "may" },
		{ "the host, if the domain is not there", "q.test",
		    "mx.plain.test", "none" },
		{ "the longest suffix", "a.deep.example.net", "", "none" },
		{ "else everybody", "q.test", "mx.q.test", "may" },
		{ "an address", "[192.0.2.1]", "[192.0.2.1]", "none" },
		{ "as a next hop has it", "192.0.2.1", "192.0.2.1", "none" },
		{ "of a host", "q.test", "192.0.2.1", "none" },
		{ "of IPv6", "2001:db8::1", "", "verify" },
		{ "spelled in another way", "[IPv6:2001:DB8:0::1]", "",
		    "verify" },
		{ "a name like the others", "2.0.192.test", "192.0.2.11",
		    "may" },
	};
	struct map *m = map_of(tls_policy_read, "example.org encrypt\n"
	    ".example.net verify match=X.org\n.plain.test none\n* may\n"
	    ".deep.example.net none\n[192.0.2.1] none\n"
	    "2001:db8:0:0::1 verify\n");
	struct tls_policy p;
	char got[64];

	for (size_t i = 0; i < nitems(cases); i++) {
		got[0] = '\0';
		if (tls_policy_find(m, span_str(cases[i].domain),
			span_str(cases[i].host), &p))
			snprintf(got, sizeof(got), "%s%s%.*s",
			    tls_level_name(p.level), p.match.n > 0 ? " " : "",
			    SPAN_FMT(p.match));
		ok(strcmp(got, cases[i].found) == 0, cases[i].name);
	}
	map_close(m);
	m = map_of(tls_policy_read, "example.org encrypt\n");
	ok(!tls_policy_find(m, SPAN("a.org"), SPAN("b.org"), &p),
	    "nothing about anybody else");
	map_close(m);
	ok(!tls_policy_find(NULL, SPAN("a.org"), SPAN("b.org"), &p),
	    "no map, no policy");
}

static void
test_password(void)
{
	struct map *m = map_of(relay_passwords_read,
	    "smtp.org ann one two\nsmtp.org:587 bob three\n"
	    "[2001:DB8:0::1] eve x\n[192.0.2.1] dan y\n");
	struct relay_password p;

	ok(relay_password_find(m, SPAN("SMTP.org"), 25, &p) &&
		span_eq(p.user, SPAN("ann")) &&
		span_eq(p.password, SPAN("one two")),
	    "a password with a blank");
	ok(relay_password_find(m, SPAN("smtp.org"), 587, &p) &&
		span_eq(p.user, SPAN("bob")) &&
		span_eq(p.password, SPAN("three")),
	    "the port's own comes first");
	ok(relay_password_find(m, SPAN("2001:db8::1"), 25, &p) &&
		span_eq(p.user, SPAN("eve")),
	    "an address without brackets");
	ok(relay_password_find(m, SPAN("192.0.2.1"), 25, &p) &&
		span_eq(p.user, SPAN("dan")),
	    "also of IPv4");
	ok(!relay_password_find(m, SPAN("other.org"), 25, &p), "nobody else");
	ok(!relay_password_find(NULL, SPAN("smtp.org"), 25, &p), "no map");
	map_close(m);
}

int
main(void)
{
	if (mkdtemp(dir) == NULL)
		return 2;
	test_lines(tls_policy_read, policies, nitems(policies));
	test_lines(relay_passwords_read, passwords, nitems(passwords));
	test_policy();
	test_password();
	if (chdir(dir) == 0)
		(void)unlink("map.cdb");
	(void)rmdir(dir);
	return done();
}
