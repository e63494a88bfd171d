/* folders: names, patterns, the tree on disk, subscriptions. */
#include "lib/folders.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/folders_impl.h"
#include "lib/limits.h"
#include "lib/mailbox.h"
#include "lib/maildir.h"
#include "t/unit/tap.h"
#include "t/unit/tree.h"

static const struct name_case {
	const char *what, *name, *disk; /* NULL: refused */
} names[] = {
	{ "one level", "Sent", ".Sent" },
	{ "three levels", "a/b/c", ".a.b.c" },
	{ "not ASCII", "Entwürfe", ".Entw&APw-rfe" },
	{ "a dot inside", "v1.2/x", ".v1&AC4-2.x" },
	{ "only dots", "..", ".&AC4-&AC4-" },
	{ "a dot between shifts", "ä.ö", ".&AOQ-&AC4-&APY-" },
	{ "what looks like a dot's escape", "&AC4-", ".&-AC4-" },
	{ "below INBOX", "INBOX/x", ".INBOX.x" },
	{ "below inbox", "inbox/x", ".INBOX.x" },
	{ "empty", "", NULL },
	{ "an empty level", "a//b", NULL },
	{ "a slash first", "/a", NULL },
	{ "a slash last", "a/", NULL },
	{ "a control", "a\nb", NULL },
	{ "not UTF-8", "a\377", NULL },
	{ "16 levels", "a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p",
	    ".a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p" },
	{ "17 levels", "a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q", NULL },
};

static void
test_names(void)
{
	char longest[IMAP_FOLDER_NAME_MAX + 1];
	struct buf b, back;
	int rc;

	buf_init(&b, 1000);
	buf_init(&back, 1000);
	for (size_t i = 0; i < nitems(names); i++) {
		rc = folder_disk(span_str(names[i].name), &b);
		ok(names[i].disk == NULL ? rc == -1 :
		    rc == 0 && span_eq(buf_get(&b), span_str(names[i].disk)),
		    names[i].what);
		if (rc == 0)
			ok(folder_from_disk(buf_get(&b), &back) == 0 &&
				span_ieq(span_str(names[i].name),
				    buf_get(&back)),
			    "and back");
	}
	memset(longest, 'x', sizeof(longest));
	ok(folder_name_ok(span_of(longest, IMAP_FOLDER_NAME_MAX - 1)) &&
		!folder_name_ok(span_of(longest, IMAP_FOLDER_NAME_MAX)),
	    "the longest name, and one byte more");
	ok(folder_from_disk(SPAN(".a..b"), &back) == -1 &&
		folder_from_disk(SPAN("."), &back) == -1 &&
		folder_from_disk(SPAN(".a."), &back) == -1 &&
		folder_from_disk(SPAN(".inbox"), &back) == -1 &&
		folder_from_disk(SPAN(".x&AGE-"), &back) == -1,
	    "directories that no name has are no folders");
	buf_fini(&b);
	buf_fini(&back);
}

static const struct match_case {
	const char *name, *pattern;
	bool is;
} matches[] = {
	{ "a/b", "*", true },
	{ "a/b", "%", false },
	{ "a/b", "%/%", true },
	{ "a/b", "a%", false },
	{ "a/b", "a*", true },
	{ "a/b", "*b", true },
	{ "a/b/c", "%/c", false },
	{ "a/b/c", "*%c", true },
	{ "a/b/c", "a/*/c", true },
	{ "a/c", "a/*/c", false },
	{ "abc", "a%c", true },
	{ "abc", "a*d", false },
	{ "", "", true },
	{ "", "*", true },
	{ "a", "", false },
	{ "abab", "*ab", true },
	{ "ab/ab", "%ab/%b", true },
	{ "INBOX", "inbox", true },
	{ "INBOX", "In%x", true },
	{ "INBOX/a", "inbox/%", true },
	{ "INBOX/a", "inbox/A", false },
	{ "INBOXES", "inboxes", false },
	{ "Sent", "sent", false },
};

static void
test_matches(void)
{
	char many[2000], name[200];

	for (size_t i = 0; i < nitems(matches); i++)
		ok(folder_matches(span_str(matches[i].name),
		       span_str(matches[i].pattern)) == matches[i].is,
		    matches[i].pattern);
	for (size_t i = 0; i < sizeof(many); i++)
		many[i] = "*a%a"[i % 4];
	memset(name, 'a', sizeof(name));
	ok(!folder_matches(span_of(name, sizeof(name)),
	       span_of(many, sizeof(many))),
	    "a hostile pattern takes no time");
	many[300] = 'b';
	ok(!folder_matches(span_of(name, sizeof(name)), span_of(many, 301)),
	    "nor does one that nearly matches");
}

static char seen[1000];

static void
see(void *arg, struct span name, unsigned attrs)
{
	size_t n = strlen(seen);

	(void)arg;
	snprintf(seen + n, sizeof(seen) - n, "%.*s:%x ", SPAN_FMT(name),
	    attrs);
}

static bool
list_is(struct folders *f, bool subscribed, const char *want)
{
	seen[0] = '\0';
	if (folders_each(f, subscribed, see, NULL) == -1)
		return false;
	if (strcmp(seen, want) == 0)
		return true;
	printf("# got  %s\n# want %s\n", seen, want);
	return false;
}

static uint32_t
validity(struct folders *f, const char *name)
{
	int fd = folder_open(f, span_str(name));
	struct mailbox *m = fd == -1 ? NULL : mailbox_open(fd, false);
	uint32_t v = m == NULL ? 0 : mailbox_uidvalidity(m);

	mailbox_close(m);
	return v;
}

static void
put_message(int at, const char *path)
{
	int fd = openat(at, path, O_WRONLY | O_CREAT, 0600);

	if (fd != -1 && write(fd, "a: b\n\nc\n", 8) == 8)
		close(fd);
}

#define CREATE(name, use) folder_create(f, SPAN(name), use)
#define FAILS(expr, errnum) ((expr) == -1 && errno == (errnum))

static void
test_tree(int at)
{
	struct folders *f = folders_new(at);
	struct mailbox_status st;
	uint32_t was;
	int fd;

	ok(list_is(f, true, "INBOX:0 "), "an empty Maildir has INBOX");
	ok(CREATE("a/b", 0) == 0 && list_is(f, false,
					"INBOX:0 a:2 a/b:0 "),
	    "a folder is made with its parent");
	ok(FAILS(CREATE("a", 0), EEXIST) && FAILS(CREATE("inbox", 0), EEXIST) &&
		FAILS(CREATE("a//b", 0), EINVAL),
	    "what exists or cannot be is not made");
	ok(CREATE("Old mail", FA_ARCHIVE) == 0 && CREATE("Archive", 0) == 0 &&
		CREATE("sent", 0) == 0 &&
		list_is(f, false,
		    "INBOX:0 Archive:0 Old mail:400 a:2 a/b:0 sent:80 "),
	    "uses: by file, else by name");
	ok(folder_subscribe(f, SPAN("a/b"), true) == 0 &&
		folder_subscribe(f, SPAN("gone.now"), true) == 0 &&
		folder_subscribe(f, SPAN("inbox"), true) == 0 &&
		list_is(f, true,
		    "INBOX:4 Archive:0 Old mail:400 a:2 a/b:4 gone.now:c "
		    "sent:80 "),
	    "subscriptions, also of what is not there");
	ok(folder_subscribe(f, SPAN("gone.now"), false) == 0 &&
		folder_subscribe(f, SPAN("gone.now"), false) == 0 &&
		FAILS(folder_subscribe(f, SPAN("a\n"), true), EINVAL),
	    "unsubscribed twice is no error; a bad name is");
	was = validity(f, "a/b");
	ok(was != 0 && folder_delete(f, SPAN("a")) == 0 &&
		list_is(f, true,
		    "INBOX:4 Archive:0 Old mail:400 a:3 a/b:4 sent:80 "),
	    "a parent that is removed cannot be selected");
	ok(FAILS(folder_delete(f, SPAN("a")), ENOTEMPTY) &&
		FAILS(folder_delete(f, SPAN("nix")), ENOENT) &&
		FAILS(folder_delete(f, SPAN("INBOX")), EPERM),
	    "what cannot be removed");
	ok(folder_delete(f, SPAN("a/b")) == 0 && CREATE("a/b", 0) == 0 &&
		validity(f, "a/b") > was,
	    "made again, it has a larger UIDVALIDITY");
	put_message(at, ".a.b/cur/17.x:2,S");
	ok(FAILS(folder_rename(f, SPAN("a"), SPAN("a/b/c")), EINVAL) &&
		FAILS(folder_rename(f, SPAN("a"), SPAN("sent")), EEXIST) &&
		FAILS(folder_rename(f, SPAN("nix"), SPAN("x")), ENOENT) &&
		FAILS(folder_rename(f, SPAN("a"), SPAN("INBOX")), EEXIST),
	    "renames that cannot be");
	ok(folder_rename(f, SPAN("a"), SPAN("x/y")) == 0 &&
		list_is(f, false,
		    "INBOX:4 Archive:0 Old mail:400 sent:80 x:2 x/y:2 "
		    "x/y/b:0 "),
	    "a folder is renamed with its children");
	fd = folder_open(f, SPAN("x/y/b"));
	ok(fd != -1 && mailbox_status(fd, &st) == 0 && st.messages == 1,
	    "and its messages");
	close(fd);
	put_message(at, "cur/18.x:2,F");
	put_message(at, "new/19.x");
	ok(folder_rename(f, SPAN("Inbox"), SPAN("Then")) == 0,
	    "INBOX is renamed");
	fd = folder_open(f, SPAN("Then"));
	ok(fd != -1 && mailbox_status(fd, &st) == 0 && st.messages == 2,
	    "its messages move");
	close(fd);
	fd = folder_open(f, SPAN("inbox"));
	ok(fd != -1 && mailbox_status(fd, &st) == 0 && st.messages == 0,
	    "it stays, empty");
	close(fd);
	ok(symlinkat(".x", at, ".link") == 0 &&
		FAILS(fd = folder_open(f, SPAN("link")), ENOENT),
	    "a link is no folder");
	folders_free(f);
}

static void
test_first(int at)
{
	static char *const first[] = { "Sent", "lists/a", "Sent" };
	struct folders *f = folders_new(at);

	ok(folders_first(f, first, 0) == 0 && list_is(f, true, "INBOX:0 "),
	    "no first folders are wanted");
	ok(folders_first(f, first, nitems(first)) == 0 &&
		list_is(f, true, "INBOX:4 Sent:84 lists:2 lists/a:4 "),
	    "the first folders, subscribed");
	ok(folder_delete(f, SPAN("Sent")) == 0 &&
		folder_subscribe(f, SPAN("Sent"), false) == 0 &&
		folder_delete(f, SPAN("lists/a")) == 0 &&
		folder_delete(f, SPAN("lists")) == 0 &&
		folders_first(f, first, nitems(first)) == 0 &&
		list_is(f, false, "INBOX:4 "),
	    "what was removed does not come back");
	ok(unlinkat(at, "subscriptions", 0) == 0 && CREATE("x", 0) == 0 &&
		folders_first(f, first, nitems(first)) == 0 &&
		list_is(f, true, "INBOX:0 x:0 "),
	    "who has a folder is left alone");
	ok(CREATE("Sent Items", 0) == 0 && CREATE("Sent Messages", 0) == 0 &&
		CREATE("spam", 0) == 0 &&
		list_is(f, false,
		    "INBOX:0 Sent Items:80 Sent Messages:0 spam:200 x:0 "),
	    "a use by a name that clients know, one folder a use");
	folders_free(f);
}

static int
maildir_new(const char *dir)
{
	int at;

	(void)mkdir(dir, 0700);
	at = open(dir, O_RDONLY | O_DIRECTORY);
	if (at == -1 || maildir_make(at, "", false) == -1)
		exit(1);
	return at;
}

int
main(void)
{
	char dir[] = "/tmp/postern-folders-XXXXXX", second[64];
	int at;

	test_names();
	test_matches();
	if (mkdtemp(dir) == NULL)
		return 1;
	at = maildir_new(dir);
	test_tree(at);
	close(at);
	snprintf(second, sizeof(second), "%s/second", dir);
	at = maildir_new(second);
	test_first(at);
	close(at);
	tree_remove(dir);
	return done();
}
