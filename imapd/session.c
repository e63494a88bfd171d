/*
 * session: the turns of one session, and its end.
 *
 * - one tagged response for each command that had a tag
 * - a client that only makes errors waits, then leaves
 * - between two commands an idle session holds no buffer
 */
#include "imapd/session.h"

#include <string.h>
#include <time.h>

#include "imapd/commands.h"
#include "imapd/text.h"
#include "lib/folders.h"
#include "lib/limits.h"
#include "lib/log.h"

/* --- answers -------------------------------------------------------------- */

/* SIGTERM ends the wait. */
static void
wait_ms(unsigned ms)
{
	struct timespec ts = { .tv_sec = ms / 1000,
		.tv_nsec = (long)(ms % 1000) * 1000000 };

	(void)nanosleep(&ts, NULL);
}

static void
count_error(struct session *s)
{
	if (++s->errors > IMAP_ERRORS_MAX) {
		session_bye(s, "errors", NULL, "too many errors");
		return;
	}
	if (s->errors <= IMAP_ERRORS_FREE)
		return;
	(void)out_flush(&s->out);
	wait_ms(IMAP_DELAY_MS);
}

void
session_answer(struct session *s, const struct imap_reply *r)
{
	if (s->end != NULL && r->status != OUT_OK)
		return; /* the last word is said */
	out_status(&s->out, s->tag, r->status, r->code, r->text);
	if (r->status == OUT_BAD)
		count_error(s);
	else if (s->errors > 0)
		s->errors--;
}

void
session_bye(struct session *s, const char *why, const char *code,
    const char *text)
{
	if (s->end != NULL)
		return;
	s->end = why;
	out_status(&s->out, SPAN_NONE, OUT_BYE, code, text);
	(void)out_flush(&s->out);
}

/* --- turns ---------------------------------------------------------------- */

/* A long command is rare: its memory goes. */
static void
buffers_trim(struct session *s)
{
	buf_clear(&s->scratch);
	buf_trim(&s->scratch);
	if (s->command.cap > 1024) {
		buf_clear(&s->command);
		buf_trim(&s->command);
	}
}

static void
turn(struct session *s)
{
	const struct imap_reply *answer;
	struct imap_reply syntax = A_SYNTAX;
	const char *usage;

	target_rest(s);
	switch (input_gather(s)) {
	case INPUT_COMMAND:
		break;
	case INPUT_AGAIN:
	case INPUT_END:
	case INPUT_MORE:
		return;
	}
	s->commands++;
	answer = commands_run(s, &usage);
	if (s->end == NULL && s->box != NULL && answer != NULL &&
	    answer->status != OUT_BAD && !s->told_all)
		view_sync(s, !s->sync_numbers);
	if (answer == &A_SYNTAX && usage != NULL) {
		syntax.text = usage;
		answer = &syntax;
	}
	if (answer != NULL)
		session_answer(s, answer);
	buffers_trim(s);
	log_flush(); /* nobody else does, and the next turn may be long off */
}

/* What login has checked, we confirm: the folder's owner is there. */
static void
greet(struct session *s, struct span tag)
{
	out_status_begin(&s->out, tag, tag.n > 0 ? OUT_OK : OUT_PREAUTH);
	out_code_open(&s->out, "");
	out_tight(&s->out);
	capabilities_out(s);
	out_code_close(&s->out);
	out_status_end(&s->out, tag.n > 0 ? "logged in" : "ready");
}

static int
sink(void *arg, struct span bytes)
{
	struct session *s = arg;

	s->octets += bytes.n;
	return net_send(&s->net, bytes);
}

void
session_run(struct session *s, struct span tag)
{
	buf_init(&s->command, IMAP_COMMAND_MAX);
	buf_init(&s->scratch, IMAP_COMMAND_MAX);
	buf_init(&s->box_name, PATH_LEN_MAX * 4);
	buf_init(&s->next, IMAP_LINE_MAX);
	out_init(&s->out, sink, s);
	s->state = ST_AUTHENTICATED;
	greet(s, tag);
	while (s->end == NULL)
		turn(s);
	(void)out_flush(&s->out);
	(void)net_flush(&s->net);
}

void
session_fini(struct session *s)
{
	target_close(s);
	view_close(s);
	folders_free(s->folders);
	s->folders = NULL;
	out_fini(&s->out);
	buf_fini(&s->command);
	buf_fini(&s->scratch);
	buf_fini(&s->box_name);
	buf_fini(&s->next);
}
