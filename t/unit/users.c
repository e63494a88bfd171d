/*
 * users: which lines of a users file make which accounts, and what is said
 * of the others.
 */
#include "lib/users.h"

#include <string.h>

#include "lib/conf.h"
#include "lib/password.h"
#include "t/unit/lines.h"

#define HASH "$6$rounds=1000$abcdefgh$0123456789"

static const struct users_owner owner = { 900, 901, false };
static struct conf *conf;

/* rows: "address uid:gid user root mailbox" */
static const struct good_case goods[] = {
	{ "an address and a hash", "ann@a.org " HASH,
	    "ann@a.org 900:901 - /m /m/a.org/ann/Maildir" },
	{ "a bare name gets the default domain", "ann " HASH,
	    "ann@a.org 900:901 - /m /m/a.org/ann/Maildir" },
	{ "the domain is lower case, the name is kept", "Ann@B.org !",
	    "Ann@b.org 900:901 - /m /m/b.org/Ann/Maildir" },
	{ "uid and gid", "ann@a.org ! uid=2000 gid=3000",
	    "ann@a.org 2000:3000 - /m /m/a.org/ann/Maildir" },
	{ "a mailbox below the mail root", "ann@a.org ! mail=/m/x/Maildir",
	    "ann@a.org 900:901 - /m /m/x/Maildir" },
	{ "a mailbox elsewhere has its own root",
	    "ann@a.org ! mail=/srv/ann/Maildir",
	    "ann@a.org 900:901 - /srv/ann /srv/ann/Maildir" },
	{ "a path with blanks in quotes",
	    "ann@a.org ! mail=\"/srv/my mail/M\"",
	    "ann@a.org 900:901 - /srv/my mail /srv/my mail/M" },
	{ "tabs and blanks around", "\t ann@a.org\t\t!  ",
	    "ann@a.org 900:901 - /m /m/a.org/ann/Maildir" },
	{ "plus and dots in names", "ann.b+c@a.org !",
	    "ann.b+c@a.org 900:901 - /m /m/a.org/ann.b+c/Maildir" },
};

static const struct bad_case bads[] = {
	{ "no hash", "ann@a.org\n", "u:1: the second word is no hash" },
	{ "a password instead of a hash", "ann@a.org secret\n",
	    "no hash of crypt(3)" },
	{ "an old DES hash", "ann@a.org rl.3StKT.4T8M\n", "no hash" },
	{ "a foreign domain", "ann@c.org !\n", "c.org is not a local domain" },
	{ "a slash in a name", "../ann@a.org !\n", "no login" },
	{ "a name that begins with a dot", ".ann@a.org !\n", "no login" },
	{ "a quoted name", "\"ann\"@a.org !\n", "no login" },
	{ "the same twice", "ann@a.org !\nann@a.org !\n",
	    "u:2: ann@a.org is already in line 1" },
	{ "the same in other case", "ann@a.org !\nANN !\n",
	    "is already in line 1" },
	{ "an unknown key", "ann@a.org ! quota=1\n", "no such option" },
	{ "a key twice", "ann@a.org ! uid=2000 uid=2000\n", "twice" },
	{ "uid without gid", "ann@a.org ! uid=2000\n", "go together" },
	{ "root", "ann@a.org ! uid=0 gid=0\n", "numbers above 0" },
	{ "a uid too low", "ann@a.org ! uid=5 gid=5\n",
	    "uid 5, gid 5 may not own a mailbox" },
	{ "a relative mailbox", "ann@a.org ! mail=Maildir\n",
	    "no clean absolute path" },
	{ "a mailbox with ..", "ann@a.org ! mail=/m/../etc/M\n",
	    "no clean absolute path" },
	{ "a mailbox at the top", "ann@a.org ! mail=/Maildir\n",
	    "no clean absolute path" },
	{ "no such account", "ann@a.org ! system=no-such-account\n",
	    "no such account" },
	{ "a quote that does not end", "ann@a.org ! mail=\"/m/x\n",
	    "not key=value" },
	{ "a word too many", "ann@a.org ! friend\n", "not key=value" },
};

static int
row_write(void *arg, const struct account *a, size_t line)
{
	struct buf *out = arg;

	(void)line;
	buf_span(out, a->address);
	buf_fmt(out, " %u:%u ", (unsigned)a->uid, (unsigned)a->gid);
	buf_span(out, a->user.n == 0 ? SPAN("-") : a->user);
	buf_char(out, ' ');
	buf_span(out, a->root);
	buf_char(out, ' ');
	buf_span(out, a->mailbox);
	return 0;
}

static int
read_users(struct span text, struct buf *out, struct buf *err)
{
	return users_read(conf, &owner, text, "u", row_write, out, err);
}

static void
test_lines(void)
{
	struct buf out, err;

	lines_good(read_users, goods, nitems(goods));
	lines_bad(read_users, bads, nitems(bads));
	buf_init(&out, 65536);
	buf_init(&err, 65536);
	ok(read_users(SPAN("ann@a.org ! mail=/m/a\0b\n"), &out, &err) == -1 &&
	    contains(&err, "NUL"), "a NUL byte");
	buf_clear(&out);
	ok(read_users(SPAN("# none\n\n  # none\n"), &out, &err) == 0 &&
	    out.n == 0, "comments and empty lines are nobody");
	buf_clear(&err);
	ok(read_users(SPAN("a\nb\nc\n"), &out, &err) == -1 &&
	    contains(&err, "u:1:") && contains(&err, "u:3:"),
	    "all mistakes are reported at once");
	buf_fini(&out);
	buf_fini(&err);
}

static void
test_password(void)
{
	char hash[PASSWORD_HASH_MAX] = "";

	ok(password_hash(SPAN("a secret"), hash) == 0 &&
	    users_hash_ok(span_str(hash)), "a password is hashed");
	ok(password_check(span_str(hash), SPAN("a secret")), "and fits");
	ok(!password_check(span_str(hash), SPAN("a secreT")),
	    "another does not");
	ok(!password_check(span_str(hash), SPAN("a secret\0")),
	    "one with a NUL byte fits nothing");
	ok(!password_check(span_str(hash), SPAN("")), "nor does an empty one");
	ok(!password_check(SPAN("!"), SPAN("!")), "! is no hash");
	ok(!password_check(SPAN("*0"), SPAN("x")),
	    "what crypt says on failure is no hash");
	ok(password_check(SPAN("$6$rounds=1000$abcdefgh$nhYjN017qxiYztzyUpZtPn"
	    "UQcnLy62KsunSLHNeLahp2EHPlAKmFFlrjEwSXGo2kgY5hR2.peKEg2VGUqIJJu1"), SPAN("secret")),
	    "SHA-512 of others is understood");
	ok(password_check(SPAN("$2b$05$abcdefghijklmnopqrstuuO"
	    "QiyCxlgf/oeuTqixKmWdcYUh4Hjl0a"), SPAN("secret")), "bcrypt, too");
}

int
main(void)
{
	struct buf err;

	buf_init(&err, 65536);
	conf = conf_read_text(SPAN("hostname = mail.a.org\n"
	    "domains = a.org b.org\nmail-root = /m\n"), "c", &err);
	if (conf == NULL)
		return 1;
	test_lines();
	test_password();
	conf_free(conf);
	buf_fini(&err);
	return done();
}
