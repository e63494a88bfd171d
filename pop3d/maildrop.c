/*
 * maildrop: a snapshot of a Maildir.
 *
 * RFC 1939 4 speaks of an exclusive lock. A Maildir needs none for what the
 * lock is for: files in it never change, a delivery only adds one, and a
 * session works on the list it took at the beginning. A lock would instead
 * shut out the owner's other programs, or the second telephone while the
 * first one's connection is dying. So several sessions may be open at once;
 * what one of them removes, another finds missing and answers -ERR.
 *
 * - the number of a message never changes while the session lives
 * - a message is known by the base of its file name (before ":"); other
 *   programs may move it from new/ to cur/ and change its flags at any time:
 *   then it is looked for again before anybody hears that it is gone
 * - the order is arrival, unique part, base: the same in every session, and
 *   what bsearch finds a file's message by
 * - names live in one arena; a message costs 24 bytes and its name
 */
#include "pop3d/maildrop.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/die.h"
#include "lib/hash.h"
#include "lib/limits.h"
#include "lib/maildir.h"

enum { UIDL_MAX = 70 }; /* RFC 1939 7 */

static const char *const sub_names[2] = { "cur", "new" };

/* What a directory entry is, in the form messages are kept and compared. */
struct key {
	uint32_t arrived;
	struct span unique, base, name;
};

/* Called for each file; sub: 0 cur, 1 new. 0, or -1 to end the scan. */
typedef int entry_fn(struct maildrop *, int sub, const struct key *,
    const struct maildir_name *);

static struct key
message_key(const struct maildrop *d, const struct message *m)
{
	const char *p = d->names.p + m->name;

	return (struct key){
		.arrived = m->arrived,
		.unique = span_of(p, m->unique_len),
		.base = span_of(p, m->base_len),
		.name = span_of(p, m->name_len),
	};
}

static int
key_cmp(const struct key *a, const struct key *b)
{
	int c;

	if (a->arrived != b->arrived)
		return a->arrived < b->arrived ? -1 : 1;
	c = span_cmp(a->unique, b->unique);
	return c != 0 ? c : span_cmp(a->base, b->base);
}

/* --- reading the directories ---------------------------------------------- */

static uint32_t
seconds32(uint64_t t)
{
	return t > UINT32_MAX ? UINT32_MAX : (uint32_t)t;
}

/*
 * A regular file with a name that can be a message's. Only what the name
 * does not tell costs a call: most entries need no stat.
 */
static bool
entry_key(int fd, const struct dirent *e, struct key *k,
    struct maildir_name *parts)
{
	struct span name = span_str(e->d_name);
	struct stat st;

	if (name.n == 0 || name.n > UINT8_MAX || name.p[0] == '.')
		return false;
	if (e->d_type != DT_REG && e->d_type != DT_UNKNOWN)
		return false;
	maildir_name_parse(name, parts);
	k->name = name;
	k->base = parts->base;
	k->unique = parts->unique;
	k->arrived = seconds32(maildir_name_time(name));
	if (e->d_type != DT_UNKNOWN && k->arrived != 0)
		return true;
	if (fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
	    !S_ISREG(st.st_mode))
		return false;
	if (k->arrived == 0 && st.st_mtime > 0)
		k->arrived = seconds32((uint64_t)st.st_mtime);
	return true;
}

static int
scan_sub(struct maildrop *d, int sub, entry_fn *fn)
{
	struct maildir_name parts;
	struct dirent *e;
	struct key k;
	DIR *dir = NULL;
	int fd, saved, rc = -1;

	fd = openat(d->dir_fd, sub_names[sub],
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return errno == ENOENT ? 0 : -1;
	dir = fdopendir(fd);
	if (dir == NULL) {
		fd_close(&fd);
		return -1;
	}
	for (;;) {
		errno = 0;
		e = readdir(dir);
		if (e == NULL)
			break;
		if (!entry_key(fd, e, &k, &parts))
			continue;
		if (fn(d, sub, &k, &parts) == -1)
			goto out;
	}
	rc = errno == 0 ? 0 : -1;
out:
	saved = errno;
	closedir(dir); /* and fd */
	errno = saved;
	return rc;
}

/*
 * new/ before cur/: a message that another program moves meanwhile is then
 * seen twice, never missed.
 */
static int
scan(struct maildrop *d, entry_fn *fn)
{
	if (scan_sub(d, 1, fn) == -1)
		return -1;
	return scan_sub(d, 0, fn);
}

/* --- the snapshot --------------------------------------------------------- */

/* Puts the name into the arena. -1: full. */
static int
message_name(struct maildrop *d, struct message *m, struct span name)
{
	size_t at = d->names.n;

	buf_span(&d->names, name);
	buf_char(&d->names, '\0');
	if (d->names.bad) {
		errno = E2BIG;
		return -1;
	}
	m->name = (uint32_t)at;
	m->name_len = (uint8_t)name.n;
	return 0;
}

static int
entry_add(struct maildrop *d, int sub, const struct key *k,
    const struct maildir_name *parts)
{
	struct message *m;

	if (d->n == MAILDIR_MESSAGES_MAX) {
		errno = E2BIG;
		return -1;
	}
	if (d->n == d->cap) {
		d->cap = d->cap == 0 ? 64 : d->cap * 2;
		d->m = xreallocarray(d->m, d->cap, sizeof(*d->m));
	}
	m = &d->m[d->n];
	*m = (struct message){ .arrived = k->arrived };
	m->base_len = (uint8_t)k->base.n;
	m->unique_len = (uint8_t)k->unique.n;
	m->flags = sub == 1 ? MSG_NEW : 0;
	if (parts->has_wsize) {
		m->size = parts->wsize;
		m->flags |= MSG_SIZED;
	}
	if (message_name(d, m, k->name) == -1)
		return -1;
	d->n++;
	return 0;
}

static const struct maildrop *sorting; /* qsort(3) passes no context */

/* Twins by base: the one in cur/ first, as it is the later sighting. */
static int
message_cmp(const void *a, const void *b)
{
	const struct message *x = a, *y = b;
	struct key kx = message_key(sorting, x), ky = message_key(sorting, y);
	int c = key_cmp(&kx, &ky);

	return c != 0 ? c : (x->flags & MSG_NEW) - (y->flags & MSG_NEW);
}

/* Drops second sightings of one file; marks different files of one name. */
static void
sort_and_merge(struct maildrop *d)
{
	struct key prev, k;
	size_t i, n = 0;

	sorting = d;
	if (d->n > 1)
		qsort(d->m, d->n, sizeof(*d->m), message_cmp);
	for (i = 0; i < d->n; i++) {
		k = message_key(d, &d->m[i]);
		if (n > 0) {
			prev = message_key(d, &d->m[n - 1]);
			if (key_cmp(&prev, &k) == 0)
				continue;
			if (span_eq(prev.unique, k.unique))
				d->m[i].flags |= MSG_TWIN;
		}
		d->m[n++] = d->m[i];
	}
	d->n = n;
}

int
maildrop_init(struct maildrop *d, int dir_fd)
{
	int i;

	*d = (struct maildrop){ .dir_fd = dir_fd, .sub_fd = { -1, -1 } };
	buf_init(&d->names, (size_t)MAILDIR_MESSAGES_MAX * (UINT8_MAX + 1));
	for (i = 0; i < 2; i++) {
		d->sub_fd[i] = openat(dir_fd, sub_names[i],
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (d->sub_fd[i] == -1 && errno != ENOENT)
			return -1;
	}
	if (scan(d, entry_add) == -1)
		return -1;
	sort_and_merge(d);
	return 0;
}

void
maildrop_fini(struct maildrop *d)
{
	free(d->m);
	d->m = NULL;
	d->n = d->cap = 0;
	buf_fini(&d->names);
	fd_close(&d->sub_fd[0]);
	fd_close(&d->sub_fd[1]);
}

bool
message_is_there(const struct message *m)
{
	return (m->flags & (MSG_DELETED | MSG_GONE)) == 0;
}

/* --- finding a message again ---------------------------------------------- */

static struct message *
message_find(struct maildrop *d, const struct key *k)
{
	size_t lo = 0, hi = d->n, mid;
	struct key at;
	int c;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		at = message_key(d, &d->m[mid]);
		c = key_cmp(k, &at);
		if (c == 0)
			return &d->m[mid];
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

/* Notes where a known message is now; others arrived later: not for us. */
static int
entry_refresh(struct maildrop *d, int sub, const struct key *k,
    const struct maildir_name *parts)
{
	struct message *m = message_find(d, k);

	(void)parts;
	if (m == NULL)
		return 0;
	m->flags = (uint8_t)((m->flags & ~MSG_NEW) | MSG_SEEN);
	if (sub == 1)
		m->flags |= MSG_NEW;
	if (span_eq(message_key(d, m).name, k->name))
		return 0;
	if (k->name.n > m->name_len)
		return message_name(d, m, k->name);
	memcpy(d->names.p + m->name, k->name.p, k->name.n);
	d->names.p[m->name + k->name.n] = '\0';
	m->name_len = (uint8_t)k->name.n;
	return 0;
}

/*
 * Looks where everything is now. A file that is renamed inside a directory
 * while that is read may be missed, so only what two readings miss is gone.
 */
static int
maildrop_refresh(struct maildrop *d, const struct message *wanted)
{
	size_t i;
	int turn;

	for (i = 0; i < d->n; i++)
		d->m[i].flags &= (uint8_t)~MSG_SEEN;
	for (turn = 0; turn < 2; turn++) {
		if (scan(d, entry_refresh) == -1)
			return -1;
		if (wanted->flags & MSG_SEEN)
			return 0;
	}
	for (i = 0; i < d->n; i++)
		if ((d->m[i].flags & MSG_SEEN) == 0)
			d->m[i].flags |= MSG_GONE;
	errno = ENOENT;
	return -1;
}

/* Does it to the message's file, wherever that is now. -1 and errno. */
static int
message_do(struct maildrop *d, struct message *m,
    int (*fn)(int dir_fd, const char *name))
{
	int turn, rc;

	for (turn = 0; turn < 4; turn++) {
		if (m->flags & MSG_GONE)
			break;
		rc = fn(d->sub_fd[m->flags & MSG_NEW ? 1 : 0],
		    d->names.p + m->name);
		if (rc != -1 || errno != ENOENT)
			return rc;
		if (maildrop_refresh(d, m) == -1)
			return -1;
	}
	errno = ENOENT; /* gone, or somebody is faster than we, four times */
	return -1;
}

static int
do_open(int dir_fd, const char *name)
{
	return openat(dir_fd, name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

static int
do_unlink(int dir_fd, const char *name)
{
	return unlinkat(dir_fd, name, 0);
}

int
maildrop_open(struct maildrop *d, struct message *m)
{
	struct stat st;
	int fd;

	fd = message_do(d, m, do_open);
	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)) {
		fd_close(&fd);
		errno = EINVAL;
	}
	return fd;
}

int
maildrop_remove(struct maildrop *d, struct message *m)
{
	if (message_do(d, m, do_unlink) == 0 || errno == ENOENT)
		return 0;
	return -1;
}

/* --- sizes and unique-ids ------------------------------------------------- */

/*
 * As lib/smtp_data.c will send it: each LF as CR LF, no other CR, the last
 * line ended, dots not stuffed (RFC 1939 11).
 */
static uint64_t
wire_size(const char *p, size_t n, char *last)
{
	uint64_t size = n;
	size_t i;

	for (i = 0; i < n; i++) {
		size += p[i] == '\n';
		size -= p[i] == '\r';
		if (p[i] != '\r')
			*last = p[i];
	}
	return size;
}

int
maildrop_size(struct maildrop *d, struct message *m)
{
	static char chunk[64 * 1024];
	uint64_t size = 0;
	char last = '\n';
	ssize_t n;
	int fd, rc = -1;

	if (m->flags & MSG_SIZED)
		return 0;
	fd = maildrop_open(d, m);
	if (fd == -1)
		return -1;
	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		size += wire_size(chunk, (size_t)n, &last);
	if (n == -1)
		goto out;
	m->size = last == '\n' ? size : size + 2;
	m->flags |= MSG_SIZED;
	rc = 0;
out:
	fd_close(&fd);
	return rc;
}

static bool
uidl_fits(struct span s)
{
	size_t i;

	if (s.n == 0 || s.n > UIDL_MAX)
		return false;
	for (i = 0; i < s.n; i++)
		if (s.p[i] < 0x21 || s.p[i] > 0x7e)
			return false;
	return true;
}

/*
 * The unique part of the file name: it stays when the message is moved or
 * flagged, and delivery never uses it twice. Where it cannot serve, a hash
 * of the base does.
 */
struct span
maildrop_name(const struct maildrop *d, const struct message *m)
{
	return span_of(d->names.p + m->name, m->name_len);
}

void
maildrop_uidl(const struct maildrop *d, const struct message *m,
    struct buf *out)
{
	struct key k = message_key(d, m);

	if (uidl_fits(k.unique) && (m->flags & MSG_TWIN) == 0) {
		buf_span(out, k.unique);
		return;
	}
	buf_hex(out, hash_plain64(k.base, 0), 16);
	buf_hex(out, hash_plain64(k.base, 1), 16);
}
