/*
 * mailbox_new: messages that this session adds: APPEND, COPY, MOVE.
 *
 * A file's bytes are synced before it gets its place in cur/; then the log
 * tells of it, and cur/ and the log are synced together (one commit of the
 * file system's journal serves both) before the client hears the uid. If
 * anything fails on the way all files that were put are removed again; rows
 * that the log has of them go with the next look at cur/.
 */
#include "lib/mailbox_impl.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/die.h"
#include "lib/ipc.h"
#include "lib/limits.h"
#include "lib/maildir.h"
#include "lib/os_file.h"

/* Bytes in a file, and on the wire: a lone LF is CR LF there. */
struct extent {
	uint64_t size, bare;
	char last;
};

struct mailbox_new {
	struct mailbox *m;
	int fd;
	struct buf tmp;
	struct extent extent;
};

static void
extent_add(struct extent *e, struct span s)
{
	const char *p = s.p, *end = s.p + s.n, *lf;

	while (p < end &&
	    (lf = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		e->bare += (lf == s.p ? e->last : lf[-1]) != '\r';
		p = lf + 1;
	}
	if (s.n > 0)
		e->last = s.p[s.n - 1];
	e->size += s.n;
}

struct mailbox_new *
mailbox_new_begin(struct mailbox *m)
{
	struct mailbox_new *n;

	n = xcalloc(1, sizeof(*n));
	n->m = m;
	buf_init(&n->tmp, PATH_LEN_MAX);
	n->fd = index_create(m, &n->tmp);
	if (n->fd == -1) {
		int saved = errno;

		buf_fini(&n->tmp);
		free(n);
		errno = saved;
		return NULL;
	}
	return n;
}

int
mailbox_new_write(struct mailbox_new *n, struct span s)
{
	if (write_all(n->fd, s) == -1)
		return -1;
	extent_add(&n->extent, s);
	return 0;
}

static void
new_free(struct mailbox_new *n)
{
	fd_close(&n->fd);
	buf_fini(&n->tmp);
	free(n);
}

void
mailbox_new_abort(struct mailbox_new *n)
{
	int saved = errno;

	if (n == NULL)
		return;
	(void)unlinkat(n->m->dir, buf_cstr(&n->tmp), 0);
	new_free(n);
	errno = saved;
}

static int
measure(int fd, struct extent *e)
{
	enum { PIECE = 64 * 1024 };
	struct buf b;
	int rc = -1;

	*e = (struct extent){ 0 };
	buf_init(&b, PIECE);
	do {
		buf_clear(&b);
		if (read_at(fd, &b, e->size, PIECE) == -1)
			goto out;
		extent_add(e, buf_get(&b));
	} while (b.n == PIECE);
	rc = 0;
out:
	buf_fini(&b);
	return rc;
}

static void
name_sized(struct buf *b, struct span unique, uint64_t size, uint64_t wire,
    uint32_t flags)
{
	struct buf base;

	buf_init(&base, PATH_LEN_MAX);
	buf_span(&base, unique);
	buf_str(&base, ",S=");
	buf_num(&base, size);
	buf_str(&base, ",W=");
	buf_num(&base, wire);
	buf_clear(b);
	name_make(b, buf_get(&base), flags, SPAN_NONE);
	buf_fini(&base);
}

/*
 * A message whose file is in cur/ now: its line of a NEW record. bits:
 * ROW_RECENT, or 0 if this session has it as \Recent.
 */
static void
entry_put(struct mailbox *m, struct buf *b, uint32_t uid, unsigned bits,
    uint32_t flags, uint64_t keywords, int64_t date, uint64_t wire,
    struct span name)
{
	struct mailbox_log_new e = {
		.uid = uid,
		.flags = (uint16_t)(flags & MF_STORED),
		.bits = (uint16_t)bits,
		.size_known = true,
		.keywords = keywords,
		.modseq = m->t.modseq + 1,
		.size = wire,
		.date = date,
		.name = name,
	};

	mailbox_log_new_put(b, &e);
}

/* The log tells of what was put into cur/; both are durable. */
static int
publish(struct mailbox *m, struct buf *b)
{
	if (index_append(m, b, false) == 0) {
		os_writeback(m->log);
		if (fsync(m->cur) == 0 && index_sync(m) == 0)
			return 0;
	}
	m->cur_true = m->exact = false; /* it has to be looked at */
	return -1;
}

static int
commit_locked(struct mailbox_new *n, struct span name, uint32_t flags,
    uint64_t keywords, int64_t date, uint64_t wire, uint32_t *uid)
{
	const struct timespec times[2] = {
		{ .tv_nsec = UTIME_OMIT },
		{ .tv_sec = (time_t)date },
	};
	struct mailbox *m = n->m;
	char final[NAME_MAX + 1];
	unsigned bits = m->read_only ? ROW_RECENT : 0;
	uint32_t got = m->t.uidnext;
	struct buf b;
	size_t start;
	int rc = -1;

	buf_init(&b, 1024);
	if (span_copy(final, sizeof(final), name) == -1) {
		errno = ENAMETOOLONG;
		goto out;
	}
	if (got == UINT32_MAX || m->t.n >= MAILDIR_MESSAGES_MAX) {
		errno = EDQUOT;
		goto out;
	}
	state_begin(m);
	if (renameat(m->dir, buf_cstr(&n->tmp), m->cur, final) == -1)
		goto out;
	m->own++;
	/* Not before: who cleans tmp/ takes an old date for litter. */
	(void)futimens(n->fd, times);
	start = record_begin(m, &b, MLOG_NEW);
	entry_put(m, &b, got, bits, flags, keywords, date, wire, name);
	record_end(m, &b, start);
	rc = publish(m, &b);
	if (rc == -1) {
		int saved = errno;

		(void)unlinkat(m->cur, final, 0);
		m->own++;
		(void)state_end(m);
		errno = saved;
		goto out;
	}
	*uid = got;
	if (bits == 0)
		m->t.row[m->t.n - 1].m.flags |= MF_RECENT;
	(void)state_end(m);
	index_tidy(m);
out:
	buf_fini(&b);
	return rc;
}

int
mailbox_new_commit(struct mailbox_new *n, uint32_t flags, uint64_t keywords,
    int64_t date, uint32_t *uid)
{
	uint64_t wire = n->extent.size + n->extent.bare;
	struct span unique = buf_get(&n->tmp);
	struct buf name;
	int rc = -1;

	buf_init(&name, PATH_LEN_MAX);
	if (fsync(n->fd) == -1)
		goto out;
	span_take(&unique, sizeof("tmp/") - 1);
	name_sized(&name, unique, n->extent.size, wire, flags & MF_STORED);
	if (index_lock(n->m) == -1)
		goto out;
	rc = commit_locked(n, buf_get(&name), flags, keywords, date, wire,
	    uid);
	index_unlock(n->m);
out:
	buf_fini(&name);
	if (rc == -1)
		mailbox_new_abort(n);
	else
		new_free(n);
	return rc;
}

/* Copies, one by one. */
struct copies {
	struct mailbox *from, *to;
	struct buf out;   /* NEW records for to */
	struct buf names; /* terminated, of the files that were put */
	size_t put;
	bool retry;       /* a source was not where we know it */
};

static int
copy_bytes(struct mailbox *to, int in, const char *final,
    const struct stat *st)
{
	enum { PIECE = 64 * 1024 };
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, st->st_mtim };
	struct buf tmp, b;
	uint64_t at = 0;
	int fd, rc = -1;

	buf_init(&tmp, PATH_LEN_MAX);
	buf_init(&b, PIECE);
	fd = index_create(to, &tmp);
	if (fd == -1)
		goto out;
	do {
		buf_clear(&b);
		if (read_at(in, &b, at, PIECE) == -1 ||
		    write_all(fd, buf_get(&b)) == -1)
			goto fail;
		at += b.n;
	} while (b.n > 0);
	if (fsync(fd) == -1 ||
	    renameat(to->dir, buf_cstr(&tmp), to->cur, final) == -1)
		goto fail;
	(void)futimens(fd, times); /* as in commit_locked() */
	rc = 0;
	goto out;
fail:
	(void)unlinkat(to->dir, buf_cstr(&tmp), 0);
out:
	fd_close(&fd);
	buf_fini(&tmp);
	buf_fini(&b);
	return rc;
}

/* By link(2) if the file system can; its bytes are on disk already. */
static int
copy_file(struct copies *c, const struct row *r, int in,
    const struct stat *st, const char *final)
{
	const char *name = row_name(c->from, r);

	if (name != NULL &&
	    linkat(row_dir(c->from, r), name, c->to->cur, final, 0) == 0)
		return 0;
	if (name == NULL || errno == ENOENT) {
		errno = ENOENT;
		return -1;
	}
	return copy_bytes(c->to, in, final, st);
}

static int
copy_row(struct copies *c, const struct row *r, uint64_t keywords,
    uint32_t uid)
{
	struct maildir_name parts;
	uint64_t size, wire;
	struct extent extent;
	struct buf name, unique;
	struct stat st;
	int64_t date;
	int fd, rc = -1;

	buf_init(&name, PATH_LEN_MAX);
	buf_init(&unique, PATH_LEN_MAX);
	if (row_name(c->from, r) == NULL) {
		errno = ENOENT;
		goto out;
	}
	fd = openat(row_dir(c->from, r), buf_cstr(&c->from->name),
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1 || fstat(fd, &st) == -1)
		goto out;
	maildir_name_parse(buf_get(&c->from->name), &parts);
	if (r->m.size_known && parts.has_size &&
	    parts.size == (uint64_t)st.st_size) {
		size = parts.size;
		wire = r->m.size;
	} else {
		if (measure(fd, &extent) == -1)
			goto out;
		size = extent.size;
		wire = size + extent.bare;
	}
	name_unique(&unique);
	name_sized(&name, buf_get(&unique), size, wire,
	    r->m.flags & MF_STORED);
	if (copy_file(c, r, fd, &st, buf_cstr(&name)) == -1)
		goto out;
	c->to->own++;
	c->put++;
	buf_bytes(&c->names, buf_cstr(&name), name.n + 1);
	date = (r->bits & ROW_FRESH) != 0 ? (int64_t)st.st_mtim.tv_sec :
					    r->m.internaldate;
	entry_put(c->to, &c->out, uid, ROW_RECENT, r->m.flags, keywords, date,
	    wire, buf_get(&name));
	rc = 0;
out:
	fd_close(&fd);
	buf_fini(&name);
	buf_fini(&unique);
	return rc;
}

/* What was put is taken back. */
static void
copies_undo(struct copies *c)
{
	struct span rest = buf_get(&c->names), name;
	int saved = errno;

	while (rest.n > 0) {
		name = span_cut(&rest, '\0');
		(void)unlinkat(c->to->cur, name.p, 0);
		c->to->own++;
	}
	errno = saved;
}

static uint64_t
keywords_over(const uint64_t *map, uint64_t keywords)
{
	uint64_t out = 0;

	for (unsigned i = 0; i < MAILBOX_KEYWORDS_MAX; i++)
		if ((keywords >> i & 1) != 0)
			out |= map[i];
	return out;
}

static int
copies_put(struct copies *c, const uint32_t *seq, size_t n,
    const uint64_t *keyword_map, uint32_t *to_uid)
{
	struct mailbox *to = c->to;
	uint32_t uid = to->t.uidnext;
	const struct row *r;
	size_t start, i;

	if (n >= UINT32_MAX - uid || n > MAILDIR_MESSAGES_MAX ||
	    to->t.n > MAILDIR_MESSAGES_MAX - n) {
		errno = EDQUOT;
		return -1;
	}
	start = record_begin(to, &c->out, MLOG_NEW);
	for (i = 0; i < n; i++) {
		to_uid[i] = 0;
		if (seq[i] == 0 || seq[i] > c->from->count)
			continue;
		r = &c->from->t.row[seq[i] - 1];
		if (r->m.gone)
			continue;
		if (copy_row(c, r, keywords_over(keyword_map, r->m.keywords),
			uid) == -1) {
			c->retry = errno == ENOENT;
			return -1;
		}
		to_uid[i] = uid++;
		if (c->out.n - start > MAILBOX_LOG_RECORD_MAX / 2) {
			record_end(to, &c->out, start);
			start = record_begin(to, &c->out, MLOG_NEW);
		}
		if (i % 1000 == 999)
			state_drain(to);
	}
	record_end(to, &c->out, start);
	return 0;
}

/* Names of from's keywords as bits of to; what has no room is left out. */
static void
keywords_map(struct mailbox *from, struct mailbox *to, const uint32_t *seq,
    size_t n, uint64_t *map)
{
	uint64_t used = 0;
	int bit;

	for (size_t i = 0; i < n; i++)
		if (seq[i] > 0 && seq[i] <= from->count)
			used |= from->t.row[seq[i] - 1].m.keywords;
	for (unsigned i = 0; i < MAILBOX_KEYWORDS_MAX; i++) {
		map[i] = 0;
		if ((used >> i & 1) == 0 || from->t.keyword[i] == NULL)
			continue;
		bit = mailbox_keyword_bit(to,
		    span_str(from->t.keyword[i]), true);
		if (bit != -1)
			map[i] = (uint64_t)1 << bit;
	}
}

static int
copies_try(struct copies *c, const uint32_t *seq, size_t n, uint32_t *to_uid)
{
	uint64_t map[MAILBOX_KEYWORDS_MAX];
	int rc = -1;

	c->retry = false;
	if (index_catch_up(c->from) == -1)
		return -1;
	keywords_map(c->from, c->to, seq, n, map);
	if (index_lock(c->to) == -1)
		return -1;
	state_begin(c->to);
	if (copies_put(c, seq, n, map, to_uid) == -1 ||
	    (c->put > 0 && publish(c->to, &c->out) == -1))
		copies_undo(c);
	else
		rc = 0;
	if (c->to->own > 0)
		(void)state_end(c->to);
	if (rc == 0)
		index_tidy(c->to);
	index_unlock(c->to);
	return rc;
}

int
mailbox_copy(struct mailbox *from, const uint32_t *seq, size_t n,
    struct mailbox *to, bool move, uint32_t *from_uid, uint32_t *to_uid)
{
	struct copies c = { .from = from, .to = to };
	int rc = -1;

	if ((to->read_only && !to->adds) || (move && from->read_only)) {
		errno = EROFS;
		return -1;
	}
	buf_init(&c.out, MAILBOX_LOG_MAX);
	buf_init(&c.names, MAILBOX_LOG_MAX);
	for (unsigned try = 0; try < 3 && rc == -1; try++) {
		/* from's lock is never held together with to's. */
		if (try > 0 && refresh(from, DUE_CUR | DUE_NEW) == -1)
			break;
		buf_clear(&c.out);
		buf_clear(&c.names);
		c.put = 0;
		rc = copies_try(&c, seq, n, to_uid);
		if (!c.retry)
			break;
	}
	for (size_t i = 0; rc == 0 && i < n; i++)
		from_uid[i] = to_uid[i] == 0 ? 0 :
					       from->t.row[seq[i] - 1].m.uid;
	if (rc == 0 && move)
		rc = rows_remove(from, seq, n, 0);
	buf_fini(&c.out);
	buf_fini(&c.names);
	return rc;
}
