/*
 * mailbox_look: what only the file knows about a message that a scan found:
 * its date, and whether its size is that in its name. Looked up when it is
 * first asked for; when the session closes the folder the log learns it, in
 * one record.
 */
#include "lib/mailbox_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "lib/die.h"
#include "lib/ipc.h"
#include "lib/limits.h"
#include "lib/maildir.h"

/* Where we know it to be, or where it is by now. */
static int
row_stat(struct mailbox *m, uint32_t seq, struct stat *st)
{
	const struct row *r = &m->t.row[seq - 1];
	const char *name = row_name(m, r);
	int fd, rc;

	if (name != NULL && fstatat(row_dir(m, r), name, st,
		AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	fd = mailbox_file(m, seq);
	if (fd == -1)
		return -1;
	rc = fstat(fd, st);
	fd_close(&fd);
	return rc;
}

/*
 * Can the file have the sizes of its name? CR LF in place of each LF makes it
 * longer, at most twice as long.
 */
static bool
sizes_fit(struct span name, uint64_t size)
{
	struct maildir_name parts;

	maildir_name_parse(name, &parts);
	return (!parts.has_size || parts.size == size) &&
	    (!parts.has_wsize ||
		(parts.wsize >= size && parts.wsize - size <= size));
}

int
mailbox_look(struct mailbox *m, uint32_t seq)
{
	struct stat st;
	struct row *r;

	if (seq == 0 || seq > m->count) {
		errno = EINVAL;
		return -1;
	}
	if ((m->t.row[seq - 1].bits & ROW_FRESH) == 0)
		return 0;
	if (row_stat(m, seq, &st) == -1)
		return -1;
	r = &m->t.row[seq - 1];
	r->m.internaldate = (int64_t)st.st_mtim.tv_sec;
	/* m->name is its name still, with the size that it claims. */
	if (!sizes_fit(buf_get(&m->name), (uint64_t)st.st_size)) {
		r->m.size_known = false;
		r->m.size = 0;
	}
	r->bits &= (uint16_t)~ROW_FRESH;
	r->bits |= ROW_LOOKED;
	m->looked_at++;
	return 0;
}

static void
looked_put(struct mailbox *m, struct buf *b)
{
	size_t start = record_begin(m, b, MLOG_LOOKED);
	const struct row *r;

	for (uint32_t i = 0; i < m->t.n; i++) {
		r = &m->t.row[i];
		if (r->m.gone || (r->bits & ROW_LOOKED) == 0)
			continue;
		put_u32(b, r->m.uid);
		put_u8(b, r->m.size_known);
		put_u64(b, (uint64_t)r->m.internaldate);
		if (b->n - start > MAILBOX_LOG_RECORD_MAX / 2) {
			record_end(m, b, start);
			start = record_begin(m, b, MLOG_LOOKED);
		}
	}
	record_end(m, b, start);
}

void
look_keep(struct mailbox *m)
{
	struct buf b;

	if (m->looked_at == 0 || index_lock(m) == -1)
		return;
	buf_init(&b, MAILBOX_LOG_MAX);
	looked_put(m, &b);
	if (b.n > MAILBOX_LOG_FRAME && index_append(m, &b, false) == 0)
		index_tidy(m);
	index_unlock(m);
	buf_fini(&b);
	m->looked_at = 0;
}
