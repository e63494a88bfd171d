/*
 * submit: a message's body on its way to the queue.
 *
 *	begin --bytes--> memory --final dot--> IPC_SUBMIT, inline
 *	                    | more than SMALL_BODY_MAX, or memory is short
 *	                    v
 *	              IPC_SPOOL_OPEN ... fd --bytes--> file --final dot-->
 *	                                               IPC_SUBMIT, qid
 *
 * Invariants: whatever goes wrong between 354 and the final dot is noted in
 * mail.fail, the rest is swallowed up to the true end, and only then it is
 * said: bytes of a body never become commands. The connection is paused
 * exactly while a question to the queue is open.
 */
#include "smtpd/submit.h"

#include <assert.h>
#include <errno.h>
#include <unistd.h>

#include "lib/conn.h"
#include "lib/crc.h"
#include "lib/die.h"
#include "lib/ipc_mail.h"
#include "lib/log.h"
#include "lib/qid.h"
#include "smtpd/mail.h"
#include "smtpd/peers.h"
#include "smtpd/received.h"
#include "smtpd/replies.h"
#include "smtpd/server.h"
#include "smtpd/session.h"

enum {
	PIECE = 16 * 1024,       /* framed at once */
	BODY_MAX = SMALL_BODY_MAX + PIECE + 2,
	SMALL_UNDER_LOAD = 8 * 1024,
	ROOM_FIRST = 4096,       /* if SIZE= was not told */
	TRACE_ROOM = 512,        /* what our header needs, usually */
};

static struct buf packet = { .max = IPC_BODY_MAX };

static size_t
min(uint64_t a, size_t b)
{
	return a < b ? (size_t)a : b;
}

/* Keeps server.held true. */
static void
hold(struct mail *m)
{
	server.held += m->body.cap - m->held;
	m->held = m->body.cap;
}

/* How much of this body may stay in memory. */
static size_t
small_max(void)
{
	return server.held > SMTP_HELD_MAX / 2 ? SMALL_UNDER_LOAD :
						 SMALL_BODY_MAX;
}

/* The time window in which enough bytes must come, RFC 5321 4.5.3.2.5. */
static void
window_begin(struct session *s)
{
	s->mail->progress = s->mail->wire;
	conn_deadline(s->conn, server.conf->smtp_data_timeout * 1000);
}

static void
window_check(struct session *s)
{
	uint64_t need = server.conf->smtp_data_rate *
	    server.conf->smtp_data_timeout;

	if (s->mail->wire - s->mail->progress > need)
		window_begin(s);
}

const struct reply *
submit_begin(struct session *s)
{
	struct mail *m = s->mail;

	if (server.held > SMTP_HELD_MAX)
		return &R_BUSY;
	buf_init(&m->body, BODY_MAX);
	(void)buf_room(&m->body, TRACE_ROOM +
	    min(m->declared != 0 ? m->declared : ROOM_FIRST, small_max()));
	received_write(s, m);
	hold(m);
	s->state = ST_BODY;
	reply_write(s->conn, &R_START_MAIL);
	conn_raw_mode(s->conn);
	window_begin(s);
	return &R_SAID;
}

void
submit_abort(struct mail *m)
{
	if (m->qid == 0)
		return;
	fd_close(&m->fd);
	buf_clear(&packet);
	ipc_spool_abort_encode(&packet, &(struct ipc_spool_abort){ m->qid });
	peer_tell(ROLE_QUEUE, IPC_SPOOL_ABORT, buf_get(&packet));
	m->qid = 0;
}

/* The message will be refused; nothing of it is kept any more. */
static void
fail(struct mail *m, const struct reply *why)
{
	if (m->fail == NULL)
		m->fail = why;
	submit_abort(m);
	buf_clear(&m->body);
}

/* What is in memory goes to the spool file. */
static void
spill(struct mail *m)
{
	struct span left = buf_get(&m->body);
	ssize_t n;

	m->crc = crc32c(m->crc, left.p, left.n);
	while (left.n > 0) {
		n = write(m->fd, left.p, left.n);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0) { /* disk full, quota: law 1 asks us to say so */
			log_begin(LL_ERROR, "limit");
			log_str("what", "spool");
			log_err(n == 0 ? ENOSPC : errno);
			log_end();
			fail(m, &R_NO_SPACE);
			return;
		}
		m->size += (uint64_t)n;
		(void)span_take(&left, (size_t)n);
	}
	buf_clear(&m->body);
	if (server.held > SMTP_HELD_MAX / 2)
		buf_trim(&m->body);
}

/* The file has an id: it goes where the session's stands. */
static void
mark(struct mail *m)
{
	char id[QID_TEXT_MAX];

	if (m->fail != NULL) /* the body is gone */
		return;
	qid_text(m->qid, id);
	buf_patch(&m->body, m->id_at, span_str(id));
}

static int
ask(struct session *s, enum ipc_type type)
{
	if (packet.bad ||
	    peer_ask(ROLE_QUEUE, s, type, buf_get(&packet)) == -1)
		return -1;
	conn_pause(s->conn);
	conn_deadline(s->conn, SMTP_ANSWER_MS);
	return 0;
}

static void
ask_for_file(struct session *s)
{
	static struct ipc_spool_open q; /* large: not on the stack */
	struct mail *m = s->mail;

	q.size_hint = m->declared;
	mail_envelope(m, s, &q.env);
	buf_clear(&packet);
	ipc_spool_open_encode(&packet, &q);
	if (ask(s, IPC_SPOOL_OPEN) == -1)
		fail(m, &R_QUEUE_GONE);
}

/* What is wrong with the message, now that it is whole; NULL: nothing. */
static const struct reply *
verdict(const struct mail *m)
{
	if (m->framing.bare_cr || m->framing.bare_lf)
		return &R_BARE; /* RFC 5321 2.3.8; SMTP smuggling */
	if (m->framing.nul)
		return &R_HAS_NUL;
	if (m->fail != NULL)
		return m->fail;
	if (m->hops.count > SMTP_RECEIVED_MAX)
		return &R_LOOP;
	return NULL;
}

/* The transaction is over, and this is the answer to it; say it at once. */
static const struct reply *
refuse(struct session *s, const struct reply *r)
{
	static struct reply_copy copy; /* the queue's words outlive the mail */
	static struct reply told;

	if (r == &s->mail->told) {
		copy = s->mail->copy;
		told = (struct reply){ copy.code, copy.enhanced, copy.text };
		r = &told;
	}
	session_log_refusal(s, "reject", "from", mail_sender(s->mail), r);
	submit_abort(s->mail);
	session_reset(s);
	return r;
}

/* Hands the whole message over. */
static const struct reply *
hand_over(struct session *s)
{
	static struct ipc_submit q; /* large: not on the stack */
	struct mail *m = s->mail;

	q.qid = m->qid;
	q.size = m->size;
	q.crc = m->crc;
	q.body = SPAN_NONE;
	q.id_at = 0;
	if (m->qid == 0) {
		q.body = buf_get(&m->body);
		q.size = q.body.n;
		q.id_at = (uint32_t)m->id_at;
		q.crc = crc32c(0, q.body.p, q.body.n);
	}
	mail_envelope(m, s, &q.env);
	buf_clear(&packet);
	ipc_submit_encode(&packet, &q);
	if (ask(s, IPC_SUBMIT) == -1)
		return refuse(s, &R_QUEUE_GONE);
	m->submitted = true;
	m->qid = 0; /* the queue's now; not ours to abort */
	return &R_PENDING;
}

/* The final dot was seen. */
static const struct reply *
body_end(struct session *s)
{
	struct mail *m = s->mail;
	const struct reply *r;

	if (m->qid != 0 && m->queue_since != peer_since(ROLE_QUEUE))
		fail(m, &R_QUEUE_GONE); /* a new one, that has no such file */
	if (m->qid != 0 && m->fail == NULL) {
		spill(m);
		fd_close(&m->fd);
	}
	if ((r = verdict(m)) != NULL)
		return refuse(s, r);
	return hand_over(s);
}

/* New bytes stand in the body from the offset before on. */
static void
body_grew(struct session *s, size_t before)
{
	struct mail *m = s->mail;
	size_t small = m->framing.done ? SMALL_BODY_MAX : small_max();

	hops_scan(&m->hops,
	    span_slice(buf_get(&m->body), before, m->body.n));
	if (m->framing.octets > server.conf->message_size)
		fail(m, &R_TOO_BIG); /* RFC 1870 6.3 */
	if (m->fail != NULL)
		buf_clear(&m->body);
	else if (m->fd == -1 && m->body.n > small)
		ask_for_file(s);
	else if (m->fd != -1 && m->body.n >= small_max())
		spill(m);
}

/* So much more than is allowed that we do not wait for its end. */
static bool
is_flood(const struct mail *m)
{
	return m->wire / 2 > server.conf->message_size + SMALL_BODY_MAX;
}

size_t
submit_bytes(struct session *s, struct span in)
{
	struct mail *m = s->mail;
	const struct reply *r = &R_PENDING;
	size_t used = 0, before, n;

	while (used < in.n && !m->framing.done && s->question == 0) {
		before = m->body.n;
		n = smtp_data_in(&m->framing,
		    span_slice(in, used, used + PIECE), &m->body);
		assert(!m->body.bad);
		used += n;
		m->wire += n;
		body_grew(s, before);
	}
	hold(m);
	if (m->framing.done) {
		conn_line_mode(s->conn, SMTP_LINE_MAX);
		if (s->question == 0 && (r = body_end(s)) != &R_PENDING)
			session_say(s, r);
	} else if (is_flood(m)) {
		session_say(s, refuse(s, &R_TOO_BIG));
		conn_close(s->conn);
		return in.n;
	} else if (s->question == 0) {
		window_check(s);
	}
	return used;
}

/* A spool file that nobody wants any more. */
static void
disown(uint64_t qid)
{
	struct mail m = { .qid = qid, .fd = -1 };

	if (qid != 0)
		submit_abort(&m);
}

/* The queue said no; keep its words for after the final dot. */
static void
fail_as_told(struct mail *m, uint32_t code, struct span enhanced,
    struct span text)
{
	char e[sizeof(m->copy.enhanced)];

	(void)span_copy(e, sizeof(e), enhanced);
	reply_set(&m->copy, (int)code, e, text);
	m->told = (struct reply){ m->copy.code, m->copy.enhanced,
		m->copy.text };
	fail(m, &m->told);
}

static bool
is_refusal(uint32_t code)
{
	return code >= 400 && code <= 599;
}

/* The body goes on, or ends now if all of it was there already. */
static void
go_on(struct session *s)
{
	const struct reply *r;

	if (!s->mail->framing.done) {
		window_begin(s);
		conn_resume(s->conn);
	} else if ((r = body_end(s)) != &R_PENDING) {
		session_resume(s, r);
	}
}

int
submit_spool(struct session *s, struct ipc_msg *msg)
{
	struct ipc_spool_is is;

	if (ipc_spool_is_decode(msg->body, &is) == -1 ||
	    (is.code != 0 && !is_refusal(is.code)) ||
	    (is.code == 0 && is.qid == 0))
		return -1;
	if (s == NULL) {
		disown(is.code == 0 ? is.qid : 0);
		return 0;
	}
	if (s->mail->submitted)
		return -1; /* that was not the question */
	if (is.code != 0) {
		fail_as_told(s->mail, is.code, is.enhanced, is.text);
	} else if (msg->fd[0] == -1) {
		if (!msg->lost)
			return -1;
		disown(is.qid);
		fail(s->mail, &R_BUSY);
	} else {
		s->mail->qid = is.qid;
		s->mail->queue_since = peer_since(ROLE_QUEUE);
		s->mail->fd = msg->fd[0];
		msg->fd[0] = -1;
		mark(s->mail);
		spill(s->mail);
		hold(s->mail);
	}
	go_on(s);
	return 0;
}

/* 250: law 1 holds from here on. */
static void
accepted(struct session *s, uint64_t qid)
{
	char id[QID_TEXT_MAX], text[64];
	struct buf b;

	qid_text(qid, id);
	buf_init(&b, sizeof(text) - 1);
	buf_str(&b, "queued as ");
	buf_str(&b, id);
	(void)span_copy(text, sizeof(text), buf_get(&b));
	buf_fini(&b);
	session_reset(s);
	s->idle_talk = 0;
	s->accepted++;
	session_resume(s, &(struct reply){ 250, "2.0.0", text });
}

int
submit_answer(struct session *s, struct ipc_msg *msg)
{
	struct ipc_submit_is is;
	struct reply_copy copy;
	char e[sizeof(copy.enhanced)];
	struct reply r;

	if (ipc_submit_is_decode(msg->body, &is) == -1 ||
	    (is.code != 250 && !is_refusal(is.code)))
		return -1;
	if (s == NULL)
		return 0; /* the client went; the queue's log has it */
	if (!s->mail->submitted)
		return -1; /* that was not the question */
	if (is.code == 250) {
		accepted(s, is.qid);
		return 0;
	}
	(void)span_copy(e, sizeof(e), is.enhanced);
	reply_set(&copy, (int)is.code, e, is.text);
	r = (struct reply){ copy.code, copy.enhanced, copy.text };
	session_resume(s, refuse(s, &r));
	return 0;
}

void
submit_lost(struct session *s)
{
	if (s->mail->submitted) {
		/* Perhaps it was stored, perhaps not: twice beats never. */
		session_resume(s, refuse(s, &R_QUEUE_GONE));
		return;
	}
	fail(s->mail, &R_QUEUE_GONE);
	go_on(s);
}
