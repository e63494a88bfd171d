/* maildir: names, paths that stay below their root, creation, cleaning. */
#include "lib/maildir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/limits.h"
#include "lib/os_file.h"
#include "t/unit/tap.h"
#include "t/unit/tree.h"

static const struct name_case {
	const char *what, *name, *unique, *base, *flags;
	bool has_size, has_wsize;
	uint64_t size, wsize;
	uint64_t when;
} names[] = {
	{ "a whole name", "1700.Qabc_0.host,S=12,W=13:2,FS", "1700.Qabc_0.host",
	    "1700.Qabc_0.host,S=12,W=13", "FS", true, true, 12, 13, 1700 },
	{ "no sizes, no flags", "1700.M1P2.host", "1700.M1P2.host",
	    "1700.M1P2.host", "", false, false, 0, 0, 1700 },
	{ "no flags after the colon", "17.a:2,", "17.a", "17.a", "", false,
	    false, 0, 0, 17 },
	{ "another kind of info", "17.a:1,x", "17.a", "17.a", "", false, false,
	    0, 0, 17 },
	{ "a size that is none", "17.a,S=1x,W=", "17.a", "17.a,S=1x,W=", "",
	    false, false, 0, 0, 17 },
	{ "a size that is a joke", "17.a,W=99999999999999999999,S=7", "17.a",
	    "17.a,W=99999999999999999999,S=7", "", true, false, 7, 0, 17 },
	{ "no time", "msg.1", "msg.1", "msg.1", "", false, false, 0, 0, 0 },
	{ "empty", "", "", "", "", false, false, 0, 0, 0 },
	{ "only separators", ":2,,S=1", "", "", ",S=1", false, false, 0, 0, 0 },
};

static void
test_names(void)
{
	const struct name_case *c;
	struct maildir_name m;

	for (c = names; c < names + nitems(names); c++) {
		maildir_name_parse(span_str(c->name), &m);
		ok(span_eq(m.unique, span_str(c->unique)) &&
			span_eq(m.base, span_str(c->base)) &&
			span_eq(m.flags, span_str(c->flags)) &&
			m.has_size == c->has_size &&
			m.has_wsize == c->has_wsize && m.size == c->size &&
			m.wsize == c->wsize &&
			maildir_name_time(span_str(c->name)) == c->when,
		    c->what);
	}
}

/* What deliver has named tells its queue id; there is an end to the list. */
static void
test_qids(void)
{
	static const char *const others[] = { "", "17.", "17.Q", "17.Q_0.h",
		"17.Q0123456789_0.h", "17.Q01234567890", "17.Q0123456789!_0.h",
		"17.R01234567890_0.h", "Q01234567890_0.h" };
	struct buf list;
	size_t n;

	buf_init(&list, LOG_VALUE_MAX);
	for (size_t i = 0; i < nitems(others); i++)
		maildir_qids_add(&list, span_str(others[i]));
	ok(list.n == 0, "names of others have no queue id");
	maildir_qids_add(&list, SPAN("17.Q01234567890_0.P1.h,S=1:2,S"));
	maildir_qids_add(&list, SPAN("17.Q0123456789a_12.P1.h"));
	ok(span_eq(buf_get(&list), SPAN("01234567890 0123456789a")),
	    "two queue ids");
	for (size_t i = 0; i < LOG_VALUE_MAX; i++)
		maildir_qids_add(&list, SPAN("17.Q01234567890_0.h"));
	n = list.n;
	maildir_qids_add(&list, SPAN("17.Q01234567890_0.h"));
	ok(!list.bad && list.n == n && n < LOG_VALUE_MAX - 4 &&
		span_ends(buf_get(&list), SPAN("01234567890 ...")),
	    "a long list is cut");
	buf_fini(&list);
}

static const struct below_case {
	const char *what, *root, *mailbox, *path; /* NULL: refused */
} belows[] = {
	{ "absolute, below", "/var/vmail", "/var/vmail/a/b", "a/b" },
	{ "root with a slash", "/var/vmail/", "/var/vmail/a/b", "a/b" },
	{ "root is /", "/", "/a/b", "a/b" },
	{ "relative is taken", "/var/vmail", "a/b", "a/b" },
	{ "blanks are bytes", "/v m", "/v m/a b", "a b" },
	{ "outside", "/var/vmail", "/var/mail/a", NULL },
	{ "a longer name is outside", "/var/vmail", "/var/vmail2/a", NULL },
	{ "root itself", "/var/vmail", "/var/vmail", NULL },
	{ "root itself with a slash", "/var/vmail", "/var/vmail/", NULL },
	{ "dots", "/var/vmail", "/var/vmail/../x", NULL },
	{ "dots at the end", "/var/vmail", "a/..", NULL },
	{ "one dot", "/var/vmail", "./a", NULL },
	{ "empty component", "/var/vmail", "a//b", NULL },
	{ "empty", "/var/vmail", "", NULL },
};

static void
test_below(void)
{
	const struct below_case *c;
	struct buf b;
	int rc;

	buf_init(&b, PATH_LEN_MAX);
	for (c = belows; c < belows + nitems(belows); c++) {
		rc = maildir_below(span_str(c->root), span_str(c->mailbox), &b);
		ok(c->path == NULL ? rc == -1 :
				     rc == 0 && strcmp(buf_cstr(&b),
						    c->path) == 0,
		    c->what);
	}
	ok(maildir_below(SPAN("/r"), span_of("a\0b", 3), &b) == -1,
	    "a NUL byte is refused");
	buf_fini(&b);
	buf_init(&b, 4);
	ok(maildir_below(SPAN("/r"), SPAN("12345"), &b) == -1 &&
		errno == ENAMETOOLONG,
	    "a path over the bound is refused");
	buf_fini(&b);
}

static bool
is_dir(int at, const char *path, mode_t mode)
{
	struct stat st;

	return fstatat(at, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISDIR(st.st_mode) && (st.st_mode & 07777) == mode;
}

static void
test_make(int at)
{
	int fd;

	ok(maildir_make(at, "example.org/ann/Maildir", false) == 0 &&
		is_dir(at, "example.org", 0700) &&
		is_dir(at, "example.org/ann/Maildir/cur", 0700) &&
		is_dir(at, "example.org/ann/Maildir/new", 0700) &&
		is_dir(at, "example.org/ann/Maildir/tmp", 0700),
	    "a Maildir is made with its parents");
	ok(maildir_make(at, "example.org/ann/Maildir", false) == 0,
	    "what is there is left");
	ok(unlinkat(at, "example.org/ann/Maildir/new", AT_REMOVEDIR) == 0 &&
		maildir_make(at, "example.org/ann/Maildir", false) == 0 &&
		is_dir(at, "example.org/ann/Maildir/new", 0700),
	    "what is missing is made");

	ok(symlinkat("ann", at, "example.org/bob") == 0 &&
		maildir_make(at, "example.org/bob/Maildir", false) == -1,
	    "no link is followed when making");
	ok(os_opendir_below(at, "example.org/bob/Maildir", false) == -1,
	    "no link is followed when opening");
	fd = os_opendir_below(at, "example.org/bob/Maildir", true);
	ok(fd != -1, "an owner's link inside the root is followed");
	close(fd);
	ok(symlinkat("/etc", at, "out") == 0 &&
		os_opendir_below(at, "out", true) == -1,
	    "a link out of the root is not");
	ok(os_opendir_below(at, "example.org/../..", true) == -1,
	    "nor dots");
	ok(os_opendir_below(at, "example.org/carl", false) == -1 &&
		errno == ENOENT,
	    "what is missing is ENOENT");
}

static void
test_sweep(int at)
{
	struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
	struct stat st;
	int fd;

	(void)mkdirat(at, "tmp", 0700);
	(void)mkdirat(at, "tmp/old-directory", 0700);
	(void)utimensat(at, "tmp/old-directory", old, 0);
	fd = openat(at, "tmp/old", O_WRONLY | O_CREAT, 0600);
	close(fd);
	(void)utimensat(at, "tmp/old", old, 0);
	fd = openat(at, "tmp/young", O_WRONLY | O_CREAT, 0600);
	close(fd);
	(void)fstatat(at, "tmp/young", &st, 0);
	maildir_sweep(at, (int64_t)st.st_mtime);
	ok(fstatat(at, "tmp/old", &st, 0) == -1, "old litter goes");
	ok(fstatat(at, "tmp/young", &st, 0) == 0, "a running delivery stays");
	ok(is_dir(at, "tmp/old-directory", 0700), "directories stay");
}

static void
test_rename(int at)
{
	int fd = openat(at, "from", O_WRONLY | O_CREAT, 0600);
	struct stat st;

	close(fd);
	ok(os_rename_new(at, "from", at, "to") == 0 &&
		fstatat(at, "to", &st, 0) == 0 &&
		fstatat(at, "from", &st, 0) == -1,
	    "a file is renamed");
	ok(os_rename_new(at, "tmp/young", at, "to") == -1 && errno == EEXIST &&
		fstatat(at, "tmp/young", &st, 0) == 0,
	    "an existing file is never replaced");
}

int
main(void)
{
	char dir[] = "/tmp/postern-maildir.XXXXXX";
	int at;

	test_names();
	test_qids();
	test_below();
	if (mkdtemp(dir) == NULL)
		return 1;
	at = open(dir, O_RDONLY | O_DIRECTORY);
	test_make(at);
	test_sweep(at);
	test_rename(at);
	close(at);
	tree_remove(dir);
	return done();
}
