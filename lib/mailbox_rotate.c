/*
 * mailbox_rotate: a log written anew, because it has grown long, is damaged,
 * or is not there: what the table says, in one file, which takes the name
 * by rename.
 */
#include "lib/mailbox_impl.h"

#include <assert.h>
#include <errno.h>
#include <unistd.h>

#include "lib/die.h"
#include "lib/hash.h"
#include "lib/ipc.h"
#include "lib/limits.h"
#include "lib/lock.h"

enum {
	UID_GAP = 1 << 20,      /* uids that a lost log may have given out */
	LOG_SMALL = 512 * 1024, /* no reason to write it anew */
	ROW_GUESS = 128,        /* bytes of a message in a fresh log */
};

/*
 * A log, complete, takes the name. first: only if there is none. One that
 * promises nothing need not be durable.
 */
static int
log_publish(struct mailbox *m, struct buf *content, uint64_t id, bool first,
    bool durable)
{
	struct buf tmp;
	int fd, rc = -1;

	buf_init(&tmp, PATH_LEN_MAX);
	fd = index_create(m, &tmp);
	if (fd == -1)
		goto out;
	/* Held before anybody can find it. */
	if (lock_wait(fd, MAILBOX_LOCK_MS) == -1 ||
	    write_all(fd, buf_get(content)) == -1 ||
	    (durable && fsync(fd) == -1)) {
		(void)unlinkat(m->dir, buf_cstr(&tmp), 0);
		goto out;
	}
	if (index_publish(m, &tmp, LOG_NAME, first) == -1 ||
	    (durable && fsync(m->dir) == -1))
		goto out;
	fd_close(&m->log);
	m->log = fd;
	m->id = id;
	m->at = content->n;
	fd = -1;
	rc = 0;
out:
	fd_close(&fd);
	buf_fini(&tmp);
	return rc;
}

static void
snapshot_row(struct mailbox *m, struct buf *b, const struct row *r)
{
	struct mailbox_log_new e;
	struct buf name;

	buf_init(&name, 256);
	e = (struct mailbox_log_new){
		.uid = r->m.uid,
		.flags = (uint16_t)(r->m.flags & MF_STORED),
		.bits = r->bits & (ROW_IN_NEW | ROW_RECENT | ROW_FRESH),
		.size_known = r->m.size_known,
		.keywords = r->m.keywords,
		.modseq = r->m.modseq,
		.size = r->m.size,
		.date = r->m.internaldate,
	};
	/* Flags that came from the log alone can make a name too long. */
	if (row_name(m, r) != NULL && m->name.n <= UINT8_MAX) {
		buf_span(&name, buf_get(&m->name));
	} else {
		buf_char(&name, '\0');
		put_u64(&name, r->hash);
	}
	e.name = buf_get(&name);
	mailbox_log_new_put(b, &e);
	buf_fini(&name);
}

static void
snapshot(struct mailbox *m, struct buf *b, uint64_t id)
{
	const struct table *t = &m->t;
	size_t start;
	uint32_t i;

	mailbox_log_head_encode(b,
	    &(struct mailbox_log_head){ id, t->uidvalidity });
	start = mailbox_log_begin(b, MLOG_UIDNEXT, t->uidnext, t->modseq);
	mailbox_log_end(b, start, id, 0);
	for (i = 0; i < MAILBOX_KEYWORDS_MAX; i++) {
		if (t->keyword[i] == NULL)
			continue;
		start = mailbox_log_begin(b, MLOG_KEYWORD, t->uidnext,
		    t->modseq);
		put_u8(b, (uint8_t)i);
		buf_str(b, t->keyword[i]);
		mailbox_log_end(b, start, id, 0);
	}
	for (i = 0; i < t->n;) {
		start = mailbox_log_begin(b, MLOG_NEW, t->uidnext, t->modseq);
		for (; i < t->n && b->n - start < MAILBOX_LOG_RECORD_MAX / 2;
		     i++)
			if (!t->row[i].m.gone)
				snapshot_row(m, b, &t->row[i]);
		mailbox_log_end(b, start, id, 0);
	}
}

/* Where each row's name is in the log that holds `content`. */
static void
names_move(struct mailbox *m, struct span content, uint64_t id)
{
	struct mailbox_log_record rec;
	struct mailbox_log_new e;
	uint64_t at = MAILBOX_LOG_HEAD, entry;
	struct row *r;
	struct span in;

	span_take(&content, MAILBOX_LOG_HEAD);
	while (mailbox_log_take(&content, &at, id, &rec) == 0) {
		if (rec.type != MLOG_NEW)
			continue;
		in = rec.payload;
		while (in.n > 0) {
			entry = rec.payload_at + (rec.payload.n - in.n);
			if (mailbox_log_new_get(&in, &e) == -1)
				return;
			r = table_find(&m->t, e.uid);
			if (r == NULL)
				continue;
			r->name_at = (uint32_t)(entry + e.name_at);
			r->bits &= (uint16_t) ~(ROW_RENAMED | ROW_ODD);
			if (name_odd(e.name, r->m.flags & MF_STORED))
				r->bits |= ROW_ODD;
		}
	}
}

static int
rotate(struct mailbox *m, bool first)
{
	/* Of uids; UIDVALIDITY is durable elsewhere, and no other log's. */
	bool promises = !first || m->t.n > 0 || m->t.uidnext > 1;
	struct buf b;
	uint64_t id;
	int rc;

	random_bytes(&id, sizeof(id));
	buf_init(&b, MAILBOX_LOG_MAX);
	snapshot(m, &b, id);
	if (b.bad) {
		buf_fini(&b);
		errno = EFBIG;
		return -1;
	}
	rc = log_publish(m, &b, id, first, promises);
	if (rc == 0) {
		names_move(m, buf_get(&b), id);
		m->t.synced = m->t.promised = promises ? m->at : 0;
		m->map_at = 0;
		m->t.cur.kind = m->t.new.kind = STATE_UNKNOWN;
		if (m->watch != NULL)
			os_watch_again(m->watch, m->dir, 0);
	}
	buf_fini(&b);
	return rc;
}

int
index_rotate(struct mailbox *m)
{
	return rotate(m, false);
}

/* On a full disk neither can be: without them it only takes longer. */
void
index_tidy(struct mailbox *m)
{
	struct mailbox_state cur = m->t.cur, new = m->t.new;
	int saved = errno;

	assert(m->locked);
	if (m->at > LOG_SMALL + (uint64_t)m->t.n * ROW_GUESS * 4 &&
	    index_rotate(m) == 0)
		(void)state_write(m, &cur, &new);
	if (map_due(m))
		(void)map_write(m);
	errno = saved;
}

/* Past all that the log we do not have can have given out. */
static void
uids_skip(struct mailbox *m)
{
	if (m->t.uidnext < UINT32_MAX - UID_GAP)
		m->t.uidnext += UID_GAP;
}

/*
 * The map is of the log that is lost. Should this one be lost too, the uids
 * that it gives out would be given out again after that map.
 */
static void
map_renew(struct mailbox *m)
{
	if (m->t.uidnext == 1 || map_write(m) == -1)
		(void)unlinkat(m->dir, MAP_NAME, 0);
}

int
index_rebuild(struct mailbox *m, bool first)
{
	bool damaged = false, known = m->t.uidvalidity != 0;
	uint32_t uidnext;
	uint64_t rest;

	/*
	 * Removed under us: what others wrote before is still there. But
	 * there may have been another log meanwhile, that we never saw.
	 */
	if (known) {
		if (m->log != -1)
			(void)index_read(m, &rest, &damaged);
		index_complain("log", "it was lost; uids come from this session");
	} else if (map_recover(m) == 0) {
		index_complain("map", "the log is lost; uids come from the map");
		known = true;
	}
	uidnext = m->t.uidnext;
	if (known)
		uids_skip(m);
	else if ((m->t.uidvalidity = validity_next(m->dir)) == 0)
		return -1;
	if (rotate(m, first) == -1) {
		m->t.uidnext = uidnext; /* or trying again would use them up */
		if (!known)
			m->t.uidvalidity = 0; /* another session's counts */
		return -1;
	}
	map_renew(m);
	return 0;
}
