/*
 * input: a command becomes one buffer: its lines, each but the last with CR
 * LF, and the literals between them (RFC 3501 4.3, RFC 7888). What is too
 * large is refused before it is sent, or else read and forgotten.
 *
 * Only APPEND's message stays on the wire: s->literal_waits.
 */
#include <string.h>

#include "imapd/append.h"
#include "imapd/session.h"
#include "lib/limits.h"

static const struct imap_reply too_long = { OUT_BAD, "TOOBIG",
	"the command is too long" };
static const struct imap_reply too_large = { OUT_BAD, "TOOBIG",
	"the literal is too large" };
static const struct imap_reply no_tag = { OUT_BAD, NULL,
	"a command begins with a tag and a blank" };

void
input_ended(struct session *s, enum net_got got)
{
	switch (got) {
	case NET_TIMEOUT: /* RFC 3501 5.4 */
		session_bye(s, "timeout", NULL, "silent for too long");
		break;
	case NET_STOP:
		session_bye(s, "stop", "UNAVAILABLE",
		    "the server is shutting down");
		break;
	default:
		s->end = "closed";
		break;
	}
}

/* The tag of what has been gathered so far, for an answer. */
static void
find_tag(struct session *s)
{
	struct span in = buf_get(&s->command);

	s->tag = SPAN_NONE;
	(void)imap_tag(&in, &s->tag);
}

static enum input
refuse(struct session *s, const struct imap_reply *why)
{
	find_tag(s);
	session_answer(s, why);
	return s->end == NULL ? INPUT_AGAIN : INPUT_END;
}

int
input_drop_literal(struct session *s, uint64_t size)
{
	struct span some;
	enum net_got got;

	if (size > IMAP_DRAIN_MAX) {
		session_bye(s, "error", "TOOBIG", "the literal is too large");
		return -1;
	}
	while (size > 0) {
		got = net_bytes(&s->net,
		    size > SIZE_MAX ? SIZE_MAX : (size_t)size, &some);
		if (got != NET_LINE) {
			input_ended(s, got);
			return -1;
		}
		size -= some.n;
	}
	return 0;
}

/*
 * Forgets the rest of a command of which line was just read. A literal that
 * waits for "+" does not come: the tagged answer stands for it.
 */
static int
drop_command(struct session *s, struct span line)
{
	struct imap_literal lit;
	enum net_got got;

	for (;;) {
		switch (imap_line_end(line, &lit)) {
		case IMAP_LINE_ENDS:
			return 0;
		case IMAP_LITERAL_BAD:
			session_bye(s, "error", "TOOBIG", "no such literal");
			return -1;
		case IMAP_LITERAL_FOLLOWS:
			break;
		}
		if (lit.sync)
			return 0;
		if (input_drop_literal(s, lit.size) == -1)
			return -1;
		got = net_line(&s->net, &line);
		if (got != NET_LINE && got != NET_TOOLONG) {
			input_ended(s, got);
			return -1;
		}
		if (got == NET_TOOLONG)
			return 0;
	}
}

/* The literal at the end of line is too much. */
static enum input
refuse_literal(struct session *s, struct span line)
{
	if (drop_command(s, line) == -1)
		return INPUT_END;
	return refuse(s, &too_large);
}

static int
read_literal(struct session *s, const struct imap_literal *lit)
{
	size_t left = (size_t)lit->size;
	struct span some;
	enum net_got got;

	buf_str(&s->command, "\r\n");
	if (lit->sync) {
		out_continue(&s->out, "go on");
		(void)out_flush(&s->out);
	}
	while (left > 0) {
		got = net_bytes(&s->net, left, &some);
		if (got != NET_LINE) {
			input_ended(s, got);
			return -1;
		}
		buf_span(&s->command, some);
		left -= some.n;
	}
	return 0;
}

static bool
literal_fits(const struct session *s, const struct imap_literal *lit)
{
	return lit->size <= s->command.max - s->command.n &&
	    s->command.max - s->command.n - lit->size >= 2;
}

static enum input
got_line(struct session *s, enum net_got got, struct span line)
{
	if (got == NET_TOOLONG) {
		if (s->command.n == 0)
			buf_span(&s->command, line);
		return refuse(s, &too_long);
	}
	input_ended(s, got);
	return INPUT_END;
}

/* A line; output goes out first if there is a wait. */
static enum net_got
next_line(struct session *s, struct span *line)
{
	if (s->next.n > 0 && s->command.n == 0) {
		*line = buf_get(&s->next);
		return NET_LINE;
	}
	if (!net_ready(&s->net)) {
		(void)out_flush(&s->out);
		net_trim(&s->net);
	}
	return net_line(&s->net, line);
}

enum input
input_gather(struct session *s)
{
	struct imap_literal lit;
	struct span line;
	enum net_got got;

	buf_clear(&s->command);
	buf_clear(&s->scratch);
	s->tag = SPAN_NONE;
	s->literal_waits = false;
	for (;;) {
		if ((got = next_line(s, &line)) != NET_LINE)
			return got_line(s, got, line);
		if (line.n == 0 && s->command.n == 0)
			continue; /* Apple Mail sends such */
		buf_span(&s->command, line);
		if (s->command.bad)
			return drop_command(s, line) == -1 ?
			    INPUT_END : refuse(s, &too_long);
		switch (imap_line_end(line, &lit)) {
		case IMAP_LINE_ENDS:
			buf_clear(&s->next);
			find_tag(s);
			return INPUT_COMMAND;
		case IMAP_LITERAL_BAD:
			session_bye(s, "error", "TOOBIG", "no such literal");
			return INPUT_END;
		case IMAP_LITERAL_FOLLOWS:
			break;
		}
		find_tag(s);
		if (s->tag.n == 0)
			return drop_command(s, line) == -1 ?
			    INPUT_END : refuse(s, &no_tag);
		if (append_message_next(s,
			s->command.n - (line.n - lit.at))) {
			s->literal = lit;
			s->literal_waits = true;
			s->literal_text = line.n - lit.at;
			buf_clear(&s->next);
			return INPUT_COMMAND;
		}
		if (!literal_fits(s, &lit))
			return refuse_literal(s, line);
		if (read_literal(s, &lit) == -1)
			return INPUT_END;
		buf_clear(&s->next);
	}
}

int
input_last_line(struct session *s)
{
	struct span line;
	enum net_got got;

	got = net_line(&s->net, &line);
	if (got != NET_LINE && got != NET_TOOLONG) {
		input_ended(s, got);
		return -1;
	}
	if (got == NET_LINE && line.n == 0)
		return 0;
	if (got == NET_LINE)
		(void)drop_command(s, line);
	return -1;
}
