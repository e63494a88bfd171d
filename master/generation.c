/*
 * generation: see the header. Certificates are copied into memory when the
 * generation is made, so that a child that is restarted later starts with
 * the pair that was good, whatever lies on disk by then.
 */
#include "master/generation.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/conf.h"
#include "lib/die.h"
#include "lib/os.h"
#include "lib/tally.h"
#include "master/topology.h"

enum { PEM_MAX = 256 * 1024, CONF_TEXT_MAX = 1024 * 1024 };

/* --- memory files ------------------------------------------------------ */

/* A sealed, unnamed file with these bytes. -1 and errno. */
static int
memory_of(const char *name, struct span bytes)
{
	int fd = os_memory_file(name);
	ssize_t n;

	if (fd == -1)
		return -1;
	while (bytes.n > 0) {
		n = write(fd, bytes.p, bytes.n);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			goto fail;
		span_take(&bytes, (size_t)n);
	}
	if (lseek(fd, 0, SEEK_SET) == -1 || os_memory_seal(fd) == -1)
		goto fail;
	return fd;
fail:
	fd_close(&fd);
	return -1;
}

/* All of fd from its start. -1 and errno: unreadable, longer than b. */
static int
read_all(int fd, struct buf *b)
{
	off_t at = 0;
	ssize_t n;
	char *p;

	do {
		if ((p = buf_room(b, 4096)) == NULL) {
			errno = EFBIG;
			return -1;
		}
		n = pread(fd, p, 4096, at);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		buf_grew(b, (size_t)n);
		at += n;
	} while (n != 0);
	return 0;
}

/* The next bytes of fd to the end of to. As read(2). */
static ssize_t
copy_some(int fd, off_t at, int to)
{
	static char bytes[64 * 1024];
	struct span rest;
	ssize_t n, m;

	while (
	    (n = pread(fd, bytes, sizeof(bytes), at)) == -1 && errno == EINTR)
		;
	rest = span_of(bytes, n < 0 ? 0 : (size_t)n);
	while (rest.n > 0) {
		m = write(to, rest.p, rest.n);
		if (m == -1 && errno != EINTR)
			return -1;
		span_take(&rest, m < 0 ? 0 : (size_t)m);
	}
	return n;
}

int
generation_copy_large(int fd, off_t size)
{
	int copy = os_memory_file("map");
	off_t at = 0;
	ssize_t n;

	while (copy != -1 && at < size) {
		n = copy_some(fd, at, copy);
		if (n == 0)
			errno = EIO; /* shorter than it said: being written */
		if (n <= 0)
			fd_close(&copy);
		else
			at += n;
	}
	if (copy != -1 && os_memory_seal(copy) == -1)
		fd_close(&copy);
	return copy;
}

int
generation_copy(int fd)
{
	struct buf b;
	int copy = -1;

	buf_init(&b, PEM_MAX);
	if (read_all(fd, &b) == 0)
		copy = memory_of("postern", buf_get(&b));
	explicit_bzero(b.p, b.n);
	buf_fini(&b);
	return copy;
}

/* --- file stamps ------------------------------------------------------- */

void
file_stamp_of(const struct stat *st, struct file_stamp *out)
{
	memset(out, 0, sizeof(*out));
	out->dev = st->st_dev;
	out->ino = st->st_ino;
	out->size = st->st_size;
	out->mtime = st->st_mtim;
}

void
file_stamp_get(const char *path, struct file_stamp *out)
{
	struct stat st;

	memset(out, 0, sizeof(*out));
	if (stat(path, &st) == 0)
		file_stamp_of(&st, out);
}

bool
file_stamp_eq(const struct file_stamp *a, const struct file_stamp *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	    a->mtime.tv_sec == b->mtime.tv_sec &&
	    a->mtime.tv_nsec == b->mtime.tv_nsec;
}

/* --- accounts ---------------------------------------------------------- */

static int
account_find(
    const char *key, const char *name, struct identity *id, struct buf *err)
{
	struct passwd *pw;
	uint64_t n;

	if (span_num(span_str(name), 0, UINT32_MAX - 1, &n) == 0) {
		id->uid = (uid_t)n;
		id->gid = (gid_t)n;
	} else if ((pw = getpwnam(name)) != NULL) {
		id->uid = pw->pw_uid;
		id->gid = pw->pw_gid;
	} else {
		buf_fmt(err,
		    "%s: there is no account %s; create it, as "
		    "INSTALL shows, or name another\n",
		    key, name);
		return -1;
	}
	if (id->uid == 0 || id->gid == 0) {
		buf_fmt(err,
		    "%s: %s is root or in group 0; name an account "
		    "that nothing else uses\n",
		    key, name);
		return -1;
	}
	return 0;
}

/* No two of them, or the wall between them is painted on. */
static int
accounts_differ(const struct generation *g, struct buf *err)
{
	const struct topology_row *row;
	size_t n = topology_rows(&row);

	for (size_t i = 0; i < n; i++) {
		const struct identity *a = &g->id[row[i].role];

		if (topology_user(&row[i], g->conf) == NULL)
			continue;
		if (a->uid == g->mail.uid) {
			buf_fmt(err,
			    "%s: is mail-user, too; each needs its "
			    "own account\n",
			    row[i].user);
			return -1;
		}
		for (size_t j = 0; j < i; j++)
			if (topology_user(&row[j], g->conf) != NULL &&
			    a->uid == g->id[row[j].role].uid) {
				buf_fmt(err,
				    "%s: is %s, too; each needs its "
				    "own account\n",
				    row[i].user, row[j].user);
				return -1;
			}
	}
	return 0;
}

static int
accounts_find(struct generation *g, struct buf *err)
{
	const struct topology_row *row;
	size_t n = topology_rows(&row);
	const char *name;
	int rc = 0;

	if (!g->privileged) {
		g->mail.uid = geteuid();
		g->mail.gid = getegid();
		for (size_t i = 0; i < n; i++)
			g->id[row[i].role] = g->mail;
		return 0;
	}
	for (size_t i = 0; i < n; i++) {
		if ((name = topology_user(&row[i], g->conf)) == NULL)
			continue;
		if (account_find(row[i].user, name, &g->id[row[i].role], err) ==
		    -1)
			rc = -1;
	}
	if (account_find("mail-user", g->conf->mail_user, &g->mail, err) == -1)
		rc = -1;
	return rc == 0 ? accounts_differ(g, err) : -1;
}

bool
generation_may_own(const struct generation *g, uid_t uid, gid_t gid)
{
	const struct topology_row *row;
	size_t n = topology_rows(&row);

	if (!g->privileged) /* all run as we do, whatever is asked */
		return true;
	if (uid == 0 || gid == 0 || uid == (uid_t)-1 || gid == (gid_t)-1)
		return false;
	for (size_t i = 0; i < n; i++)
		if (topology_user(&row[i], g->conf) != NULL &&
		    (uid == g->id[row[i].role].uid ||
			gid == g->id[row[i].role].gid))
			return false;
	return uid == g->mail.uid || uid >= g->conf->min_uid;
}

/* --- certificate ------------------------------------------------------- */

static int
pem_load(const char *key, const char *path, struct file_stamp *stamp,
    bool secret, struct buf *err)
{
	struct stat st;
	int fd, copy = -1;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd == -1 || fstat(fd, &st) == -1) {
		buf_fmt(err, "%s: cannot open %s: %s\n", key, path,
		    strerror(errno));
		goto out;
	}
	if (!S_ISREG(st.st_mode) || (secret && (st.st_mode & 007) != 0)) {
		buf_fmt(err, "%s: %s is %s\n", key, path,
		    !S_ISREG(st.st_mode) ? "not a file"
					 : "open to everybody; chmod o= it");
		goto out;
	}
	file_stamp_of(&st, stamp);
	if ((copy = generation_copy(fd)) == -1)
		buf_fmt(err, "%s: cannot read %s: %s\n", key, path,
		    strerror(errno));
out:
	fd_close(&fd);
	return copy;
}

static int
certificate_load(struct generation *g, struct buf *err)
{
	const char *cert = g->conf->tls_certificate, *key = g->conf->tls_key;

	if (cert == NULL || cert[0] == '\0')
		return 0;
	g->cert_fd =
	    pem_load("tls-certificate", cert, &g->cert_stamp, false, err);
	g->key_fd =
	    pem_load("tls-key", key == NULL || key[0] == '\0' ? cert : key,
		&g->key_stamp, true, err);
	return g->cert_fd == -1 || g->key_fd == -1 ? -1 : 0;
}

/* --- the whole --------------------------------------------------------- */

static int
conf_text_make(struct generation *g, struct buf *err)
{
	struct buf text;

	buf_init(&text, CONF_TEXT_MAX);
	conf_write(g->conf, false, &text);
	if (!text.bad)
		g->conf_fd = memory_of("postern.conf", buf_get(&text));
	else
		errno = EFBIG;
	buf_fini(&text);
	if (g->conf_fd == -1)
		buf_fmt(err, "cannot keep the configuration: %s\n",
		    strerror(errno));
	return g->conf_fd == -1 ? -1 : 0;
}

static int
tally_make(struct generation *g, struct buf *err)
{
	const struct topology_row *row;
	size_t n = topology_rows(&row);
	int fd;

	for (size_t i = 0; i < n; i++) {
		if ((row[i].gives & GIVES_TALLY) == 0)
			continue;
		fd = os_memory_file("tally");
		g->tally_fd[row[i].role] = fd;
		if (fd == -1 ||
		    ftruncate(fd,
			(off_t)tally_size(topology_number(&row[i], g->conf))) ==
			-1) {
			buf_fmt(
			    err, "cannot make counters: %s\n", strerror(errno));
			return -1;
		}
	}
	return 0;
}

struct generation *
generation_new(struct conf *conf, bool privileged, struct buf *err)
{
	static unsigned number;
	struct generation *g = xcalloc(1, sizeof(*g));

	g->conf = conf;
	g->privileged = privileged;
	g->conf_fd = g->cert_fd = g->key_fd = -1;
	for (size_t i = 0; i < ROLE_COUNT; i++)
		g->tally_fd[i] = -1;
	if (accounts_find(g, err) == -1 || certificate_load(g, err) == -1 ||
	    conf_text_make(g, err) == -1 || tally_make(g, err) == -1) {
		generation_free(g);
		return NULL;
	}
	g->number = ++number;
	return g;
}

struct generation *
generation_again(const struct generation *old, struct buf *err)
{
	struct conf *c = conf_read_fd(old->conf_fd, old->conf->path, err);

	if (c == NULL)
		return NULL;
	return generation_new(c, old->privileged, err);
}

void
generation_free(struct generation *g)
{
	if (g == NULL)
		return;
	fd_close(&g->conf_fd);
	fd_close(&g->cert_fd);
	fd_close(&g->key_fd);
	for (size_t i = 0; i < ROLE_COUNT; i++)
		fd_close(&g->tally_fd[i]);
	conf_free(g->conf);
	free(g);
}
