/*
 * mailbox_state: may cur/ and new/ differ from what the table says? Told
 * without listing them, from their mtimes.
 *
 * A state (inode, mtime) at which the table was true is written to the log.
 * Equal again means unchanged, with one trap: two changes within one tick of
 * the file system's clock have one mtime. So a state is
 *
 *	settled     the tick was over when the directory was listed: any later
 *	            change has another mtime
 *	young       true when it was written, but a change may hide in its tick
 *
 * A young state becomes settled without a listing by a witness: every change
 * that Postern makes in cur/ is counted in the log (STATE), and a session
 * whose watch has seen exactly as many events since the table was true knows
 * that there was no other. Without one, a young state of some age is looked
 * at once more.
 *
 * new/ is short, since sessions empty it: it is simply listed when in doubt.
 */
#include "lib/mailbox_impl.h"

#include <sys/stat.h>
#include <time.h>

#include "lib/die.h"
#include "lib/ipc.h"

enum {
	TICK = 12 * 1000 * 1000,   /* ns: of kernels with 100 a second */
	COARSE = 2100 * 1000 * 1000, /* where mtimes are whole seconds */
};
#define BILLION INT64_C(1000000000)

static int64_t
clock_ns(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_REALTIME, &ts) == -1)
		die("clock_gettime");
	return (int64_t)ts.tv_sec * BILLION + ts.tv_nsec;
}

static bool
is_old(int64_t mtime, int64_t now)
{
	int64_t grain = mtime % BILLION == 0 ? COARSE : TICK;

	return mtime < now - grain;
}

struct mailbox_state
state_of(int fd)
{
	struct mailbox_state s = { STATE_UNKNOWN, 0, 0 };
	int64_t now = clock_ns();
	struct stat st;

	if (fstat(fd, &st) == -1 || st.st_nlink == 0)
		return s;
	s.ino = (uint64_t)st.st_ino;
	s.mtime = (int64_t)st.st_mtim.tv_sec * BILLION + st.st_mtim.tv_nsec;
	s.kind = is_old(s.mtime, now) ? STATE_SETTLED : STATE_YOUNG;
	return s;
}

bool
state_same(const struct mailbox_state *a, const struct mailbox_state *b)
{
	return a->kind != STATE_UNKNOWN && b->kind != STATE_UNKNOWN &&
	    a->ino == b->ino && a->mtime == b->mtime;
}

void
state_drain(struct mailbox *m)
{
	uint64_t count[OS_WATCH_MAX] = { 0 };

	if (m->watch == NULL) {
		m->exact = false;
		return;
	}
	os_watch_drain(m->watch, count, &m->exact);
	m->events += count[1];
}

void
state_forget(struct mailbox *m)
{
	state_drain(m);
	m->exact = m->watch != NULL;
	m->skew = m->t.events + m->own - m->events;
	m->looked = m->events;
}

/* Under the lock: has nobody but Postern changed cur/? */
static bool
witness(struct mailbox *m)
{
	state_drain(m);
	return m->exact && m->t.events + m->own - m->events == m->skew;
}

int
state_write(struct mailbox *m, const struct mailbox_state *cur,
    const struct mailbox_state *new)
{
	struct buf b;
	size_t start;
	int rc;

	buf_init(&b, 256);
	/* No change of a message. */
	start = mailbox_log_begin(&b, MLOG_STATE, m->t.uidnext, m->t.modseq);
	mailbox_state_put(&b, cur);
	mailbox_state_put(&b, new);
	put_u64(&b, m->t.synced);
	put_u32(&b, (uint32_t)m->own);
	record_end(m, &b, start);
	rc = index_append(m, &b, false);
	if (rc == 0)
		m->own = 0;
	buf_fini(&b);
	return rc;
}

int
state_found(struct mailbox *m, const struct mailbox_state *cur,
    const struct mailbox_state *new)
{
	if (m->own == 0 && cur->kind == m->t.cur.kind &&
	    new->kind == m->t.new.kind && !m->t.delivered &&
	    (cur->kind == STATE_UNKNOWN || state_same(cur, &m->t.cur)) &&
	    (new->kind == STATE_UNKNOWN || state_same(new, &m->t.new)))
		return 0; /* as is written already */
	return state_write(m, cur, new);
}

/* The witness begins here: the table is true now, the watch is empty. */
static void
witness_begin(struct mailbox *m)
{
	m->exact = m->watch != NULL;
	m->skew = m->t.events + m->own - m->events;
	m->looked = m->events;
}

/*
 * A settled state is the truth. A young one is, as long as the witness says
 * so; when it has come of age it is settled for all. Without a witness it is
 * due when it is old, or when anything stirred: without the lock that may be
 * a session in the middle of a change, with it it is not.
 */
static unsigned
due_cur(struct mailbox *m)
{
	struct mailbox_state now = state_of(m->cur);
	bool known, old = now.kind == STATE_SETTLED;

	if (!state_same(&now, &m->t.cur))
		return DUE_CUR;
	if (m->t.cur.kind == STATE_SETTLED) {
		witness_begin(m);
		return 0;
	}
	known = m->exact && m->t.events + m->own - m->events == m->skew;
	if (!known)
		return old || m->exact || m->events != m->looked ? DUE_CUR : 0;
	if (!old)
		return 0;
	if (!m->locked)
		return DUE_CUR;
	(void)state_found(m, &now, &m->t.new);
	return 0;
}

static unsigned
due_new(struct mailbox *m)
{
	struct mailbox_state now = state_of(m->new);

	/* It is short: a state that is not settled is not worth a thought. */
	if (m->t.delivered || !state_same(&now, &m->t.new))
		return DUE_NEW;
	return m->t.new.kind == STATE_SETTLED ? 0 : DUE_NEW;
}

unsigned
state_due(struct mailbox *m)
{
	state_drain(m);
	return due_cur(m) | due_new(m);
}

void
state_begin(struct mailbox *m)
{
	bool settled = m->t.cur.kind == STATE_SETTLED;
	struct mailbox_state now;

	/* First the watch: what it sees from here on is not in `now`. */
	if (settled)
		state_forget(m);
	now = state_of(m->cur);
	m->cur_true = state_same(&now, &m->t.cur) && (settled || witness(m));
	if (!m->cur_true)
		m->exact = false;
}

int
state_end(struct mailbox *m)
{
	struct mailbox_state cur = state_of(m->cur), new = state_of(m->new);

	/* The witness after the state: what came between shows in either. */
	if (!m->cur_true || !witness(m))
		cur.kind = STATE_UNKNOWN;
	if (!state_same(&new, &m->t.new))
		new.kind = STATE_UNKNOWN;
	else
		new = m->t.new;
	return state_write(m, &cur, &new);
}
