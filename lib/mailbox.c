/*
 * mailbox: opening, closing, what is in the view, and the files behind it.
 *
 * An unchanged folder costs: three directories opened, the log opened, the
 * map and the log's tail read, two fstat(2), a watch. cur/ is not listed
 * (lib/mailbox_state.c).
 */
#include "lib/mailbox_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/chars.h"
#include "lib/die.h"
#include "lib/ipc.h"
#include "lib/limits.h"
#include "lib/maildir.h"

enum { OPEN_DIR = O_RDONLY | O_DIRECTORY | O_CLOEXEC };

static int
open_subdir(struct mailbox *m, const char *name)
{
	int fd = openat(m->dir, name, OPEN_DIR | O_NOFOLLOW);

	if (fd == -1 && errno == ENOENT && maildir_make(m->dir, "", false) == 0)
		fd = openat(m->dir, name, OPEN_DIR | O_NOFOLLOW);
	return fd;
}

static struct mailbox *
open_any(int dirfd, bool read_only, bool watched)
{
	static const char *const names[] = { LOG_NAME, "cur", "new" };
	struct mailbox *m = xcalloc(1, sizeof(*m));

	m->dir = dirfd;
	m->read_only = read_only;
	m->cur = m->new = m->log = -1;
	table_init(&m->t);
	buf_init(&m->name, PATH_LEN_MAX);
	buf_init(&m->stored, PATH_LEN_MAX);
	m->cur = open_subdir(m, "cur");
	m->new = open_subdir(m, "new");
	if (m->cur == -1 || m->new == -1 || index_open(m) == -1)
		goto fail;
	if (watched)
		m->watch = os_watch_new(m->dir, names, nitems(names));
	if (refresh(m, 0) == -1)
		goto fail;
	(void)sync_learn(m);
	m->t.keywords_added = 0;
	return m;
fail:
	m->dir = watched ? m->dir : -1;
	mailbox_close(m);
	return NULL;
}

struct mailbox *
mailbox_open(int dirfd, bool read_only)
{
	return open_any(dirfd, read_only, true);
}

struct mailbox *
mailbox_open_target(int dirfd)
{
	struct mailbox *m = open_any(dirfd, true, true);

	if (m != NULL)
		m->adds = true;
	return m;
}

bool
mailbox_is(const struct mailbox *m, int dirfd)
{
	struct stat ours, st;

	return fstat(m->dir, &ours) == 0 && fstat(dirfd, &st) == 0 &&
	    ours.st_dev == st.st_dev && ours.st_ino == st.st_ino;
}

/*
 * What this session changed lately is a young state, which the next open
 * would have to verify by listing. In a large folder it is cheaper to wait
 * for the tick to end.
 */
static void
settle(struct mailbox *m)
{
	enum { WORTH_IT = 500, TRIES = 4, WAIT = 5 * 1000 * 1000 /* ns */ };
	const struct timespec wait = { 0, WAIT };
	struct mailbox_state now;

	if (m->watch == NULL || m->log == -1 || index_catch_up(m) == -1 ||
	    m->t.cur.kind != STATE_YOUNG)
		return;
	for (unsigned i = 0; i < TRIES; i++) {
		now = state_of(m->cur);
		if (!state_same(&now, &m->t.cur))
			return;
		if (now.kind == STATE_SETTLED) {
			(void)refresh(m, 0);
			return;
		}
		if (m->t.n < WORTH_IT || m->adds)
			return;
		(void)nanosleep(&wait, NULL);
	}
}

void
mailbox_close(struct mailbox *m)
{
	int saved = errno;

	if (m == NULL)
		return;
	if (m->count > 0) {
		look_keep(m);
		settle(m);
	}
	cache_close(m);
	os_watch_free(m->watch);
	fd_close(&m->log);
	fd_close(&m->cur);
	fd_close(&m->new);
	fd_close(&m->dir);
	table_fini(&m->t);
	buf_fini(&m->name);
	buf_fini(&m->stored);
	free(m);
	errno = saved;
}

uint32_t
mailbox_uidvalidity(const struct mailbox *m)
{
	return m->t.uidvalidity;
}

uint32_t
mailbox_uidnext(const struct mailbox *m)
{
	return m->t.uidnext;
}

uint64_t
mailbox_modseq(const struct mailbox *m)
{
	return m->t.modseq;
}

uint32_t
mailbox_count(const struct mailbox *m)
{
	return m->count;
}

uint32_t
mailbox_recent(const struct mailbox *m)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < m->count; i++)
		n += (m->t.row[i].m.flags & MF_RECENT) != 0;
	return n;
}

const struct mailbox_msg *
mailbox_msg(const struct mailbox *m, uint32_t seq)
{
	return seq == 0 || seq > m->count ? NULL : &m->t.row[seq - 1].m;
}

uint32_t
mailbox_seq_from(const struct mailbox *m, uint32_t uid)
{
	uint32_t i = table_from(&m->t, uid);

	return (i < m->count ? i : m->count) + 1;
}

const char *
mailbox_keyword(const struct mailbox *m, unsigned bit)
{
	if (bit >= MAILBOX_KEYWORDS_MAX || m->t.keyword[bit] == NULL)
		return "";
	return m->t.keyword[bit];
}

static int
keyword_find(const struct mailbox *m, struct span name)
{
	for (unsigned i = 0; i < MAILBOX_KEYWORDS_MAX; i++)
		if (m->t.keyword[i] != NULL &&
		    span_ieq(span_str(m->t.keyword[i]), name))
			return (int)i;
	return -1;
}

/* Under the lock, so that two sessions do not take one bit. */
static int
keyword_make(struct mailbox *m, struct span name)
{
	unsigned added = m->t.keywords_added;
	struct buf b;
	size_t start;
	int bit;

	bit = keyword_find(m, name);
	if (bit != -1)
		return bit;
	for (bit = 0; bit < MAILBOX_KEYWORDS_MAX; bit++)
		if (m->t.keyword[bit] == NULL)
			break;
	if (bit == MAILBOX_KEYWORDS_MAX) {
		errno = ENOSPC;
		return -1;
	}
	buf_init(&b, 512);
	start = record_begin(m, &b, MLOG_KEYWORD);
	put_u8(&b, (uint8_t)bit);
	buf_span(&b, name);
	record_end(m, &b, start);
	if (index_append(m, &b, false) == -1)
		bit = -1;
	m->t.keywords_added = added + 1;
	buf_fini(&b);
	return bit;
}

int
mailbox_keyword_bit(struct mailbox *m, struct span name, bool make)
{
	int bit = keyword_find(m, name);

	/* One that another session has just made is one. */
	if (bit == -1 && index_catch_up(m) == 0)
		bit = keyword_find(m, name);
	if (bit != -1 || !make)
		return bit;
	if (!keyword_ok(name) || (m->read_only && !m->adds)) {
		errno = m->read_only && !m->adds ? EROFS : EINVAL;
		return -1;
	}
	if (index_lock(m) == -1)
		return -1;
	bit = keyword_make(m, name);
	index_unlock(m);
	return bit;
}

int
row_dir(const struct mailbox *m, const struct row *r)
{
	return (r->bits & ROW_IN_NEW) != 0 ? m->new : m->cur;
}

const char *
row_name(struct mailbox *m, const struct row *r)
{
	struct maildir_name parts;

	if (row_stored_name(m, r, &m->stored) == -1)
		return NULL;
	buf_clear(&m->name);
	if ((r->bits & ROW_RENAMED) == 0 || (r->bits & ROW_IN_NEW) != 0) {
		buf_span(&m->name, buf_get(&m->stored));
	} else {
		maildir_name_parse(buf_get(&m->stored), &parts);
		name_make(&m->name, parts.base, r->m.flags & MF_STORED,
		    parts.flags);
	}
	return buf_cstr(&m->name);
}

struct span
mailbox_name(struct mailbox *m, uint32_t seq)
{
	if (seq == 0 || seq > m->count ||
	    row_stored_name(m, &m->t.row[seq - 1], &m->stored) == -1)
		return SPAN_NONE;
	return buf_get(&m->stored);
}

/* -1 and ENOENT: not under the name that we know. */
static int
row_open(struct mailbox *m, const struct row *r)
{
	const char *name = row_name(m, r);
	struct stat st;
	int fd;

	if (name == NULL) {
		errno = ENOENT;
		return -1;
	}
	fd = openat(row_dir(m, r), name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd != -1 && (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode))) {
		fd_close(&fd);
		errno = EIO;
	}
	return fd;
}

int
mailbox_file(struct mailbox *m, uint32_t seq)
{
	const struct row *r;
	int fd;

	if (seq == 0 || seq > m->count) {
		errno = EINVAL;
		return -1;
	}
	/* As known; as the others' log has it; as the directories have it. */
	for (unsigned try = 0; try < 3; try++) {
		if (try == 1 && index_catch_up(m) == -1)
			return -1;
		if (try == 2 && refresh(m, DUE_CUR | DUE_NEW) == -1)
			return -1;
		r = &m->t.row[seq - 1];
		fd = row_open(m, r);
		if (fd != -1 || errno != ENOENT)
			return fd;
		if (r->m.gone)
			break;
	}
	errno = ENOENT;
	return -1;
}

int
mailbox_watch_fd(struct mailbox *m)
{
	return m->watch == NULL ? -1 : os_watch_fd(m->watch);
}

int
mailbox_status(int dirfd, struct mailbox_status *out)
{
	struct mailbox_status s = { 0 };
	const struct row *r;
	struct mailbox *m;

	m = open_any(dirfd, true, false);
	if (m == NULL)
		return -1;
	s.uidnext = m->t.uidnext;
	s.uidvalidity = m->t.uidvalidity;
	s.modseq = m->t.modseq;
	s.messages = m->count;
	for (uint32_t i = 0; i < m->count; i++) {
		r = &m->t.row[i];
		s.recent += (r->m.flags & MF_RECENT) != 0;
		s.unseen += (r->m.flags & MF_SEEN) == 0;
		s.deleted += (r->m.flags & MF_DELETED) != 0;
		s.size += r->m.size;
	}
	m->dir = -1; /* the caller's */
	mailbox_close(m);
	*out = s;
	return 0;
}
