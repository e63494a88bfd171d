/*
 * mailbox_scan: what cur/ and new/ really hold, brought into the log. Other
 * programs may rename, remove and add files while they are listed.
 *
 * - new/ is listed before cur/: a message that moves meanwhile is met
 * - a listing may miss a file that is renamed under it. So a row whose file
 *   was not met is gone only if a second listing does not meet it either
 * - two files with one base: the row's is that under the name we know. If
 *   the other is another file, it gets a name and a uid of its own (in a
 *   session that may write); else it was met before and after a rename
 * - what is found that no row has is lib/mailbox_found.c's
 */
#include "lib/mailbox_scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/die.h"
#include "lib/ipc.h"
#include "lib/limits.h"
#include "lib/log.h"
#include "lib/maildir.h"
#include "lib/os_file.h"

static void
scan_init(struct scan *s, struct mailbox *m)
{
	size_t size = 64, i, at;

	*s = (struct scan){ .m = m };
	buf_init(&s->out, MAILBOX_LOG_MAX);
	buf_init(&s->names, (size_t)MAILDIR_MESSAGES_MAX * (NAME_MAX + 1));
	while (size < (size_t)m->t.n * 2)
		size *= 2;
	s->mask = size - 1;
	s->slot = xcalloc(size, sizeof(*s->slot));
	for (i = 0; i < m->t.n; i++) {
		m->t.row[i].bits &= (uint16_t)~ROW_FOUND;
		if (m->t.row[i].m.gone)
			continue;
		at = (size_t)m->t.row[i].hash & s->mask;
		while (s->slot[at] != 0)
			at = (at + 1) & s->mask;
		s->slot[at] = (uint32_t)i + 1;
	}
}

static void
scan_fini(struct scan *s)
{
	free(s->found);
	free(s->slot);
	buf_fini(&s->names);
	buf_fini(&s->out);
}

struct row *
scan_row(const struct scan *s, uint64_t hash)
{
	size_t at = (size_t)hash & s->mask;
	struct row *r;

	for (; s->slot[at] != 0; at = (at + 1) & s->mask) {
		r = &s->m->t.row[s->slot[at] - 1];
		if (r->hash == hash)
			return r;
	}
	return NULL;
}

/* The file's name is not what the log says: it learns it. */
static void
name_record(struct scan *s, const struct row *r, const char *name, bool in_new)
{
	size_t start = record_begin(s->m, &s->out, MLOG_NAME);

	put_u32(&s->out, r->m.uid);
	put_u8(&s->out, in_new ? ROW_IN_NEW : 0);
	mailbox_log_name_put(&s->out, span_str(name));
	record_end(s->m, &s->out, start);
}

static bool
row_has_name(struct scan *s, const struct row *r, struct span name,
    struct span letters, bool in_new)
{

	if (((r->bits & ROW_IN_NEW) != 0) != in_new)
		return false;
	/* The usual form needs no look at the log. */
	if ((r->bits & ROW_ODD) == 0 && !in_new &&
	    name_flags(letters) == (r->m.flags & MF_STORED) &&
	    !name_odd(name, r->m.flags & MF_STORED))
		return true;
	return row_name(s->m, r) != NULL &&
	    span_eq(buf_get(&s->m->name), name);
}

/*
 * A file under the name that its row has is that row's. Others that no row
 * has, or not under this name, wait until all names were met.
 */
static void
met(struct scan *s, struct span name, unsigned bits)
{
	struct span base, flags;
	uint64_t hash;
	struct row *r;

	maildir_name_split(name, &base, &flags);
	hash = name_hash(base);
	r = scan_row(s, hash);
	if (r == NULL) {
		if (!s->confirm)
			found_add(s, name, hash, bits);
	} else if (row_has_name(s, r, name, flags,
		       (bits & FOUND_IN_NEW) != 0)) {
		r->bits |= ROW_FOUND;
	} else if (!s->confirm || (r->bits & ROW_FOUND) == 0) {
		found_add(s, name, hash, bits | FOUND_AGAIN);
	}
}

/* A row that was not met under its name has the first other one. */
static void
renamed(struct scan *s)
{
	const struct found *f;
	struct row *r;
	size_t i, n = 0;

	for (i = 0; i < s->nfound; i++) {
		f = &s->found[i];
		r = (f->bits & FOUND_AGAIN) != 0 ? scan_row(s, f->hash) : NULL;
		if (r == NULL || (r->bits & ROW_FOUND) != 0) {
			s->found[n++] = *f;
			continue;
		}
		r->bits |= ROW_FOUND;
		name_record(s, r, s->names.p + f->at,
		    (f->bits & FOUND_IN_NEW) != 0);
	}
	s->nfound = n;
}

static int
list(struct scan *s, int dirfd, unsigned where)
{
	struct dirent *e;
	DIR *d = NULL;
	unsigned bits;
	int fd;

	fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return -1;
	d = fdopendir(fd);
	if (d == NULL) {
		fd_close(&fd);
		return -1;
	}
	errno = 0;
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		bits = where;
#ifdef DT_REG
		if (e->d_type != DT_REG && e->d_type != DT_UNKNOWN)
			continue;
		if (e->d_type == DT_REG)
			bits |= FOUND_FILE;
#endif
		met(s, span_str(e->d_name), bits);
		errno = 0;
	}
	if (errno != 0) {
		closedir(d);
		return -1;
	}
	closedir(d);
	return 0;
}

/* Rows that should have been met. */
static size_t
missing(const struct scan *s)
{
	const struct table *t = &s->m->t;
	size_t n = 0;

	for (uint32_t i = 0; i < t->n; i++) {
		if (t->row[i].m.gone || (t->row[i].bits & ROW_FOUND) != 0)
			continue;
		if ((s->what & DUE_CUR) != 0 ||
		    (t->row[i].bits & ROW_IN_NEW) != 0)
			n++;
	}
	return n;
}

static void
expunge_missing(struct scan *s)
{
	const struct table *t = &s->m->t;
	struct mailbox_ranges ranges = { .out = &s->out };
	size_t start = record_begin(s->m, &s->out, MLOG_EXPUNGE);

	for (uint32_t i = 0; i < t->n; i++) {
		if (t->row[i].m.gone || (t->row[i].bits & ROW_FOUND) != 0)
			continue;
		record_uid(s->m, &ranges, MLOG_EXPUNGE, &start,
		    t->row[i].m.uid);
	}
	mailbox_ranges_end(&ranges);
	record_end(s->m, &s->out, start);
}

static bool
any_again(const struct scan *s)
{
	for (size_t i = 0; i < s->nfound; i++)
		if ((s->found[i].bits & FOUND_AGAIN) != 0)
			return true;
	return false;
}

/* Lists what is due; out has the records of all differences. */
static int
look(struct scan *s)
{
	struct mailbox *m = s->m;

	if ((s->what & DUE_NEW) != 0 && list(s, m->new, FOUND_IN_NEW) == -1)
		return -1;
	/* Not in new/ any more: in cur/, or nowhere; or in both. */
	if (missing(s) > 0 || any_again(s))
		s->what |= DUE_CUR;
	if ((s->what & DUE_CUR) == 0)
		return 0;
	if ((s->what & DUE_NEW) == 0 && list(s, m->new, FOUND_IN_NEW) == -1)
		return -1;
	s->what |= DUE_NEW;
	if (list(s, m->cur, 0) == -1)
		return -1;
	renamed(s);
	if (missing(s) == 0)
		return 0;
	s->confirm = true;
	if (list(s, m->new, FOUND_IN_NEW) == -1 || list(s, m->cur, 0) == -1)
		return -1;
	renamed(s);
	if (missing(s) > 0)
		expunge_missing(s);
	return 0;
}

int
scan(struct mailbox *m, unsigned due)
{
	struct mailbox_state cur, new, cur_after, new_after;
	struct scan s;
	uint64_t own;
	int rc = -1;

	if ((due & DUE_CUR) != 0)
		state_forget(m);
	cur = state_of(m->cur);
	new = state_of(m->new);
	scan_init(&s, m);
	s.what = due;
	if (look(&s) == -1)
		goto out;
	cur_after = state_of(m->cur);
	new_after = state_of(m->new);
	if ((s.what & DUE_CUR) == 0)
		cur = m->t.cur;
	else if (!state_same(&cur, &cur_after))
		cur.kind = STATE_UNKNOWN;
	if ((s.what & DUE_NEW) == 0)
		new = m->t.new;
	else if (!state_same(&new, &new_after))
		new.kind = STATE_UNKNOWN;
	if (index_append(m, &s.out, false) == -1)
		goto out;
	if (s.nfound == 0) {
		rc = state_found(m, &cur, &new);
		goto out;
	}
	/* Not written before the new messages are: it would hide them. */
	m->t.cur = cur;
	state_begin(m);
	own = m->own;
	found_take_all(&s);
	if (index_append(m, &s.out, true) == -1) {
		m->t.cur.kind = STATE_UNKNOWN; /* they are still to be told */
		goto out;
	}
	if (s.left) {
		m->cur_true = false;
		cur.kind = STATE_UNKNOWN;
	}
	rc = m->own != own ? state_end(m) : state_write(m, &cur, &new);
out:
	scan_fini(&s);
	return rc;
}

/* Files in new/ that have their uids move to cur/; \Recent is taken. */
static int
take(struct mailbox *m)
{
	struct mailbox_ranges ranges;
	struct maildir_name parts;
	struct buf b, to;
	size_t start;
	struct row *r;
	uint32_t i;
	int rc = -1;

	buf_init(&b, MAILBOX_LOG_MAX);
	buf_init(&to, 512);
	state_begin(m);
	ranges = (struct mailbox_ranges){ .out = &b };
	start = record_begin(m, &b, MLOG_TAKEN);
	for (i = 0; i < m->t.n; i++) {
		r = &m->t.row[i];
		if (r->m.gone || (r->bits & (ROW_IN_NEW | ROW_RECENT)) == 0)
			continue;
		if ((r->bits & ROW_IN_NEW) != 0) {
			if (row_name(m, r) == NULL)
				continue;
			maildir_name_parse(buf_get(&m->name), &parts);
			buf_clear(&to);
			name_make(&to, parts.base, r->m.flags & MF_STORED,
			    parts.flags);
			if (to.n > 255 || os_rename_new(m->new,
				buf_cstr(&m->name), m->cur,
				buf_cstr(&to)) == -1)
				continue;
			m->own++;
		}
		record_uid(m, &ranges, MLOG_TAKEN, &start, r->m.uid);
		r->m.flags |= MF_RECENT;
	}
	mailbox_ranges_end(&ranges);
	record_end(m, &b, start);
	if (b.n == MAILBOX_LOG_FRAME)
		rc = 0;
	else if (index_append(m, &b, false) == 0)
		rc = m->own > 0 ? state_end(m) : 0;
	buf_fini(&b);
	buf_fini(&to);
	return rc;
}

static bool
take_due(const struct mailbox *m)
{
	uint32_t i;

	if (m->read_only)
		return false;
	for (i = m->count; i < m->t.n; i++)
		if (!m->t.row[i].m.gone &&
		    (m->t.row[i].bits & (ROW_IN_NEW | ROW_RECENT)) != 0)
			return true;
	return false;
}

/* Are there uids that power failure would take back? */
static bool
promise_due(const struct mailbox *m)
{
	return m->t.promised > m->t.synced;
}

int
refresh(struct mailbox *m, unsigned force)
{
	unsigned due;
	int rc = -1;

	/* What the watch has seen is in the log, or will be due. */
	if (index_catch_up(m) == -1)
		return -1;
	due = state_due(m) | force;
	if (due == 0 && !take_due(m) && !promise_due(m))
		return 0;
	if (index_lock(m) == -1)
		return -1;
	due = state_due(m) | force;
	if (due != 0 && scan(m, due) == -1)
		goto out;
	if (promise_due(m)) {
		if (index_sync(m) == -1)
			goto out;
		(void)state_write(m, &m->t.cur, &m->t.new); /* as it was */
	}
	if (take_due(m) && take(m) == -1)
		goto out;
	index_tidy(m);
	rc = 0;
out:
	index_unlock(m);
	return rc;
}
