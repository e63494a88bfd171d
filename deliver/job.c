/*
 * job: one message for some recipients of this worker's owner.
 *
 * Each copy begins with two lines of its own: Return-Path (RFC 5321 4.4) and
 * Delivered-To, which names the final address. A message that already has
 * our Delivered-To has been here before and came back: it is refused with
 * 5.4.6 (RFC 3463 3.5), or two forwards that point at each other would fill
 * the mailbox.
 */
#include "deliver/job.h"

#include <assert.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/header.h"

/* Return-Path, Delivered-To: two addresses and the names around them. */
enum { TRACE_MAX = 2 * SMTP_PATH_MAX + 64 };

static_assert((int)SMALL_BODY_MAX <= (int)STORE_CHUNK,
    "an inline body is one piece");

static char head[STORE_CHUNK];

/* Has the message been delivered to this address before? */
static bool
loops(struct span message, struct span address)
{
	struct header_field f;

	while (header_next(&message, &f))
		if (span_ieq(f.name, SPAN("Delivered-To")) &&
		    span_ieq(span_trim(f.value), address))
			return true;
	return false;
}

/* Nothing that could end a line gets into a header. */
static bool
one_line(struct span s)
{
	return !span_has(s, '\n') && !span_has(s, '\r') && !span_has(s, '\0');
}

static void
trace_write(struct buf *b, struct span sender, struct span address)
{
	buf_str(b, "Return-Path: <");
	buf_span(b, sender);
	buf_str(b, ">\nDelivered-To: ");
	buf_span(b, address);
	buf_char(b, '\n');
}

static void
deliver_one(const struct ipc_job *j, const struct ipc_job_rcpt *r,
    const struct body *body, struct outcome *out)
{
	static struct buf trace = { .max = TRACE_MAX };

	out->qid = j->qid;
	out->index = r->index;
	buf_clear(&trace);
	trace_write(&trace, j->sender, r->address);
	if (trace.bad || !one_line(j->sender) || !one_line(r->address)) {
		outcome_set(out, 554, "5.1.3", "not an address");
		return;
	}
	if (loops(body->head, r->address)) {
		outcome_set(out, 554, "5.4.6",
		    "mail loop: the message was delivered here before");
		return;
	}
	store_add(r->mailbox, j->arrived, j->qid, r->index, buf_get(&trace),
	    body, out);
}

/* The whole message if it is inline, else the front of the file. */
static int
body_begin(struct body *b, const struct ipc_job *j, int fd)
{
	ssize_t n;

	/*
	 * Neither a file nor a body: the descriptor was lost on the way
	 * (EMFILE). Every message has at least its trace header.
	 */
	if (fd == -1 && j->body.n == 0)
		return -1;
	*b = (struct body){ .fd = fd, .offset = j->offset, .size = j->size };
	if (fd == -1) {
		b->head = j->body;
		b->size = j->body.n;
		return 0;
	}
	n = body_read(b, 0, head, sizeof(head));
	if (n == -1)
		return -1;
	b->head = span_of(head, (size_t)n);
	return 0;
}

int
job_take(struct ipc_msg *msg, struct outcome *out)
{
	static struct ipc_job j;
	struct body body;
	size_t i;
	int readable;

	if (msg->type != IPC_JOB || ipc_job_decode(msg->body, &j) == -1) {
		ipc_close_fds(msg);
		return -1;
	}
	memset(out, 0, j.nrcpt * sizeof(*out));
	readable = body_begin(&body, &j, msg->fd[0]);
	for (i = 0; i < j.nrcpt; i++) {
		if (readable == 0) {
			deliver_one(&j, &j.rcpt[i], &body, &out[i]);
			continue;
		}
		out[i].qid = j.qid;
		out[i].index = j.rcpt[i].index;
		outcome_set(&out[i], 451, "4.3.0",
		    "the message's file cannot be read");
	}
	ipc_close_fds(msg);
	return (int)j.nrcpt;
}
