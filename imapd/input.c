/*
 * input: a command becomes one buffer: its lines, each but the last with CR
 * LF, and the literals between them (RFC 3501 4.3, RFC 7888). What is too
 * large is refused before it is sent, or else read and forgotten.
 *
 * Only APPEND's message stays on the wire: s->literal_waits.
 */
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
		    "the server ends this session");
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
 * A line that was dropped for its length. If it may have announced a literal
 * nobody knows where the next command begins.
 */
static int
drop_long(struct session *s)
{
	if (s->net.last != '}')
		return 0;
	session_bye(s, "error", "TOOBIG", "the command is too long");
	return -1;
}

/*
 * Forgets the rest of a command whose last line ended like this. A literal
 * that waits for "+" does not come: the tagged answer stands for it.
 */
static int
drop_command(struct session *s, enum imap_ends ends, struct imap_literal lit)
{
	struct span line;
	enum net_got got;

	while (ends == IMAP_LITERAL_FOLLOWS && !lit.sync) {
		if (input_drop_literal(s, lit.size) == -1)
			return -1;
		got = net_line(&s->net, &line);
		if (got == NET_TOOLONG)
			return drop_long(s);
		if (got != NET_LINE) {
			input_ended(s, got);
			return -1;
		}
		ends = imap_line_end(line, &lit);
	}
	if (ends != IMAP_LITERAL_BAD)
		return 0;
	session_bye(s, "error", "TOOBIG", "no such literal");
	return -1;
}

static enum input
drop_and_refuse(struct session *s, enum imap_ends ends,
    struct imap_literal lit, const struct imap_reply *why)
{
	if (drop_command(s, ends, lit) == -1)
		return INPUT_END;
	return refuse(s, why);
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

/* What came is no line. */
static enum input
no_line(struct session *s, enum net_got got, struct span begun)
{
	if (got != NET_TOOLONG) {
		input_ended(s, got);
		return INPUT_END;
	}
	if (drop_long(s) == -1)
		return INPUT_END;
	if (s->command.n == 0)
		buf_span(&s->command, begun);
	return refuse(s, &too_long);
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

/* A literal is announced by the last n bytes of the command. */
static enum input
take_literal(struct session *s, const struct imap_literal *lit, size_t n)
{
	find_tag(s);
	if (s->tag.n == 0)
		return drop_and_refuse(s, IMAP_LITERAL_FOLLOWS, *lit, &no_tag);
	if (append_message_next(s, s->command.n - n)) {
		s->literal = *lit;
		s->literal_waits = true;
		s->literal_text = n;
		return INPUT_COMMAND;
	}
	if (!literal_fits(s, lit))
		return drop_and_refuse(s, IMAP_LITERAL_FOLLOWS, *lit,
		    &too_large);
	return read_literal(s, lit) == -1 ? INPUT_END : INPUT_MORE;
}

/* Appends a line to the command. */
static enum input
take_line(struct session *s, struct span line)
{
	struct imap_literal lit = { .size = 0 };
	enum imap_ends ends = imap_line_end(line, &lit);
	size_t n = line.n - lit.at;

	buf_span(&s->command, line);
	buf_clear(&s->next); /* where line may have been */
	if (s->command.bad)
		return drop_and_refuse(s, ends, lit, &too_long);
	switch (ends) {
	case IMAP_LITERAL_FOLLOWS:
		return take_literal(s, &lit, n);
	case IMAP_LITERAL_BAD:
		(void)drop_command(s, ends, lit);
		return INPUT_END;
	case IMAP_LINE_ENDS:
		break;
	}
	find_tag(s);
	return INPUT_COMMAND;
}

enum input
input_gather(struct session *s)
{
	enum input in = INPUT_MORE;
	struct span line;
	enum net_got got;

	buf_clear(&s->command);
	buf_clear(&s->scratch);
	s->tag = SPAN_NONE;
	s->literal_waits = false;
	while (in == INPUT_MORE) {
		if ((got = next_line(s, &line)) != NET_LINE)
			return no_line(s, got, line);
		if (line.n == 0 && s->command.n == 0)
			continue; /* Apple Mail sends such */
		in = take_line(s, line);
	}
	return in;
}

int
input_last_line(struct session *s)
{
	struct imap_literal lit = { .size = 0 };
	enum imap_ends ends;
	struct span line;
	enum net_got got;

	got = net_line(&s->net, &line);
	if (got == NET_LINE && line.n == 0)
		return 0;
	if (got == NET_LINE) {
		ends = imap_line_end(line, &lit);
		(void)drop_command(s, ends, lit);
	} else if (got == NET_TOOLONG) {
		(void)drop_long(s);
	} else {
		input_ended(s, got);
	}
	return -1;
}
