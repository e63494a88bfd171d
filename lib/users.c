/*
 * users: parses the users file and adds the system's accounts.
 */
#include "lib/users.h"

#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "lib/addr.h"
#include "lib/chars.h"
#include "lib/conf.h"
#include "lib/die.h"
#include "lib/limits.h"
#include "lib/text.h"

struct reader {
	const struct conf *conf;
	const struct users_owner *owner;
	struct text text;
	struct text_seen seen;
	users_fn *fn;
	void *arg;
	struct buf address, key, root, mailbox; /* of the current account */
};

struct options { /* key=value of one line; n 0: not given */
	struct span uid, gid, mail, system;
};

bool
users_hash_ok(struct span hash)
{
	static const struct span kinds[] = { SPAN("$y$"), SPAN("$gy$"),
		SPAN("$7$"), SPAN("$2b$"), SPAN("$2y$"), SPAN("$2a$"),
		SPAN("$6$"), SPAN("$5$") };

	if (span_eq(hash, SPAN("!")))
		return true;
	if (hash.n < 20 || hash.n > 384)
		return false;
	for (size_t i = 0; i < hash.n; i++)
		if (!char_is(hash.p[i], CH_GRAPH) ||
		    span_has(SPAN(":;*!\\"), hash.p[i]))
			return false;
	for (size_t i = 0; i < nitems(kinds); i++)
		if (span_starts(hash, kinds[i]))
			return true;
	return false;
}

/* Names become directory names and keys: no slash, no quoting, no tricks. */
bool
users_name_ok(struct span name)
{
	if (name.n == 0 || name.n > AUTH_NAME_MAX ||
	    span_has(SPAN(".-@"), name.p[0]))
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (!char_is(name.p[i], CH_ALNUM) &&
		    !span_has(SPAN("@._-+=&'~"), name.p[i]))
			return false;
	return true;
}

/* LOGIN to canonical address (in out) and its local part. */
static int
login_parse(const struct conf *c, struct span login, struct buf *out,
    struct addr *a)
{
	struct span in = login;

	if (!users_name_ok(login) ||
	    addr_parse(&in, ADDR_NODOMAIN_OK, out, a) == -1 || in.n != 0)
		return -1;
	if (a->domain.n == 0) {
		buf_char(out, '@');
		buf_str(out, c->default_domain);
		if (out->bad)
			return -1;
		addr_split(buf_get(out), a);
	}
	return a->quoted || a->literal ? -1 : 0;
}

int
users_line_key(const struct conf *c, struct span line, struct buf *key)
{
	struct buf text;
	struct addr a;
	int rc;

	buf_init(&text, AUTH_NAME_MAX);
	rc = login_parse(c, span_word(&line), &text, &a);
	if (rc == 0)
		account_key(a.text, key);
	buf_fini(&text);
	return rc;
}

int
users_owner(const struct conf *c, struct users_owner *o, struct buf *err)
{
	struct passwd *pw;
	uint64_t n;

	if (geteuid() != 0) { /* nothing else could work */
		*o = (struct users_owner){ geteuid(), getegid(), true };
		return 0;
	}
	if (span_num(span_str(c->mail_user), 0, UINT32_MAX - 1, &n) == 0) {
		pw = getpwuid((uid_t)n);
		*o = (struct users_owner){ n, pw != NULL ? pw->pw_gid : n,
			false };
	} else if ((pw = getpwnam(c->mail_user)) != NULL) {
		*o = (struct users_owner){ pw->pw_uid, pw->pw_gid, false };
	} else {
		buf_safe(err, span_str(c->path));
		buf_fmt(err, ": mail-user: there is no account %s; create "
			     "it, or set mail-user to another\n",
		    c->mail_user);
		return -1;
	}
	if (o->uid == 0 || o->gid == 0) {
		buf_safe(err, span_str(c->path));
		buf_str(err, ": mail-user: mailboxes never belong to root; "
			     "set another\n");
		return -1;
	}
	return 0;
}

/* Takes "key=value" or key="value with blanks" off *line. */
static int
option_next(struct span *line, struct span *key, struct span *value)
{
	*line = span_trim(*line);
	*key = span_slice(*line, 0, span_find(*line, '='));
	if (key->n == line->n || span_find(*key, ' ') < key->n ||
	    span_find(*key, '\t') < key->n)
		return -1;
	(void)span_take(line, key->n + 1);
	if (line->n == 0 || line->p[0] != '"') {
		*value = span_word(line);
		return value->n == 0 ? -1 : 0;
	}
	(void)span_take(line, 1);
	if (!span_has(*line, '"'))
		return -1;
	*value = span_cut(line, '"');
	if (line->n != 0 && !char_is(line->p[0], CH_BLANK))
		return -1;
	return value->n == 0 ? -1 : 0;
}

static int
options_read(struct reader *r, struct span line, struct options *o)
{
	const struct {
		struct span name;
		struct span *into;
	} known[] = { { SPAN("uid"), &o->uid }, { SPAN("gid"), &o->gid },
		{ SPAN("mail"), &o->mail }, { SPAN("system"), &o->system } };
	struct span key, value, *into;

	while ((line = span_trim(line)).n != 0) {
		if (option_next(&line, &key, &value) == -1) {
			text_complain(&r->text, "not key=value after the "
			    "hash; write uid=, gid=, mail= or system=");
			return -1;
		}
		into = NULL;
		for (size_t i = 0; i < nitems(known); i++)
			if (span_eq(key, known[i].name))
				into = known[i].into;
		if (into == NULL || into->n != 0) {
			text_complain(&r->text, "\"%.*s\" is %s; write uid=, "
			    "gid=, mail= or system=, each once",
			    (int)(key.n > 32 ? 32 : key.n), key.p,
			    into == NULL ? "no such option" : "twice there");
			return -1;
		}
		*into = value;
	}
	return 0;
}

/* The directory a path is in; empty for one at the top. */
static struct span
path_parent(struct span path)
{
	return span_slice(path, 0, span_rfind(path, '/'));
}

static bool
uid_allowed(const struct reader *r, uint64_t uid)
{
	if (r->owner->fixed || uid == r->owner->uid)
		return uid == r->owner->uid;
	return uid != 0 && uid >= r->conf->min_uid;
}

static int
ids_set(struct reader *r, const struct options *o, struct account *a)
{
	if ((o->uid.n != 0) != (o->gid.n != 0) ||
	    (o->uid.n != 0 && o->system.n != 0)) {
		text_complain(&r->text, "uid= and gid= go together, and not "
		    "with system=; set both, or neither");
		return -1;
	}
	if (o->uid.n == 0)
		return 0;
	if (span_num(o->uid, 1, UINT32_MAX - 1, &a->uid) == -1 ||
	    span_num(o->gid, 1, UINT32_MAX - 1, &a->gid) == -1) {
		text_complain(&r->text, "uid= and gid= are numbers above 0; "
		    "look them up with id(1)");
		return -1;
	}
	return 0;
}

static int
system_set(struct reader *r, const struct options *o, struct account *a,
    struct span *home)
{
	char name[64];
	struct passwd *pw = NULL;

	if (o->system.n == 0)
		return 0;
	if (span_copy(name, sizeof(name), o->system) == 0)
		pw = getpwnam(name);
	if (pw == NULL) {
		text_complain(&r->text, "system=%.*s: there is no such "
		    "account; create it, or correct the name",
		    (int)(o->system.n > 64 ? 64 : o->system.n), o->system.p);
		return -1;
	}
	a->uid = pw->pw_uid;
	a->gid = pw->pw_gid;
	a->user = o->system;
	*home = span_str(pw->pw_dir);
	return 0;
}

/* Root and mailbox, from home (system), mail=, or mail-root. */
static int
places_set(struct reader *r, const struct options *o, const struct addr *at,
    struct span home, struct account *a)
{
	buf_clear(&r->root);
	buf_clear(&r->mailbox);
	buf_span(&r->root, home.n != 0 ? home : span_str(r->conf->mail_root));
	if (o->mail.n != 0) {
		buf_span(&r->mailbox, o->mail);
		if (account_path_ok(o->mail) &&
		    !account_path_below(o->mail, buf_get(&r->root))) {
			buf_clear(&r->root);
			buf_span(&r->root, path_parent(o->mail));
		}
	} else if (home.n != 0) {
		buf_span(&r->mailbox, home);
		buf_str(&r->mailbox, "/Maildir");
	} else {
		buf_str(&r->mailbox, r->conf->mail_root);
		buf_char(&r->mailbox, '/');
		buf_span(&r->mailbox, at->domain);
		buf_char(&r->mailbox, '/');
		buf_span(&r->mailbox, at->local);
		buf_str(&r->mailbox, "/Maildir");
	}
	a->root = buf_get(&r->root);
	a->mailbox = buf_get(&r->mailbox);
	if (!r->root.bad && !r->mailbox.bad && account_path_ok(a->root) &&
	    account_path_ok(a->mailbox) &&
	    account_path_below(a->mailbox, a->root))
		return 0;
	text_complain(&r->text, "the mailbox has no clean absolute path below "
	    "a directory; set mail= to one such as /var/vmail/ann/Maildir");
	return -1;
}

/* The first word, to r->address and *at. -1: reported. */
static int
login_read(struct reader *r, struct span login, struct addr *at)
{
	buf_clear(&r->address);
	if (login_parse(r->conf, login, &r->address, at) == -1) {
		text_complain(&r->text, "the first word is no login; write an "
		    "address such as ann@%s", r->conf->default_domain);
		return -1;
	}
	if (!conf_list_has(&r->conf->domains, at->domain) &&
	    !conf_list_has(&r->conf->system_domains, at->domain)) {
		text_complain(&r->text, "%.*s is not a local domain; add it "
		    "to domains in postern.conf, or correct the line",
		    SPAN_FMT(at->domain));
		return -1;
	}
	return 0;
}

static int
line_read(struct reader *r, struct span line)
{
	struct account a = { .uid = r->owner->uid, .gid = r->owner->gid };
	struct options o = { { "", 0 }, { "", 0 }, { "", 0 }, { "", 0 } };
	struct span home = SPAN_NONE, login = span_word(&line);
	struct addr at;
	size_t before;

	a.user = SPAN_NONE;
	a.hash = span_word(&line);
	if (login_read(r, login, &at) == -1)
		return 0;
	if (!users_hash_ok(a.hash)) {
		text_complain(&r->text, "the second word is no hash of "
		    "crypt(3); type `postern user passwd %.*s`, or write ! "
		    "for no login", SPAN_FMT(at.text));
		return 0;
	}
	if (options_read(r, line, &o) == -1 || ids_set(r, &o, &a) == -1 ||
	    system_set(r, &o, &a, &home) == -1 ||
	    places_set(r, &o, &at, home, &a) == -1)
		return 0;
	if (!uid_allowed(r, a.uid) || a.gid == 0) {
		text_complain(&r->text, "uid %llu, gid %llu may not own a "
		    "mailbox here; use a uid that is at least min-uid (%llu), "
		    "or mail-user's", (unsigned long long)a.uid,
		    (unsigned long long)a.gid,
		    (unsigned long long)r->conf->min_uid);
		return 0;
	}
	a.address = at.text;
	account_key(a.address, &r->key);
	before = text_seen_add(&r->seen, buf_get(&r->key), r->text.line);
	if (before != 0) {
		text_complain(&r->text, "%.*s is already in line %zu; remove "
		    "one of them", SPAN_FMT(a.address), before);
		return 0;
	}
	return r->fn(r->arg, &a, r->text.line);
}

/* One account of the system in one system domain, unless the file has it. */
static int
system_row(struct reader *r, const struct passwd *pw, const char *domain)
{
	struct options none = { { "", 0 }, { "", 0 }, { "", 0 }, { "", 0 } };
	struct account a = { .uid = pw->pw_uid, .gid = pw->pw_gid };
	size_t problems = r->text.problems, told = r->text.err->n;
	struct addr at;

	buf_clear(&r->address);
	buf_str(&r->address, pw->pw_name);
	buf_char(&r->address, '@');
	buf_str(&r->address, domain);
	addr_split(buf_get(&r->address), &at);
	a.address = at.text;
	a.user = span_str(pw->pw_name);
	a.hash = SPAN("!");
	if (places_set(r, &none, &at, span_str(pw->pw_dir), &a) == -1) {
		r->text.problems = problems; /* an account without a home */
		r->text.err->n = told;
		return 0;
	}
	account_key(a.address, &r->key);
	if (text_seen_add(&r->seen, buf_get(&r->key), SIZE_MAX) != 0)
		return 0;
	return r->fn(r->arg, &a, 0);
}

static int
system_read(struct reader *r)
{
	enum { UID_NOBODY = 65534 };
	struct passwd *pw;
	int rc = 0;

	if (r->conf->system_domains.n == 0)
		return 0;
	setpwent();
	while (rc == 0 && (pw = getpwent()) != NULL) {
		if (pw->pw_uid == UID_NOBODY || pw->pw_gid == 0 ||
		    !uid_allowed(r, pw->pw_uid) ||
		    !users_name_ok(span_str(pw->pw_name)) ||
		    span_has(span_str(pw->pw_name), '@'))
			continue;
		if (pw->pw_uid < r->conf->min_uid && !r->owner->fixed)
			continue; /* mail-user itself has no mailbox */
		for (size_t i = 0; i < r->conf->system_domains.n; i++)
			if ((rc = system_row(r, pw,
				r->conf->system_domains.word[i])) == -1)
				break;
	}
	endpwent();
	return rc;
}

int
users_read(const struct conf *c, const struct users_owner *owner,
    struct span text, const char *name, users_fn *fn, void *arg,
    struct buf *err)
{
	struct reader r = { .conf = c, .owner = owner, .fn = fn, .arg = arg };
	struct span line;
	int rc = 0;

	text_init(&r.text, text, name, false, err);
	buf_init(&r.address, AUTH_NAME_MAX);
	buf_init(&r.key, MAP_KEY_MAX);
	buf_init(&r.root, PATH_LEN_MAX);
	buf_init(&r.mailbox, PATH_LEN_MAX);
	while (rc == 0 && text_next(&r.text, &line))
		rc = line_read(&r, line);
	if (rc == 0 && r.text.problems == 0)
		rc = system_read(&r);
	if (r.text.problems != 0)
		rc = -1;
	text_seen_fini(&r.seen);
	text_fini(&r.text);
	buf_fini(&r.address);
	buf_fini(&r.key);
	buf_fini(&r.root);
	buf_fini(&r.mailbox);
	return rc;
}
