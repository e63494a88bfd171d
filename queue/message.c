/*
 * message: active messages, their table, their way from and to the file.
 *
 * - bodies in memory are at most QUEUE_BODIES_MAX in all; without one a
 *   worker gets the open file
 * - log records are gathered and written once a turn, without fsync: if one
 *   is lost, a recipient is tried again (twice beats never)
 * - records that cannot be written stay in m->log, and in queue/unsaved.h
 *   when m goes from memory; m->log_at is where the first of them belongs
 */
#include "queue/message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/crc.h"
#include "lib/die.h"
#include "lib/log.h"
#include "lib/qid.h"
#include "queue/queue.h"
#include "queue/store.h"
#include "queue/unsaved.h"

enum { BUCKETS = 4096, LOG_MAX = 4 * 1024 * 1024, READ_STEP = 64 * 1024 };

static struct message *table[BUCKETS];
static size_t count, bodies;
static TAILQ_HEAD(message_list, message) unlogged = TAILQ_HEAD_INITIALIZER(unlogged);

/* --- the table --------------------------------------------------------- */

static struct message **
bucket(uint64_t qid)
{
	return &table[(qid ^ qid >> 10) % BUCKETS];
}

struct message *
message_find(uint64_t qid)
{
	struct message *m = *bucket(qid);

	while (m != NULL && m->qid != qid)
		m = m->next;
	return m;
}

size_t
message_count(void)
{
	return count;
}

void
message_each(void (*fn)(struct message *, void *), void *arg)
{
	struct message *m, *next;

	for (size_t i = 0; i < BUCKETS; i++)
		for (m = table[i]; m != NULL; m = next) {
			next = m->next;
			fn(m, arg);
		}
}

static void
table_add(struct message *m)
{
	struct message **b = bucket(m->qid);

	m->next = *b;
	*b = m;
	count++;
}

static void
table_drop(struct message *m)
{
	struct message **b = bucket(m->qid);

	while (*b != m)
		b = &(*b)->next;
	*b = m->next;
	count--;
}

/* --- making ------------------------------------------------------------ */

static char *
text_of(struct span s)
{
	char *p = xmalloc(s.n + 1);

	if (s.n > 0) /* an empty span may have no bytes at all */
		memcpy(p, s.p, s.n);
	p[s.n] = '\0'; /* decoders let no NUL pass */
	return p;
}

static void
body_keep(struct message *m, struct span body)
{
	if (body.n == 0 || body.n > SMALL_BODY_MAX ||
	    bodies + body.n > QUEUE_BODIES_MAX)
		return;
	m->body.max = body.n; /* what waits takes no more than it has */
	buf_span(&m->body, body);
	bodies += m->body.n;
}

struct message *
message_new(uint64_t qid, const struct envelope *e,
    const struct spool_final *final, size_t nfinal, uint32_t envlen,
    uint64_t size, uint32_t crc, struct span body)
{
	struct message *m = xcalloc(1, sizeof(*m));

	m->qid = qid;
	m->arrived = e->arrived;
	m->sender = text_of(e->sender);
	m->sid = text_of(e->sid);
	m->client = text_of(e->client);
	m->flags = e->flags;
	m->size = size;
	m->crc = crc;
	m->body_at = SPOOL_HEAD + (off_t)envlen;
	m->log_at = m->body_at + (off_t)size;
	m->log.max = LOG_MAX;
	body_keep(m, body);
	m->norig = e->nrcpt;
	m->orig = xcalloc(e->nrcpt, sizeof(*m->orig));
	for (size_t i = 0; i < e->nrcpt; i++)
		m->orig[i] = text_of(e->rcpt[i]);
	m->nrcpt = nfinal;
	m->rcpt = xcalloc(nfinal, sizeof(*m->rcpt));
	for (size_t i = 0; i < nfinal; i++) {
		m->rcpt[i].msg = m;
		m->rcpt[i].address = text_of(final[i].address);
		m->rcpt[i].orig = m->orig[final[i].from];
	}
	m->nbusy = nfinal;
	table_add(m);
	return m;
}

void
message_free(struct message *m)
{
	table_drop(m);
	if (m->is_unlogged)
		TAILQ_REMOVE(&unlogged, m, unlogged);
	for (size_t i = 0; i < m->nrcpt; i++) {
		free(m->rcpt[i].address);
		free(m->rcpt[i].mailbox);
		free(m->rcpt[i].reply);
		free(m->rcpt[i].host);
	}
	for (size_t i = 0; i < m->norig; i++)
		free(m->orig[i]);
	unsaved_put(m->qid, buf_get(&m->log));
	bodies -= m->body.n;
	buf_fini(&m->body);
	buf_fini(&m->log);
	free(m->rcpt);
	free(m->orig);
	free(m->sender);
	free(m->sid);
	free(m->client);
	free(m);
}

/* --- from the file ----------------------------------------------------- */

static void
replay_result(struct rcpt *r, const struct spool_record *rec)
{
	char enhanced[12];

	if (rec->code < 400) {
		r->state = RCPT_DONE;
		return;
	}
	r->state = rec->code >= 500 ? RCPT_FAILED : RCPT_DEFERRED;
	if (r->state == RCPT_DEFERRED)
		r->tries++;
	if (r->reply == NULL)
		r->reply = xcalloc(1, sizeof(*r->reply));
	(void)span_copy(enhanced, sizeof(enhanced), rec->enhanced);
	reply_set(r->reply, (int)rec->code, enhanced, rec->text);
	free(r->host);
	r->host = rec->host.n == 0 ? NULL : span_dup(rec->host);
	r->when = rec->when;
	r->next = rec->next;
}

static void
replay(const struct spool_record *rec, void *arg)
{
	struct message *m = arg;
	struct rcpt *r = rec->rcpt < m->nrcpt ? &m->rcpt[rec->rcpt] : NULL;

	switch (rec->type) {
	case SPOOL_RESULT:
		if (r != NULL)
			replay_result(r, rec);
		/* The slowest decides: back-off grows for all. */
		if (r != NULL && r->tries > m->attempts)
			m->attempts = r->tries;
		break;
	case SPOOL_BOUNCED:
		if (r != NULL)
			r->state = RCPT_DONE;
		break;
	case SPOOL_WARNED:
		m->warned = true;
		break;
	case SPOOL_HELD:
	case SPOOL_RELEASED:
		m->held = rec->type == SPOOL_HELD;
		break;
	}
}

static int
log_replay(struct message *m, int fd)
{
	struct spool_record rec;
	struct span rest;

	if (store_log(fd, m->log_at, replay, m, &m->log_at, &m->log_torn) == -1)
		return -1;
	unsaved_take(m->qid, &m->log);
	rest = buf_get(&m->log);
	while (spool_record_next(&rest, &rec) == 1)
		replay(&rec, m);
	return 0;
}

/* 1: the body is as it was received; 0: it is not; -1: errno. */
static int
body_check(struct message *m, int fd)
{
	static char chunk[READ_STEP];
	uint64_t left = m->size;
	off_t at = m->body_at;
	uint32_t crc = 0;
	ssize_t n;

	while (left > 0) {
		n = store_read(fd, chunk,
		    left < READ_STEP ? (size_t)left : READ_STEP, at);
		if (n == -1)
			return -1;
		if (n == 0)
			return 0;
		if ((uint64_t)n == m->size)
			body_keep(m, span_of(chunk, (size_t)n));
		crc = crc32c(crc, chunk, (size_t)n);
		left -= (uint64_t)n;
		at += n;
	}
	return crc == m->crc;
}

static void
ready_up(struct message *m)
{
	m->nbusy = 0;
	for (size_t i = 0; i < m->nrcpt; i++) {
		struct rcpt *r = &m->rcpt[i];

		if (r->state == RCPT_DEFERRED)
			r->state = RCPT_READY;
		if (r->state == RCPT_READY)
			m->nbusy++;
	}
}

static struct message *
aside(uint64_t qid, const char *why)
{
	store_set_aside(qid, why);
	errno = 0;
	return NULL;
}

/* Head and envelope; NULL: errno, 0 if it was set aside. */
static struct message *
front_load(uint64_t qid, int fd)
{
	static struct spool_final final[SPOOL_FINAL_MAX];
	static struct envelope e; /* large: not on the stack */
	struct message *m = NULL;
	struct spool_head h;
	char line[SPOOL_HEAD];
	struct buf b;
	size_t n;
	ssize_t got = store_read(fd, line, sizeof(line), 0);

	if (got == -1)
		return NULL;
	if (spool_head_decode(span_of(line, (size_t)got), &h) == -1 || !h.whole)
		return aside(qid, "the head is damaged");
	buf_init(&b, SPOOL_ENVELOPE_MAX);
	if (buf_room(&b, h.envlen + 1u) == NULL)
		die("no room for an envelope");
	got = store_read(fd, b.p, h.envlen, SPOOL_HEAD);
	if (got >= 0) {
		buf_grew(&b, (size_t)got);
		if (spool_front_decode(buf_get(&b), &h, &e, final, &n) == -1)
			m = aside(qid, "the envelope is damaged");
		else
			m = message_new(qid, &e, final, n, h.envlen, h.size,
			    h.crc, SPAN_NONE);
	}
	buf_fini(&b);
	return m;
}

struct message *
message_load(uint64_t qid, bool check)
{
	struct message *m = NULL;
	int fd, good = 1, saved;

	if ((fd = store_open(qid)) == -1)
		return NULL;
	if ((m = front_load(qid, fd)) == NULL)
		goto out;
	if (log_replay(m, fd) == -1 ||
	    (check && (good = body_check(m, fd)) == -1)) {
		saved = errno;
		message_free(m);
		m = NULL;
		errno = saved;
		goto out;
	}
	if (good == 0) {
		message_free(m);
		m = aside(qid, "the body is damaged");
		goto out;
	}
	ready_up(m);
out:
	fd_close(&fd);
	return m;
}

/* --- to the file ------------------------------------------------------- */

void
message_note(struct message *m, const struct spool_record *r)
{
	if (LOG_MAX - m->log.n >= SPOOL_RECORD_MAX + 8) /* the disk is full */
		spool_record_encode(&m->log, r);
	if (m->is_unlogged)
		return;
	m->is_unlogged = true;
	TAILQ_INSERT_TAIL(&unlogged, m, unlogged);
}

void
message_flush(struct message *m)
{
	if (m->is_unlogged)
		TAILQ_REMOVE(&unlogged, m, unlogged);
	m->is_unlogged = false;
	if (m->log.n == 0)
		return;
	if (store_append(m->qid, m->log_at, buf_get(&m->log), m->log_torn) ==
	    -1) {
		log_begin(LL_WARN, "log");
		log_str("qid", message_qid(m));
		log_err(errno);
		log_end();
		m->log_torn = true; /* a part of it may be there */
		return;
	}
	m->log_at += (off_t)m->log.n;
	m->log_torn = false;
	buf_clear(&m->log);
}

void
message_flush_all(void)
{
	struct message *m;

	while ((m = TAILQ_FIRST(&unlogged)) != NULL)
		message_flush(m);
}

const char *
message_qid(const struct message *m)
{
	static char text[QID_TEXT_MAX];

	qid_text(m->qid, text);
	return text;
}
