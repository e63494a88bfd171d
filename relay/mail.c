/*
 * mail: one transaction, RFC 5321 3.3; for several recipients, RFC 2920 when
 * the server takes a pipeline, RFC 2033 when it speaks LMTP.
 *
 * - each recipient's answer is its own; what MAIL, DATA or the final dot are
 *   answered goes for all that were not refused before
 * - "too many recipients" puts the rest off to the next transaction, at once
 * - a message is only ended by the final dot if all of it was sent; if
 *   anything is wrong with our own file, the connection is cut before
 * - after the final dot a lost connection leaves open whether the message
 *   was taken: it is sent again, and may arrive twice (RFC 1047)
 */
#include <assert.h>
#include <string.h>

#include "lib/conn.h"
#include "lib/content.h"
#include "lib/die.h"
#include "lib/envelope.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "relay/session.h"

/* Of this callback. No byte of a message becomes more than two (LF, a dot). */
static struct buf wire = { .max = 2 * RELAY_BLOCK + SMTP_LINE_MAX };

static_assert((int)SMALL_BODY_MAX <= (int)RELAY_BLOCK &&
        2 * (int)RELAY_BLOCK + (int)SMTP_LINE_MAX <= (int)RELAY_OUT_MAX,
    "a block, with the end of a message, leaves at once");
static_assert(((int)JOB_RCPT_MAX + 1) * ((int)SMTP_PATH_MAX + 64) <=
        2 * (int)RELAY_BLOCK,
    "so does an envelope");

static struct job_rcpt *
rcpt_at(const struct session *s, size_t i)
{
	return &s->trip->job->rcpt[s->todo[i]];
}

static struct span
host_of(const struct session *s)
{
	return span_str(s->target.text);
}

/* --- the end of a transaction ------------------------------------------ */

/*
 * All have their results, or wait for another transaction. An unclean end
 * leaves the server inside of one: it is told to forget it.
 */
static void
transaction_end(struct session *s, bool clean)
{
	struct trip *t = s->trip;

	if (clean || s->gone) {
		session_done(s);
		return;
	}
	s->trip = NULL;
	session_say(s, SPAN("RSET\r\n"));
	session_enter(s, S_RSET);
	trip_done(t);
}

void
mail_rset(struct session *s)
{
	if (s->reply.code / 100 != 2)
		s->gone = true;
	session_done(s);
}

void
mail_lost(struct session *s, const struct verdict *v)
{
	struct trip *t = s->trip;
	struct verdict twice;

	if (s->state == S_DOT && !v->theirs) {
		verdict_set(&twice, 451, "4.4.2", true,
		    "%.*s; the message had been sent, so it may arrive twice",
		    (int)(v->n < 400 ? v->n : 400), v->text);
		v = &twice;
	}
	job_result_all(t->job, RCPT_TAKEN, v, host_of(s));
	job_result_all(t->job, RCPT_WAITS, v, host_of(s));
	s->trip = NULL;
	trip_done(t);
}

static void
log_sent(const struct session *s, const struct verdict *v, size_t n)
{
	const struct tls *tls = conn_tls(s->conn);
	const char *note = body_note(s->trip->job);

	log_begin(LL_INFO, "sent");
	log_str("qid", s->trip->job->qid_text);
	log_str("host", s->target.text);
	log_num("code", (uint64_t)v->code);
	log_num("nrcpt", n);
	log_str("tls", tls == NULL ? "none" : tls_version(tls));
	if (note[0] != '\0')
		log_str("content", note);
	log_span("said", span_of(v->text, v->n));
	log_end();
}

/* --- the envelope ------------------------------------------------------ */

static void
put_mail(const struct session *s, struct buf *b)
{
	const struct job *j = s->trip->job;

	buf_str(b, "MAIL FROM:<");
	buf_span(b, j->sender);
	buf_char(b, '>');
	if ((s->can & CAN_SIZE) != 0)
		buf_fmt(b, " SIZE=%llu", (unsigned long long)body_octets(j));
	if ((s->can & CAN_8BITMIME) != 0 &&
	    ((j->flags & ENV_8BITMIME) != 0 || body_is_eight_bit(j)))
		buf_str(b, " BODY=8BITMIME");
	buf_str(b, "\r\n");
}

static void
put_rcpt(const struct session *s, size_t i, struct buf *b)
{
	buf_str(b, "RCPT TO:<");
	buf_span(b, rcpt_at(s, i)->address);
	buf_str(b, ">\r\n");
}

/* What cannot be sent to this server, said without asking it. */
static bool
refused_here(struct session *s)
{
	struct job *j = s->trip->job;
	struct verdict v = { 0 };

	if (s->size_max > 0 && body_octets(j) > s->size_max)
		verdict_set(&v, 552, "5.3.4", false,
		    "the message has %llu bytes, and %s takes no more than "
		    "%llu", (unsigned long long)body_octets(j), s->target.text,
		    (unsigned long long)s->size_max);
	else if (content_eight_bit(j->sender))
		verdict_set(&v, 553, "5.6.7", false,
		    "the sender's address is not ASCII");
	if (v.code != 0)
		job_result_all(j, RCPT_WAITS, &v, SPAN_NONE);
	verdict_set(&v, 553, "5.6.7", false, "the address is not ASCII");
	for (size_t i = 0; i < j->nrcpt; i++)
		if (j->rcpt[i].state == RCPT_WAITS &&
		    content_eight_bit(j->rcpt[i].address))
			job_result(j, &j->rcpt[i], &v, SPAN_NONE);
	return j->left == 0;
}

void
mail_begin(struct session *s)
{
	struct job *j = s->trip->job;
	size_t i;

	s->messages++;
	s->until = loop_now() + RELAY_TRANSACTION_MS;
	s->ntodo = s->at = s->taken = 0;
	s->mail_failed = s->answered = false;
	s->pipelined = (s->can & CAN_PIPELINING) != 0;
	s->state = S_IDLE;
	body_begin(j, (s->can & CAN_8BITMIME) != 0);
	if (refused_here(s)) {
		transaction_end(s, true);
		return;
	}
	for (i = 0; i < j->nrcpt; i++)
		if (j->rcpt[i].state == RCPT_WAITS)
			s->todo[s->ntodo++] = (uint8_t)i;
	buf_clear(&wire);
	put_mail(s, &wire);
	for (i = 0; s->pipelined && i < s->ntodo; i++)
		put_rcpt(s, i, &wire);
	if (s->pipelined)
		buf_str(&wire, "DATA\r\n");
	if (wire.bad)
		die("an envelope is too long");
	session_say(s, buf_get(&wire));
	session_enter(s, S_MAIL);
}

/* Only one answer at a time is due without a pipeline. */
static void
say_rcpt(struct session *s)
{
	if (s->pipelined)
		return;
	buf_clear(&wire);
	put_rcpt(s, s->at, &wire);
	session_say(s, buf_get(&wire));
}

void
mail_mail(struct session *s)
{
	struct verdict v;

	if (s->reply.code == 421 && s->messages > 1) {
		session_fail_reply(s, TRIP_FRESH); /* it had enough of us */
		return;
	}
	if (s->reply.code / 100 != 2) {
		verdict_reply(&v, &s->reply, s->reply.code >= 400 ? 0 : 451);
		v.host_down = s->gone;
		job_result_all(s->trip->job, RCPT_WAITS, &v, host_of(s));
		s->mail_failed = true;
		if (!s->pipelined || s->gone) {
			transaction_end(s, false);
			return;
		}
	}
	say_rcpt(s);
	session_enter(s, S_RCPT);
}

/* RFC 5321 4.5.3.1.10: the code may be 452, or 552 of old servers. */
static bool
too_many(const struct session *s)
{
	const char *e = s->reply.enhanced;

	return (s->reply.code == 452 || s->reply.code == 552) &&
	    s->taken > 0 &&
	    (e[0] == '\0' || strcmp(e + 1, ".5.3") == 0);
}

static void
rcpt_answer(struct session *s)
{
	struct job_rcpt *r = rcpt_at(s, s->at);
	struct verdict v;

	if (s->mail_failed || too_many(s))
		return;
	if (s->reply.code / 100 == 2) {
		r->state = RCPT_TAKEN;
		s->taken++;
		return;
	}
	verdict_reply(&v, &s->reply, s->reply.code >= 400 ? 0 : 451);
	job_result(s->trip->job, r, &v, host_of(s));
}

void
mail_rcpt(struct session *s)
{
	if (s->gone) { /* 421: for this one and all that follow */
		session_fail_reply(s, TRIP_NEXT);
		return;
	}
	rcpt_answer(s);
	if (++s->at < s->ntodo) {
		say_rcpt(s);
		session_enter(s, S_RCPT);
		return;
	}
	if (!s->pipelined) {
		if (s->taken == 0) {
			transaction_end(s, false);
			return;
		}
		session_say(s, SPAN("DATA\r\n"));
	}
	session_enter(s, S_DATA);
}

/* --- the message ------------------------------------------------------- */

void
mail_more(struct session *s)
{
	bool last;

	if (!body_more(s->trip->job, &wire, &last)) {
		session_fail_us(s, TRIP_NEXT, "4.3.0",
		    "the message cannot be read here");
	} else if (last) {
		session_say(s, buf_get(&wire));
		s->at = 0;
		if (!s->failed)
			session_enter(s, S_DOT);
	} else {
		conn_write(s->conn, buf_get(&wire));
		session_enter(s, S_BODY);
		conn_when_drained(s->conn);
	}
}

void
mail_data(struct session *s)
{
	struct verdict v;

	if (s->reply.code == 354 && !s->gone && s->taken > 0) {
		mail_more(s);
		return;
	}
	if (s->reply.code == 354 && !s->gone) { /* RFC 2920 3.1 */
		session_say(s, SPAN(".\r\n"));
		session_enter(s, S_DOT);
		return;
	}
	verdict_reply(&v, &s->reply, s->reply.code >= 400 ? 0 : 451);
	v.host_down = s->gone;
	job_result_all(s->trip->job, RCPT_TAKEN, &v, host_of(s));
	transaction_end(s, false);
}

/* An answer while we still send: whatever it says, it was not the whole. */
void
mail_early(struct session *s)
{
	struct verdict v;

	verdict_reply(&v, &s->reply, s->reply.code >= 400 ? 0 : 451);
	v.host_down = s->reply.code == 421;
	session_fail(s, TRIP_NEXT, &v);
}

/* LMTP: an answer for each that was accepted, in their order. */
static void
dot_lmtp(struct session *s, const struct verdict *v)
{
	while (s->at < s->ntodo && rcpt_at(s, s->at)->state != RCPT_TAKEN)
		s->at++;
	if (s->at == s->ntodo)
		return;
	job_result(s->trip->job, rcpt_at(s, s->at++), v, host_of(s));
	s->taken--;
}

void
mail_dot(struct session *s)
{
	int code = s->reply.code;
	struct verdict v;

	verdict_reply(&v, &s->reply,
	    code / 100 == 2 ? 250 : code >= 400 ? 0 : 451);
	v.host_down = s->gone;
	if (s->taken > 0)
		log_sent(s, &v, s->lmtp ? 1 : s->taken);
	if (s->lmtp && s->taken > 0 && !s->gone) {
		dot_lmtp(s, &v);
		if (s->taken > 0) {
			session_enter(s, S_DOT);
			return;
		}
	}
	job_result_all(s->trip->job, RCPT_TAKEN, &v, host_of(s));
	transaction_end(s, true);
}
