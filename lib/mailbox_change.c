/*
 * mailbox_change: flags and expunge: one lock, a rename or unlink a message,
 * one append for all. The files come first: after a crash the names are what
 * a scan believes, and nothing is lost but keywords of that one command.
 *
 * Neither is synced: power failure may take back the flags of the last
 * seconds, as it may every rename. A message that was expunged may come back
 * then, with a new uid if its EXPUNGE record survived.
 */
#include "lib/mailbox_impl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/die.h"
#include "lib/ipc.h"
#include "lib/limits.h"
#include "lib/maildir.h"
#include "lib/os_file.h"

enum { DRAIN_EVERY = 1000 }; /* events: the kernel keeps 16384 */

struct change {
	enum mailbox_op op;
	uint32_t flags;
	uint64_t keywords;
};

static void
changed_to(const struct row *r, const struct change *c, uint32_t *flags,
    uint64_t *keywords)
{
	uint32_t f = r->m.flags & MF_STORED;
	uint64_t k = r->m.keywords;

	switch (c->op) {
	case MOP_SET:
		f = c->flags;
		k = c->keywords;
		break;
	case MOP_ADD:
		f |= c->flags;
		k |= c->keywords;
		break;
	case MOP_REMOVE:
		f &= ~c->flags;
		k &= ~c->keywords;
		break;
	}
	*flags = f;
	*keywords = k;
}

/* The file's name with other flags. -1: ENOENT: it is not where we know it. */
static int
row_rename(struct mailbox *m, const struct row *r, uint32_t flags)
{
	const char *from = row_name(m, r);
	struct maildir_name parts;
	struct buf to;
	int rc = -1;

	if (from == NULL) {
		errno = ENOENT;
		return -1;
	}
	buf_init(&to, PATH_LEN_MAX);
	maildir_name_parse(buf_get(&m->name), &parts);
	name_make(&to, parts.base, flags, parts.flags);
	if (to.bad || to.n > 255)
		errno = ENAMETOOLONG;
	else if (strcmp(from, buf_cstr(&to)) == 0)
		rc = 0;
	else {
		rc = os_rename_new(row_dir(m, r), from, m->cur, buf_cstr(&to));
		if (rc == 0)
			m->own += row_dir(m, r) == m->cur ? 2 : 1;
	}
	buf_fini(&to);
	return rc;
}

static void
flags_begin(struct mailbox *m, struct buf *b, const struct change *c,
    size_t *start)
{
	bool set = c->op == MOP_SET;

	*start = record_begin(m, b, MLOG_FLAGS);
	put_u16(b, (uint16_t)(set ? MF_STORED :
		c->op == MOP_REMOVE ? c->flags : 0));
	put_u16(b, (uint16_t)(c->op == MOP_REMOVE ? 0 : c->flags));
	put_u64(b, set ? UINT64_MAX : c->op == MOP_REMOVE ? c->keywords : 0);
	put_u64(b, c->op == MOP_REMOVE ? 0 : c->keywords);
}

struct pass {
	const struct change *c;
	struct buf out;
	size_t lost; /* rows whose file was not found */
	size_t skipped;
	bool silent;
	uint32_t *quiet; /* indexes that had no news pending before */
	size_t nquiet;
};

static int
store_pass(struct mailbox *m, const uint32_t *seq, size_t n, struct pass *p)
{
	struct mailbox_ranges ranges = { .out = &p->out };
	uint32_t flags, since = 0;
	uint64_t keywords;
	size_t start;
	struct row *r;
	int rc = 0;

	p->lost = p->skipped = p->nquiet = 0;
	flags_begin(m, &p->out, p->c, &start);
	for (size_t i = 0; i < n && rc == 0; i++) {
		if (seq[i] == 0 || seq[i] > m->count)
			continue;
		r = &m->t.row[seq[i] - 1];
		if (r->m.gone) {
			p->skipped++;
			continue;
		}
		changed_to(r, p->c, &flags, &keywords);
		if (flags == (r->m.flags & MF_STORED) &&
		    keywords == r->m.keywords)
			continue;
		if (flags != (r->m.flags & MF_STORED) &&
		    row_rename(m, r, flags) == -1) {
			/* EEXIST: a second file with its base, to be told */
			if (errno == ENOENT || errno == EEXIST)
				p->lost++;
			else
				rc = -1;
			continue;
		}
		if ((r->bits & ROW_CHANGED) == 0)
			p->quiet[p->nquiet++] = seq[i] - 1;
		mailbox_ranges_add(&ranges, r->m.uid);
		if (p->out.n - start > MAILBOX_LOG_RECORD_MAX / 2) {
			mailbox_ranges_end(&ranges);
			record_end(m, &p->out, start);
			flags_begin(m, &p->out, p->c, &start);
		}
		if (++since % DRAIN_EVERY == 0)
			state_drain(m);
	}
	mailbox_ranges_end(&ranges);
	record_end(m, &p->out, start);
	if (since == 0)
		buf_clear(&p->out);
	return rc;
}

static int
store_locked(struct mailbox *m, const uint32_t *seq, size_t n, struct pass *p)
{
	int rc = 0, saved = 0;

	for (unsigned try = 0; try < 3; try++) {
		if (try > 0 && scan(m, DUE_CUR | DUE_NEW) == -1)
			return -1;
		state_begin(m);
		rc = store_pass(m, seq, n, p);
		saved = errno;
		if (p->out.n > 0 && index_append(m, &p->out, false) == -1)
			return -1;
		if (m->own > 0 && state_end(m) == -1)
			return -1;
		/* Before another scan: what that finds is to be told. */
		for (size_t i = 0; p->silent && i < p->nquiet; i++)
			m->t.row[p->quiet[i]].bits &= (uint16_t)~ROW_CHANGED;
		if (rc == -1 || p->lost == 0)
			break;
	}
	if (rc == 0)
		index_tidy(m);
	errno = saved;
	return rc;
}

int
mailbox_store(struct mailbox *m, const uint32_t *seq, size_t n,
    enum mailbox_op op, uint32_t flags, uint64_t keywords, bool silent,
    size_t *skipped)
{
	const struct change c = { op, flags & MF_STORED, keywords };
	struct pass p = { .c = &c, .silent = silent };
	int rc = -1;

	if (m->read_only) {
		errno = EROFS;
		return -1;
	}
	if (index_lock(m) == -1)
		return -1;
	buf_init(&p.out, MAILBOX_LOG_MAX);
	p.quiet = xreallocarray(NULL, n + 1, sizeof(*p.quiet));
	rc = store_locked(m, seq, n, &p);
	index_unlock(m);
	free(p.quiet);
	buf_fini(&p.out);
	*skipped = p.skipped;
	return rc;
}

/* Removes one file; one that is not there any more is what was wanted. */
static int
row_unlink(struct mailbox *m, const struct row *r)
{
	const char *name = row_name(m, r);

	if (name == NULL) {
		errno = ENOENT;
		return -1;
	}
	if (unlinkat(row_dir(m, r), name, 0) == -1)
		return -1;
	if (row_dir(m, r) == m->cur)
		m->own++;
	return 0;
}

/* only: 0, or flags that a row must have. */
static int
remove_pass(struct mailbox *m, const uint32_t *seq, size_t n, uint32_t only,
    size_t *lost)
{
	struct mailbox_ranges ranges;
	uint32_t since = 0;
	struct buf b;
	size_t start;
	struct row *r;
	int rc = 0;

	*lost = 0;
	buf_init(&b, MAILBOX_LOG_MAX);
	ranges = (struct mailbox_ranges){ .out = &b };
	start = record_begin(m, &b, MLOG_EXPUNGE);
	for (size_t i = 0; i < n; i++) {
		if (seq[i] == 0 || seq[i] > m->count)
			continue;
		r = &m->t.row[seq[i] - 1];
		if (r->m.gone || (r->m.flags & only) != only)
			continue;
		if (row_unlink(m, r) == -1) {
			if (errno == ENOENT)
				(*lost)++;
			else
				rc = -1;
			continue;
		}
		record_uid(m, &ranges, MLOG_EXPUNGE, &start, r->m.uid);
		if (++since % DRAIN_EVERY == 0)
			state_drain(m);
	}
	mailbox_ranges_end(&ranges);
	record_end(m, &b, start);
	if (since > 0 && index_append(m, &b, false) == -1)
		rc = -1;
	buf_fini(&b);
	return rc;
}

int
rows_remove(struct mailbox *m, const uint32_t *seq, size_t n, uint32_t only)
{
	size_t lost;
	int rc = -1;

	if (index_lock(m) == -1)
		return -1;
	for (unsigned try = 0; try < 3; try++) {
		if (try > 0 && scan(m, DUE_CUR | DUE_NEW) == -1)
			goto out;
		state_begin(m);
		rc = remove_pass(m, seq, n, only, &lost);
		if (m->own > 0 && state_end(m) == -1)
			rc = -1;
		if (rc == -1 || lost == 0)
			break;
	}
	if (rc == 0)
		index_tidy(m);
out:
	index_unlock(m);
	return rc;
}

int
mailbox_expunge(struct mailbox *m, const uint32_t *seq, size_t n)
{
	if (m->read_only) {
		errno = EROFS;
		return -1;
	}
	return rows_remove(m, seq, n, MF_DELETED);
}
