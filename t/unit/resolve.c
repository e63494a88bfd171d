/* resolve: order of look-ups, aliases all the way, the bounds of a walk. */
#include "lib/resolve.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/limits.h"
#include "t/unit/tap.h"

static char local_domain[] = "x.org", system_domain[] = "sys.x.org";
static char *domain_words[] = { local_domain };
static char *system_words[] = { system_domain };
static char postmaster[] = "ann@x.org", plus[] = "+-";

static struct conf conf = {
	.domains = { 1, domain_words },
	.system_domains = { 1, system_words },
	.default_domain = local_domain,
	.postmaster = postmaster,
	.subaddress = plus,
};

static const char *const users[] = { "ann@x.org", "bob@x.org", "cy@x.org",
	"root@sys.x.org" };

static const char *const aliases[][2] = {
	{ "team", "ann@x.org,bob@x.org" },
	{ "staff@x.org", "team@x.org,cy@x.org,ann@x.org" },
	{ "bob", "bob@x.org,cy@x.org" },
	{ "away", "me@elsewhere.net" },
	{ "loop-a", "loop-b@x.org" },
	{ "loop-b", "loop-a@x.org,ann@x.org" },
	{ "ghost", "nobody@x.org" },
	{ "half", "nobody@x.org,ann@x.org" },
	{ "self", "self@x.org" },
	{ "@sys.x.org", "cy@x.org" },
	{ "list+special@x.org", "bob+x@x.org" },
	{ "quoted", "\"a,b\"@elsewhere.net,ann@x.org" },
	{ "bare", "ann" },
};

static struct maps maps;

/* A descriptor, as master hands them out. */
static int
map_made(bool with_users)
{
	char dir[] = "/tmp/resolve.XXXXXX", path[64];
	struct map_writer *w;
	struct buf b;
	char key[32], value[32];
	int fd;

	if (mkdtemp(dir) == NULL)
		exit(1);
	snprintf(path, sizeof(path), "%s/m.cdb", dir);
	if ((w = map_create(path, 0600)) == NULL)
		exit(1);
	buf_init(&b, MAP_VALUE_MAX);
	for (size_t i = 0; with_users && i < nitems(users); i++) {
		struct account a = { .uid = 1000 + i, .gid = 1000,
			.address = span_str(users[i]),
			.root = SPAN("/m"), .mailbox = { 0 } };
		char box[64];

		snprintf(box, sizeof(box), "/m/%s", users[i]);
		a.mailbox = span_str(box);
		buf_clear(&b);
		account_encode(&b, &a);
		map_put(w, span_str(users[i]), buf_get(&b));
	}
	for (size_t i = 0; !with_users && i < nitems(aliases); i++)
		map_put(w, span_str(aliases[i][0]), span_str(aliases[i][1]));
	/* A chain of one more than may be, and a fan that is too wide. */
	for (unsigned i = 0; !with_users && i <= ALIAS_DEPTH_MAX; i++) {
		snprintf(key, sizeof(key), "deep%u", i);
		snprintf(value, sizeof(value), "deep%u@x.org", i + 1);
		map_put(w, span_str(key), span_str(value));
	}
	if (!with_users)
		map_put(w, SPAN("deep21"), SPAN("ann@x.org"));
	buf_clear(&b);
	for (unsigned i = 0; i <= ALIAS_WIDTH_MAX; i++) {
		if (i == ALIAS_WIDTH_MAX && !with_users)
			map_put(w, SPAN("wide"), buf_get(&b));
		buf_fmt(&b, "%su%u@y.net", i > 0 ? "," : "", i);
	}
	if (!with_users)
		map_put(w, SPAN("wider"), buf_get(&b));
	/* Doubling at each level: 2^16 ways to one mailbox. */
	for (unsigned i = 0; !with_users && i < 16; i++) {
		snprintf(key, sizeof(key), "tree%u", i);
		buf_clear(&b);
		buf_fmt(&b, "tree%u@x.org,tree%u@x.org", i + 1, i + 1);
		map_put(w, span_str(key), buf_get(&b));
	}
	buf_fini(&b);
	if (map_commit(w) == -1 ||
	    (fd = open(path, O_RDONLY)) == -1)
		exit(1);
	unlink(path);
	rmdir(dir);
	return fd;
}

/* --- one step ---------------------------------------------------------- */

static const struct one_case {
	const char *what, *address;
	enum resolve_kind kind;
	const char *got; /* account's address, or targets */
} ones[] = {
	{ "an account", "ann@x.org", RESOLVE_MAILBOX, "ann@x.org" },
	{ "case does not matter", "Ann@x.org", RESOLVE_MAILBOX, "ann@x.org" },
	{ "a subaddress", "ann+news@x.org", RESOLVE_MAILBOX, "ann@x.org" },
	{ "the other separator", "ann-news@x.org", RESOLVE_MAILBOX,
	    "ann@x.org" },
	{ "a separator in front is a name", "+ann@x.org", RESOLVE_UNKNOWN,
	    "" },
	{ "a quoted plus is a name", "\"ann+x\"@x.org", RESOLVE_UNKNOWN, "" },
	{ "an alias beats the account", "bob@x.org", RESOLVE_ALIAS,
	    "bob@x.org,cy@x.org" },
	{ "an alias by its address", "staff@x.org", RESOLVE_ALIAS,
	    "team@x.org,cy@x.org,ann@x.org" },
	{ "that is one of its domain only", "staff@sys.x.org", RESOLVE_ALIAS,
	    "cy@x.org" },
	{ "a local part is one of all", "team@sys.x.org", RESOLVE_ALIAS,
	    "ann@x.org,bob@x.org" },
	{ "an alias with a subaddress", "team+x@x.org", RESOLVE_ALIAS,
	    "ann@x.org,bob@x.org" },
	{ "the whole goes before the part", "list+special@x.org",
	    RESOLVE_ALIAS, "bob+x@x.org" },
	{ "an account beats the catch-all", "root@sys.x.org", RESOLVE_MAILBOX,
	    "root@sys.x.org" },
	{ "a catch-all", "any@sys.x.org", RESOLVE_ALIAS, "cy@x.org" },
	{ "postmaster", "Postmaster@x.org", RESOLVE_ALIAS, "ann@x.org" },
	{ "unknown", "nobody@x.org", RESOLVE_UNKNOWN, "" },
	{ "elsewhere", "ann@y.net", RESOLVE_REMOTE, "" },
	{ "a literal is elsewhere", "ann@[127.0.0.1]", RESOLVE_REMOTE, "" },
};

static void
test_ones(void)
{
	const struct one_case *c;
	struct resolved is;
	struct span got;

	for (size_t i = 0; i < nitems(ones); i++) {
		c = &ones[i];
		resolve_one(&conf, &maps, span_str(c->address), &is);
		got = is.kind == RESOLVE_MAILBOX ? is.account.address :
		    is.kind == RESOLVE_ALIAS ? is.targets : SPAN_NONE;
		ok(is.kind == c->kind && span_eq(got, span_str(c->got)),
		    c->what);
	}
}

/* --- all the way ------------------------------------------------------- */

static const struct all_case {
	const char *what, *address;
	enum resolve_kind kind;
	const char *list; /* addresses, a blank after each */
	const char *why;
} alls[] = {
	{ "an account is itself", "ann@x.org", RESOLVE_MAILBOX, "ann@x.org ",
	    NULL },
	{ "elsewhere is itself", "a@y.net", RESOLVE_MAILBOX, "a@y.net ",
	    NULL },
	{ "aliases of aliases, each mailbox once", "staff@x.org",
	    RESOLVE_MAILBOX, "ann@x.org bob@x.org cy@x.org ", NULL },
	{ "one that names itself ends at the account", "bob@x.org",
	    RESOLVE_MAILBOX, "bob@x.org cy@x.org ", NULL },
	{ "to elsewhere", "away@x.org", RESOLVE_MAILBOX, "me@elsewhere.net ",
	    NULL },
	{ "a comma in quotes is text", "quoted@x.org", RESOLVE_MAILBOX,
	    "\"a,b\"@elsewhere.net ann@x.org ", NULL },
	{ "a target without a domain", "bare@x.org", RESOLVE_MAILBOX,
	    "ann@x.org ", NULL },
	{ "a loop is an error", "loop-a@x.org", RESOLVE_ERROR, "",
	    "alias loop" },
	{ "nothing good is unknown", "ghost@x.org", RESOLVE_UNKNOWN, "",
	    "an alias names an unknown address" },
	{ "one good is good, and it says so", "half@x.org", RESOLVE_MAILBOX,
	    "ann@x.org ", "an alias names an unknown address" },
	{ "only itself, and no account", "self@x.org", RESOLVE_UNKNOWN, "",
	    "an alias names an unknown address" },
	{ "as deep as may be", "deep2@x.org", RESOLVE_MAILBOX, "ann@x.org ",
	    NULL },
	{ "one deeper", "deep1@x.org", RESOLVE_ERROR, "",
	    "aliases are nested too deep" },
	{ "one wider", "wider@x.org", RESOLVE_ERROR, "",
	    "too many recipients" },
	{ "too many ways", "tree0@x.org", RESOLVE_ERROR, "",
	    "aliases name too many aliases" },
	{ "unknown", "nobody@x.org", RESOLVE_UNKNOWN, "", NULL },
};

static bool
list_is(const struct resolved_list *l, const char *want)
{
	struct buf b;
	bool same;

	buf_init(&b, 64 * 1024);
	for (size_t i = 0; i < l->n; i++) {
		buf_span(&b, l->rcpt[i].address);
		buf_char(&b, ' ');
	}
	same = span_eq(buf_get(&b), span_str(want));
	buf_fini(&b);
	return same;
}

static bool
same_why(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void
test_alls(void)
{
	struct resolved_list list = { 0 };
	const struct all_case *c;
	enum resolve_kind kind;
	const char *why;

	for (size_t i = 0; i < nitems(alls); i++) {
		c = &alls[i];
		kind = resolve_all(&conf, &maps, span_str(c->address), &list,
		    &why);
		ok(kind == c->kind && list_is(&list, c->list) &&
		    same_why(why, c->why), c->what);
		resolved_list_fini(&list);
	}
}

static void
test_list(void)
{
	struct resolved_list list = { 0 };
	size_t n;

	resolve_all(&conf, &maps, SPAN("ann+x@x.org"), &list, NULL);
	resolve_all(&conf, &maps, SPAN("staff@x.org"), &list, NULL);
	ok(list_is(&list, "ann+x@x.org bob@x.org cy@x.org "),
	    "each mailbox once over several addresses, as first spelt");
	ok(list.rcpt[0].local && list.rcpt[0].account.uid == 1000,
	    "a local one has its account");
	n = list.n;
	ok(resolve_all(&conf, &maps, SPAN("wider@x.org"), &list, NULL) ==
	    RESOLVE_ERROR && list.n == n &&
	    list_is(&list, "ann+x@x.org bob@x.org cy@x.org "),
	    "a failure leaves the list as it was");
	ok(resolve_all(&conf, &maps, SPAN("wide@x.org"), &list, NULL) ==
	    RESOLVE_MAILBOX && list.n == n + ALIAS_WIDTH_MAX,
	    "as wide as may be");
	ok(span_eq(list.rcpt[0].address, SPAN("ann+x@x.org")) &&
	    span_eq(list.rcpt[n].address, SPAN("u0@y.net")) &&
	    !list.rcpt[n].local, "addresses survive the list's growth");
	resolved_list_fini(&list);
}

static void
test_account(void)
{
	struct maps none = { 0 };
	struct account a;

	ok(resolve_account(&conf, &maps, SPAN("bob+x@x.org"), &a) ==
	    MAP_FOUND && span_eq(a.address, SPAN("bob@x.org")),
	    "a final recipient's account, aliases left aside");
	ok(resolve_account(&conf, &maps, SPAN("team@x.org"), &a) == MAP_NONE,
	    "an alias has none");
	ok(resolve_account(&conf, &none, SPAN("ann@x.org"), &a) == MAP_ERROR,
	    "without a map it is an error for a while");
}

/* Each name is another map; what is not known here is closed. */
static void
test_replace(void)
{
	struct maps m = { 0 };
	int fd = map_made(true);

	maps_replace(&m, "tls-policy", fd);
	ok(fcntl(fd, F_GETFD) == -1 && m.users == NULL && m.aliases == NULL &&
	        m.transport == NULL, "a map of another");
	maps_replace(&m, "nothing", -1);
	maps_replace(&m, "transport", map_made(false));
	ok(m.transport != NULL && m.users == NULL && m.aliases == NULL,
	    "transport");
	maps_replace(&m, "aliases", map_made(false));
	maps_replace(&m, "users", map_made(true));
	ok(m.users != NULL && m.aliases != NULL && m.users != m.aliases,
	    "aliases and users");
	maps_replace(&m, "transport", -1);
	maps_replace(&m, "aliases", -1);
	ok(m.transport == NULL && m.aliases == NULL && m.users != NULL,
	    "one goes, the others stay");
	maps_replace(&m, "users", -1);
	ok(m.users == NULL, "the last one goes");
}

static void
test_no_maps(void)
{
	struct maps none = { 0 }, half = { .aliases = maps.aliases };
	struct resolved is;

	resolve_one(&conf, &none, SPAN("ann@x.org"), &is);
	ok(is.kind == RESOLVE_ERROR, "no map at all: nobody is unknown");
	resolve_one(&conf, &half, SPAN("team@x.org"), &is);
	ok(is.kind == RESOLVE_ALIAS, "aliases work without users");
	resolve_one(&conf, &none, SPAN("ann@y.net"), &is);
	ok(is.kind == RESOLVE_REMOTE, "elsewhere needs no map");
	conf.postmaster = NULL;
	conf.subaddress = NULL;
	resolve_one(&conf, &maps, SPAN("postmaster@x.org"), &is);
	ok(is.kind == RESOLVE_UNKNOWN, "no postmaster named: unknown");
	resolve_one(&conf, &maps, SPAN("ann+x@x.org"), &is);
	ok(is.kind == RESOLVE_UNKNOWN, "no subaddress marks: a name");
}

int
main(void)
{
	maps_replace(&maps, "users", map_made(true));
	maps_replace(&maps, "aliases", map_made(false));
	test_ones();
	test_alls();
	test_list();
	test_account();
	test_replace();
	test_no_maps();
	map_close(maps.users);
	map_close(maps.aliases);
	return done();
}
