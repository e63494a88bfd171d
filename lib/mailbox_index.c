/*
 * mailbox_index: the log as a file: opened, locked, followed, appended to.
 *
 * - readers take no lock: they stop at a record that is not whole yet
 * - under the lock such a record is damage, of a crash or a disk: what comes
 *   after it is looked for, UIDNEXT moves past every uid that can have been
 *   lost, and the log is written anew
 * - a log is replaced by rename only, so a descriptor is a whole log for as
 *   long as it is open; that it was replaced shows in its number of links
 * - a log by itself holds everything; the map only saves reading it
 * - no uid is told before the log is durable up to it: who has read a NEW
 *   record that is beyond t.synced syncs it himself, since its writer may
 *   have been killed (promise_due())
 */
#include "lib/mailbox_impl.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/die.h"
#include "lib/hash.h"
#include "lib/ipc.h"
#include "lib/limits.h"
#include "lib/lock.h"
#include "lib/log.h"
#include "lib/maildir.h"
#include "lib/os_file.h"

enum {
	READ_PIECE = 1024 * 1024, /* and more if a record is larger */
	OPEN_LOG = O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
	OPEN_TMP = O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC |
	    O_NOFOLLOW,
};

void
index_complain(const char *what, const char *why)
{
	log_begin(LL_WARN, "index");
	log_str("what", what);
	log_str("why", why);
	log_end();
}

int
write_all(int fd, struct span s)
{
	ssize_t n;

	while (s.n > 0) {
		n = write(fd, s.p, s.n);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		span_take(&s, (size_t)n);
	}
	return 0;
}

int
read_at(int fd, struct buf *b, uint64_t at, size_t n)
{
	ssize_t got;
	char *p;

	while (n > 0) {
		p = buf_room(b, n);
		if (p == NULL) {
			errno = EFBIG;
			return -1;
		}
		got = pread(fd, p, n, (off_t)at);
		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1)
			return -1;
		if (got == 0)
			return 0;
		buf_grew(b, (size_t)got);
		at += (uint64_t)got;
		n -= (size_t)got;
	}
	return 0;
}

size_t
record_begin(struct mailbox *m, struct buf *b, enum mailbox_log_type type)
{
	return mailbox_log_begin(b, type, m->t.uidnext, m->t.modseq + 1);
}

void
record_end(struct mailbox *m, struct buf *b, size_t start)
{
	mailbox_log_end(b, start, m->id, m->at);
}

void
record_uid(struct mailbox *m, struct mailbox_ranges *ranges,
    enum mailbox_log_type type, size_t *start, uint32_t uid)
{
	mailbox_ranges_add(ranges, uid);
	if (ranges->out->n - *start <= MAILBOX_LOG_RECORD_MAX / 2)
		return;
	mailbox_ranges_end(ranges);
	record_end(m, ranges->out, *start);
	*start = record_begin(m, ranges->out, type);
}

/* All whole records in `in`, which begins at m->at. -1: one made no sense. */
static int
follow(struct mailbox *m, struct span in)
{
	struct mailbox_log_record r;

	while (mailbox_log_take(&in, &m->at, m->id, &r) == 0)
		if (table_apply(&m->t, &r, r.payload_at) == -1)
			return -1;
	return 0;
}

int
index_read(struct mailbox *m, uint64_t *rest, bool *damaged)
{
	uint64_t before;
	struct stat st;
	struct buf b;
	int rc = -1;

	buf_init(&b, READ_PIECE);
	do {
		before = m->at;
		if (fstat(m->log, &st) == -1)
			goto out;
		*rest = (uint64_t)st.st_size > m->at ?
		    (uint64_t)st.st_size - m->at : 0;
		if (*rest == 0)
			break;
		buf_clear(&b);
		if (read_at(m->log, &b, m->at,
			*rest < READ_PIECE ? (size_t)*rest : READ_PIECE) == -1)
			goto out;
		if (follow(m, buf_get(&b)) == -1)
			*damaged = true;
	} while (m->at > before);
	rc = 0;
out:
	buf_fini(&b);
	return rc;
}

/*
 * What comes after a damaged place. UIDNEXT first moves past every uid that
 * the damaged bytes can have given out.
 */
static int
read_past_damage(struct mailbox *m)
{
	struct buf b;
	struct span in;
	uint64_t lost, at;
	struct stat st;
	int rc = -1;

	buf_init(&b, MAILBOX_LOG_MAX);
	if (fstat(m->log, &st) == -1 ||
	    read_at(m->log, &b, m->at, (size_t)((uint64_t)st.st_size - m->at)) ==
		-1)
		goto out;
	in = buf_get(&b);
	while (in.n > 0) {
		at = m->at;
		(void)mailbox_log_resync(&in, &m->at, m->id);
		lost = (m->at - at) / MAILBOX_LOG_NEW_MIN + 1;
		if (m->t.uidnext < UINT32_MAX - lost)
			m->t.uidnext += (uint32_t)lost;
		at = m->at;
		(void)follow(m, in);
		span_take(&in, (size_t)(m->at - at));
	}
	rc = 0;
out:
	buf_fini(&b);
	return rc;
}

int
index_create(struct mailbox *m, struct buf *tmp)
{
	buf_clear(tmp);
	buf_str(tmp, "tmp/");
	name_unique(tmp);
	if (buf_cstr(tmp) == NULL) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return openat(m->dir, buf_cstr(tmp), OPEN_TMP, 0600);
}

int
index_publish(struct mailbox *m, struct buf *tmp, const char *name, bool first)
{
	int rc;

	rc = first ? os_rename_new(m->dir, buf_cstr(tmp), m->dir, name) :
		     renameat(m->dir, buf_cstr(tmp), m->dir, name);
	if (rc == -1) {
		int saved = errno;

		(void)unlinkat(m->dir, buf_cstr(tmp), 0);
		errno = saved;
	}
	return rc;
}

/*
 * Reads the head of an open log. 0; 1: it is none. Its first record belongs
 * to it: without that a log that was emptied would look like a new one.
 */
static int
log_head(int fd, struct mailbox_log_head *head)
{
	enum { ENOUGH = MAILBOX_LOG_HEAD + MAILBOX_LOG_FRAME };
	struct mailbox_log_record first;
	uint64_t at = MAILBOX_LOG_HEAD;
	struct span in;
	struct buf b;
	int rc;

	buf_init(&b, ENOUGH);
	rc = read_at(fd, &b, 0, ENOUGH);
	in = buf_get(&b);
	if (rc == 0 && mailbox_log_head_decode(in, head) == -1)
		rc = 1;
	span_take(&in, MAILBOX_LOG_HEAD);
	if (rc == 0 && mailbox_log_take(&in, &at, head->id, &first) == -1)
		rc = 1;
	buf_fini(&b);
	return rc;
}

/*
 * The table as the log has it, on top of the map. The client's rows stay
 * where they are: see merge().
 */
static int
load(struct mailbox *m, const struct mailbox_log_head *head)
{
	bool damaged = false;
	struct stat st;
	uint64_t rest;

	if (fstat(m->log, &st) == -1)
		return -1;
	table_init(&m->t);
	m->id = head->id;
	m->t.uidvalidity = head->uidvalidity;
	if (map_load(m, (uint64_t)st.st_size) == -1) {
		table_fini(&m->t);
		m->t.uidvalidity = head->uidvalidity;
		m->at = MAILBOX_LOG_HEAD;
		m->map_at = 0;
	}
	m->exact = false;
	if (index_read(m, &rest, &damaged) == -1)
		return -1;
	return 0;
}

/*
 * Old rows that the client knows keep their places; those that the new table
 * does not have are gone. -1: the new one has others between them.
 */
static int
merge(struct mailbox *m, const struct table *old)
{
	struct table out = m->t;
	struct row *r;
	const struct row *was;
	uint32_t i, k = 0;

	table_compact(&m->t, 0);
	if (m->count == 0) /* an open: nobody knows any yet */
		return 0;
	out.row = NULL;
	out.n = out.cap = 0;
	for (i = 0; i < m->count; i++) {
		was = &old->row[i];
		r = table_add(&out);
		if (k < m->t.n && m->t.row[k].m.uid < was->m.uid) {
			free(out.row);
			errno = ESTALE;
			return -1;
		}
		if (k == m->t.n || m->t.row[k].m.uid != was->m.uid) {
			*r = *was;
			r->m.gone = true;
			continue;
		}
		*r = m->t.row[k++];
		if ((was->m.flags & MF_STORED) != r->m.flags ||
		    was->m.keywords != r->m.keywords)
			r->bits |= ROW_CHANGED;
		r->bits |= was->bits & ROW_CHANGED;
		r->m.flags |= was->m.flags & MF_RECENT;
	}
	for (; k < m->t.n; k++)
		*table_add(&out) = m->t.row[k];
	free(m->t.row);
	m->t = out;
	m->t.keywords_added = 1;
	return 0;
}

/* The log under the name, if it is another one than ours (or ours is none). */
static int
adopt(struct mailbox *m)
{
	struct mailbox_log_head head = { 0 };
	struct table old = m->t;
	struct stat st;
	int fd, rc;

	fd = openat(m->dir, LOG_NAME, OPEN_LOG);
	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)) {
		fd_close(&fd);
		errno = EIO;
		return -1;
	}
	rc = log_head(fd, &head);
	if (rc == 0 && old.uidvalidity != 0 &&
	    head.uidvalidity != old.uidvalidity) {
		errno = ESTALE; /* another folder by the same name */
		rc = -1;
	}
	if (rc == -1) {
		fd_close(&fd);
		return -1;
	}
	fd_close(&m->log);
	m->log = fd;
	if (rc == 1)
		return 1;
	if (load(m, &head) == -1 || merge(m, &old) == -1) {
		table_fini(&m->t);
		m->t = old;
		m->id = 0;
		fd_close(&m->log);
		return -1;
	}
	table_fini(&old);
	if (m->watch != NULL)
		os_watch_again(m->watch, m->dir, 0);
	return 0;
}

int
index_catch_up(struct mailbox *m)
{
	bool damaged = false;
	uint64_t rest;
	struct stat st;

	if (m->log == -1)
		st = (struct stat){ 0 };
	else if (fstat(m->log, &st) == -1)
		return -1;
	if (st.st_nlink == 0 || (uint64_t)st.st_size < m->at) {
		if (index_lock(m) == -1)
			return -1;
		index_unlock(m);
		return 0;
	}
	if ((uint64_t)st.st_size == m->at)
		return 0;
	return index_read(m, &rest, &damaged);
}

/*
 * A lock on the file that has the name; its size. 1: it has no head that
 * makes sense.
 */
static int
lock_current(struct mailbox *m, uint64_t *size)
{
	bool replaced = m->log == -1;
	struct stat st;
	int rc;

	for (;;) {
		rc = replaced ? adopt(m) : 0;
		if (rc == -1 && errno == ENOENT) {
			if (index_rebuild(m, true) == 0) {
				*size = m->at;
				return 0; /* made under its lock */
			}
			if (errno != EEXIST)
				return -1;
			continue;
		}
		if (rc == -1 || lock_wait(m->log, MAILBOX_LOCK_MS) == -1)
			return -1;
		replaced = fstat(m->log, &st) == -1 || st.st_nlink == 0;
		if (!replaced) {
			*size = (uint64_t)st.st_size;
			return rc;
		}
	}
}

/*
 * Under the lock: is the file that we hold, of this size, what we have read
 * so far?
 */
static int
settle_log(struct mailbox *m, uint64_t size)
{
	struct mailbox_log_head head = { 0 };
	bool damaged = false;
	uint64_t rest = 0;
	int rc;

	m->torn = false;
	rc = log_head(m->log, &head);
	if (rc == -1)
		return -1;
	if (rc == 1 || (m->id != 0 && head.id != m->id) || size < m->at) {
		index_complain("log", "it is damaged or was cut short");
		return index_rebuild(m, false);
	}
	if (size > m->at && index_read(m, &rest, &damaged) == -1)
		return -1;
	if (rest == 0 && !damaged)
		return 0;
	index_complain("log", "its end is damaged; it is written anew");
	if (rest > 0 && read_past_damage(m) == -1)
		return -1;
	return index_rotate(m);
}

int
index_lock(struct mailbox *m)
{
	uint64_t size;

	assert(!m->locked);
	if (lock_current(m, &size) == -1)
		return -1;
	m->locked = true;
	if (settle_log(m, size) == -1) {
		index_unlock(m);
		return -1;
	}
	return 0;
}

void
index_unlock(struct mailbox *m)
{
	int saved = errno;

	assert(m->locked);
	m->locked = false;
	(void)flock(m->log, LOCK_UN);
	errno = saved;
}

int
index_open(struct mailbox *m)
{
	int rc;

	rc = adopt(m);
	if (rc == 0)
		return 0;
	if (rc == -1 && errno != ENOENT)
		return -1;
	/* None, or one that is damaged: the lock's business. */
	if (index_lock(m) == -1)
		return -1;
	index_unlock(m);
	return 0;
}

int
index_sync(struct mailbox *m)
{
	/* A new log's name is not durable yet, nor was there reason to. */
	if (fdatasync(m->log) == -1 ||
	    (m->t.synced == 0 && fsync(m->dir) == -1))
		return -1;
	m->t.synced = m->at;
	return 0;
}

int
index_append(struct mailbox *m, struct buf *b, bool durable)
{
	uint64_t before = m->at;

	assert(m->locked);
	if (b->bad || m->torn) {
		errno = b->bad ? EFBIG : EIO;
		return -1;
	}
	if (b->n == 0)
		return 0;
	if (write_all(m->log, buf_get(b)) == -1) {
		m->torn = true; /* damage; who locks next will see */
		return -1;
	}
	if (follow(m, buf_get(b)) == -1 || m->at != before + b->n)
		die("a record of ours makes no sense");
	buf_clear(b);
	return durable ? index_sync(m) : 0;
}

/*
 * The row may be older than this log (it is gone, the client was not told
 * yet), and another message's name stand there now: only its own is taken.
 */
int
row_stored_name(struct mailbox *m, const struct row *r, struct buf *out)
{
	char bytes[MAILBOX_LOG_NAME_MAX];
	struct maildir_name parts;
	struct span in, name;
	ssize_t n;

	if (r->name_at == 0)
		goto lost;
	do
		n = pread(m->log, bytes, sizeof(bytes), (off_t)r->name_at);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return -1;
	in = span_of(bytes, (size_t)n);
	if (mailbox_log_name_get(&in, &name) == -1 || name.p[0] == '\0')
		goto lost;
	maildir_name_parse(name, &parts);
	if (name_hash(parts.base) != r->hash)
		goto lost;
	buf_clear(out);
	buf_span(out, name);
	return out->bad ? -1 : 0;
lost:
	errno = ENOENT;
	return -1;
}
