/*
 * cmd_idle: IDLE, RFC 2177: a wait for the client and for the folder, still
 * a straight line. Ends with DONE; Apple Mail has been seen to send its next
 * command instead, which is served then.
 */
#include "imapd/commands.h"
#include "imapd/session.h"
#include "lib/clock.h"
#include "lib/conf.h"
#include "lib/limits.h"
#include "lib/mailbox.h"
#include "lib/os.h"

enum { LOOK_MS = 1000 }; /* where nobody tells of changes */

static const struct imap_reply not_done = { OUT_BAD, NULL,
	"IDLE ends with DONE" };

/* The line that ended the wait. */
static const struct imap_reply *
idle_end(struct session *s)
{
	struct span line;
	enum net_got got = net_line(&s->net, &line);

	if (got != NET_LINE && got != NET_TOOLONG) {
		input_ended(s, got);
		return NULL;
	}
	if (got == NET_LINE && span_ieq(line, SPAN("DONE")))
		return &A_OK;
	if (got == NET_LINE && line.n > 0) {
		buf_clear(&s->next);
		buf_span(&s->next, line);
	}
	return &not_done;
}

/* One wait; false when the client has spoken, or the session is over. */
static bool
idle_wait(struct session *s, int fd, uint64_t until)
{
	uint64_t now = clock_ms(), ms = IMAP_STILL_MS;
	enum net_got got;

	if (now >= until) {
		input_ended(s, NET_TIMEOUT);
		return false;
	}
	if (s->box != NULL && fd == -1)
		ms = LOOK_MS;
	if (ms > until - now)
		ms = until - now;
	got = net_wait(&s->net, fd, ms);
	switch (got) {
	case NET_LINE:
		return false;
	case NET_OTHER:
		break;
	case NET_TIMEOUT:
		if (ms == IMAP_STILL_MS)
			out_status(&s->out, SPAN_NONE, OUT_OK, NULL,
			    "still here");
		break;
	default:
		input_ended(s, got);
		return false;
	}
	if (s->box != NULL)
		view_sync(s, true);
	return s->end == NULL && out_flush(&s->out) == 0;
}

const void *
cmd_idle(void *arg, struct span in)
{
	struct session *s = arg;
	uint64_t until = clock_ms() + s->conf->imap_timeout * 1000;
	int fd = -1;

	(void)in;
	out_continue(&s->out, "idling");
	if (s->box != NULL) {
		fd = mailbox_watch_fd(s->box);
		view_sync(s, true); /* what came before the watch stood */
	}
	if (s->end != NULL || out_flush(&s->out) == -1)
		return NULL;
	net_trim(&s->net);
	os_memory_trim();
	while (idle_wait(s, fd, until))
		;
	return s->end != NULL ? NULL : idle_end(s);
}
