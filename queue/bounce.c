/*
 * bounce: delivery status notifications, RFC 3464 in RFC 6522's report.
 *
 * - a report goes from <> and is never answered by a report: what cannot be
 *   told to the sender goes to the postmaster, once (a double bounce), and
 *   what cannot be told to the postmaster goes to the log
 * - texts of other hosts are safe text (buf_safe) and bounded; lines are
 *   folded below 998 octets
 * - the whole message comes back only if it is small; else its header
 */
#include "queue/bounce.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/header.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/qid.h"
#include "lib/die.h"
#include "queue/intake.h"
#include "queue/queue.h"
#include "queue/store.h"

enum { FOLD_AT = 400 };

/* Every failed recipient is named: this is the last that is heard of it. */
enum {
	MTA_MAX = HOST_MAX + 64,
	WORDS_MAX = SMTP_PATH_MAX + 512 + MTA_MAX + 64, /* for one, in prose */
	STATUS_MAX = 2 * SMTP_PATH_MAX + 512 + MTA_MAX + 384, /* its block */
	REPORT_MAX = QUEUE_BOUNCE_BODY + 16 * 1024 +
	    SPOOL_FINAL_MAX * (WORDS_MAX + STATUS_MAX),
};

struct kind {
	const char *subject, *action, *status, *text;
};

static const struct kind kind_failed = { "Undelivered mail returned to sender",
	"failed", "5.0.0",
	"Your message could not be delivered to the recipients below, and will\n"
	"not be tried again. It, or its header, is attached.\n" };
static const struct kind kind_delayed = { "Delayed mail (still being retried)",
	"delayed", "4.0.0",
	"Your message could not be delivered yet to the recipients below. There\n"
	"is no need to send it again.\n" };

/* --- parts ------------------------------------------------------------- */

static void
put_boundary(struct buf *b, const char *boundary, const char *end)
{
	buf_str(b, "--");
	buf_str(b, boundary);
	buf_str(b, end);
	buf_char(b, '\n');
}

static void
put_header(struct buf *b, const struct kind *k, const char *to,
    const char *qid, const char *boundary)
{
	const char *host = queue.conf->hostname;

	buf_str(b, "From: Mail Delivery System <MAILER-DAEMON@");
	buf_str(b, host);
	buf_str(b, ">\nTo: <");
	buf_safe(b, span_str(to));
	buf_str(b, ">\nSubject: ");
	buf_str(b, k->subject);
	buf_str(b, "\nDate: ");
	header_date(b, loop_wall());
	buf_str(b, "\nMessage-ID: <");
	buf_str(b, boundary);
	buf_str(b, "@");
	buf_str(b, host);
	/* RFC 3834 5: no vacation answers to this. */
	buf_str(b, ">\nAuto-Submitted: auto-replied\nX-Postern-Queue-ID: ");
	buf_str(b, qid);
	buf_str(b, "\nMIME-Version: 1.0\n"
		   "Content-Transfer-Encoding: 8bit\n"
		   "Content-Type: multipart/report; "
		   "report-type=delivery-status;\n\tboundary=\"");
	buf_str(b, boundary);
	buf_str(b, "\"\n\n");
}

/* Safe text with a fold before it gets long, not inside a character. */
static void
put_folded(struct buf *b, struct span text, const char *fold)
{
	size_t n;

	while (text.n > 0) {
		n = text.n < FOLD_AT ? text.n : FOLD_AT;
		while (n > 1 && n < text.n && (text.p[n] & 0xc0) == 0x80)
			n--;
		buf_safe(b, span_take(&text, n));
		if (text.n > 0)
			buf_str(b, fold);
	}
}

/* RFC 3464 2.1.1: fields of a status are ASCII. */
static void
put_ascii(struct buf *b, struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		buf_char(b, s.p[i] >= ' ' && s.p[i] < 0x7f ? s.p[i] : '?');
}

static void
put_ascii_folded(struct buf *b, struct span text)
{
	while (text.n > 0) {
		put_ascii(b, span_take(&text, FOLD_AT));
		if (text.n > 0)
			buf_str(b, "\n ");
	}
}

static void
put_words(struct buf *b, const struct kind *k, const struct message *m,
    enum rcpt_state state)
{
	buf_str(b, "Content-Type: text/plain; charset=utf-8\n"
		   "Content-Transfer-Encoding: 8bit\n\n");
	buf_str(b, "This is the mail system at host ");
	buf_str(b, queue.conf->hostname);
	buf_str(b, ".\n\n");
	buf_str(b, k->text);
	if (k == &kind_delayed)
		buf_fmt(b, "Delivery is tried for %ju hours in all.\n",
		    (uintmax_t)(queue.conf->queue_lifetime / 3600));
	buf_char(b, '\n');
	for (size_t i = 0; i < m->nrcpt; i++) {
		const struct rcpt *r = &m->rcpt[i];

		if (r->state != state)
			continue;
		buf_str(b, "  <");
		buf_safe(b, span_str(r->orig));
		buf_str(b, ">: ");
		if (r->host != NULL) {
			buf_str(b, "host ");
			put_folded(b, span_str(r->host), "\n      ");
			buf_str(b, " said: ");
		}
		if (r->reply != NULL)
			put_folded(b, span_str(r->reply->text), "\n      ");
		buf_char(b, '\n');
	}
	buf_char(b, '\n');
}

/* RFC 3464 2.3.5: "mx.example.org[192.0.2.1]:25" without what follows. */
static void
put_remote(struct buf *b, const char *host)
{
	struct span rest = span_str(host), name = span_cut(&rest, '[');
	struct span address = span_cut(&rest, ']');

	buf_str(b, "\nRemote-MTA: dns; ");
	if (name.n != 0 && !span_eq(name, address)) {
		put_ascii(b, name);
		return;
	}
	buf_char(b, '[');
	put_ascii(b, address);
	buf_char(b, ']');
}

/* Dates of an attempt, and of the last one there will be: 2.3.7, 2.3.9. */
static void
put_dates(struct buf *b, const struct kind *k, const struct rcpt *r)
{
	if (r->when > 0) {
		buf_str(b, "\nLast-Attempt-Date: ");
		header_date(b, r->when);
	}
	if (k == &kind_delayed) {
		buf_str(b, "\nWill-Retry-Until: ");
		header_date(b, r->msg->arrived +
		    (int64_t)queue.conf->queue_lifetime);
	}
}

/* RFC 3464 2.3: one block a recipient. */
static void
put_status_of(struct buf *b, const struct kind *k, const struct rcpt *r)
{
	const struct reply_copy *reply = r->reply;

	buf_str(b, "\nOriginal-Recipient: rfc822; ");
	put_ascii(b, span_str(r->orig));
	buf_str(b, "\nFinal-Recipient: rfc822; ");
	put_ascii(b, span_str(r->address));
	buf_str(b, "\nAction: ");
	buf_str(b, k->action);
	buf_str(b, "\nStatus: ");
	/* RFC 3464 2.3.4: of the action's class, whatever it said. */
	if (reply != NULL && reply->enhanced[0] == k->status[0])
		buf_str(b, reply->enhanced);
	else
		buf_str(b, k->status);
	if (r->host != NULL)
		put_remote(b, r->host);
	if (reply != NULL) {
		buf_str(b, "\nDiagnostic-Code: smtp; ");
		buf_num(b, (uint64_t)reply->code);
		buf_char(b, ' ');
		buf_str(b, reply->enhanced);
		buf_char(b, ' ');
		put_ascii_folded(b, span_str(reply->text));
	}
	put_dates(b, k, r);
	buf_char(b, '\n');
}

static void
put_status(struct buf *b, const struct kind *k, const struct message *m,
    enum rcpt_state state)
{
	buf_str(b, "Content-Type: message/delivery-status\n\n"
		   "Reporting-MTA: dns; ");
	buf_str(b, queue.conf->hostname);
	buf_str(b, "\nX-Postern-Queue-ID: ");
	buf_str(b, message_qid(m));
	buf_str(b, "\nArrival-Date: ");
	header_date(b, m->arrived);
	buf_char(b, '\n');
	for (size_t i = 0; i < m->nrcpt; i++)
		if (m->rcpt[i].state == state)
			put_status_of(b, k, &m->rcpt[i]);
	buf_char(b, '\n');
}

/*
 * The message's first bytes, from memory or from its file. -1: not now; what
 * cannot be read for another reason than a lack of room is left out: the
 * report matters more.
 */
static int
read_original(const struct message *m, struct span *out)
{
	static char text[QUEUE_BOUNCE_BODY];
	size_t n = m->size < sizeof(text) ? (size_t)m->size : sizeof(text);
	ssize_t got = -1;
	int fd;

	*out = span_slice(buf_get(&m->body), 0, n);
	if (m->body.n == m->size)
		return 0;
	if ((fd = store_open(m->qid)) != -1)
		got = store_read(fd, text, n, m->body_at);
	else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
		return -1;
	fd_close(&fd);
	*out = span_of(text, got == -1 ? 0 : (size_t)got);
	return 0;
}

static void
put_original(struct buf *b, const struct kind *k, const struct message *m,
    struct span body)
{
	struct span rest = body;
	struct header_field f;
	bool whole = m->size <= QUEUE_BOUNCE_BODY && k == &kind_failed;

	if (!whole) {
		while (header_next(&rest, &f))
			;
		body = span_slice(body, 0, body.n - rest.n);
	}
	buf_str(b, whole ? "Content-Type: message/rfc822\n" :
			   "Content-Type: text/rfc822-headers\n");
	/* RFC 2045 6.2: without a word it would be 7bit. */
	buf_str(b, "Content-Transfer-Encoding: 8bit\n\n");
	buf_span(b, body);
	if (b->n > 0 && b->p[b->n - 1] != '\n')
		buf_char(b, '\n');
}

static void
report_write(struct buf *b, const struct kind *k, const struct message *m,
    enum rcpt_state state, const char *to, struct span original)
{
	char id[QID_TEXT_MAX], boundary[QID_TEXT_MAX + 16];
	struct buf t;

	qid_text(qid_new(), id);
	buf_init(&t, sizeof(boundary) - 1);
	buf_str(&t, "=_report_");
	buf_str(&t, id);
	(void)span_copy(boundary, sizeof(boundary), buf_get(&t));
	buf_fini(&t);
	put_header(b, k, to, message_qid(m), boundary);
	buf_str(b, "This is a report in MIME format.\n\n");
	put_boundary(b, boundary, "");
	put_words(b, k, m, state);
	put_boundary(b, boundary, "");
	put_status(b, k, m, state);
	put_boundary(b, boundary, "");
	put_original(b, k, m, original);
	buf_char(b, '\n');
	put_boundary(b, boundary, "--");
}

/* --- whom to tell ------------------------------------------------------ */

/*
 * The sender; for a message that is itself a report, or came from <>, the
 * postmaster; "": nobody.
 */
static const char *
whom(const struct message *m, struct buf *postmaster, uint32_t *flags)
{
	const char *p = queue.conf->postmaster;

	*flags = ENV_BOUNCE;
	if (m->sender[0] != '\0')
		return m->sender;
	if ((m->flags & ENV_DOUBLE) != 0 || p[0] == '\0')
		return "";
	*flags |= ENV_DOUBLE;
	buf_str(postmaster, p);
	if (!span_has(span_str(p), '@')) {
		buf_char(postmaster, '@');
		buf_str(postmaster, queue.conf->default_domain);
	}
	return buf_cstr(postmaster);
}

static void
log_bounce(const struct message *m, const char *to, const char *event)
{
	log_begin(LL_INFO, event);
	log_str("qid", message_qid(m));
	log_str("to", to);
	log_end();
}

/* What the callback of intake needs: the message may be gone by then. */
struct pending_report {
	uint64_t qid;
	void (*done)(struct message *, bool);
};

static void
on_stored(void *arg, bool durable)
{
	struct pending_report *p = arg;
	struct message *m = message_find(p->qid);

	if (m != NULL)
		p->done(m, durable);
	free(p);
}

int
bounce_send(struct message *m, enum rcpt_state state,
    void (*done)(struct message *m, bool durable))
{
	static struct envelope e; /* large: not on the stack */
	struct pending_report *p = NULL;
	struct buf b, postmaster;
	struct span original;
	const char *to;
	int rc = 0;

	buf_init(&b, REPORT_MAX);
	buf_init(&postmaster, SMTP_PATH_MAX);
	e = (struct envelope){ .arrived = loop_wall(), .nrcpt = 1,
		.client = SPAN("local"), .protocol = SPAN("local"),
		.sid = span_str(m->sid) };
	to = whom(m, &postmaster, &e.flags);
	if (to == NULL || to[0] == '\0') {
		log_bounce(m, "", "dropped");
		if (done != NULL)
			done(m, true);
		goto out;
	}
	if (read_original(m, &original) == -1) {
		rc = -1;
		goto out;
	}
	report_write(&b, state == RCPT_FAILED ? &kind_failed : &kind_delayed,
	    m, state, to, original);
	e.rcpt[0] = span_str(to);
	if (done != NULL) {
		p = xcalloc(1, sizeof(*p));
		p->qid = m->qid;
		p->done = done;
	}
	if (b.bad || intake_own(&e, buf_get(&b), p == NULL ? NULL : on_stored,
			 p) == -1) {
		free(p);
		rc = -1;
		goto out;
	}
	log_bounce(m, to, "report");
out:
	buf_fini(&b);
	buf_fini(&postmaster);
	return rc;
}
