/*
 * message: reads, completes and scans a message for sendmail(8).
 */
#include "ctl/message.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "lib/chars.h"
#include "lib/header.h"
#include "lib/limits.h"
#include "lib/qid.h"

/* Drops CR before LF, and NUL, which no mail may hold; finds a lone dot. */
static bool
input_add(struct buf *out, struct span in, bool dot_ends)
{
	for (size_t i = 0; i < in.n; i++) {
		char c = in.p[i];

		if (c == '\0')
			continue;
		if (c == '\n' && out->n > 0 && out->p[out->n - 1] == '\r')
			out->n--;
		buf_char(out, c);
		if (!dot_ends || c != '\n' || out->n < 2 ||
		    out->p[out->n - 2] != '.')
			continue;
		if (out->n == 2 || out->p[out->n - 3] == '\n') {
			out->n -= 2;
			return true;
		}
	}
	return false;
}

int
message_read(struct message *m, size_t max, bool dot_ends)
{
	char part[65536];
	ssize_t got;

	buf_init(&m->raw, max);
	buf_init(&m->text, max + SMTP_HEADER_MAX);
	do {
		got = read(STDIN_FILENO, part, sizeof(part));
		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1)
			return ctl_fail(EX_NOINPUT, "standard input: %s",
			    strerror(errno));
		if (input_add(&m->raw, span_of(part, (size_t)got), dot_ends))
			break;
	} while (got != 0);
	if (m->raw.bad)
		return ctl_fail(EX_DATAERR, "the message is larger than "
		    "message-size, %zu bytes", max);
	return EX_OK;
}

void
message_fini(struct message *m)
{
	buf_fini(&m->raw);
	buf_fini(&m->text);
}

/* Skips a comment, nested ones counted; i is at its '('. */
static size_t
comment_skip(struct span s, size_t i)
{
	size_t depth = 0;

	for (; i < s.n; i++) {
		if (s.p[i] == '\\')
			i++;
		else if (s.p[i] == '(')
			depth++;
		else if (s.p[i] == ')' && --depth == 0)
			return i + 1;
	}
	return s.n;
}

/* Copies a quoted string as it stands; i is at its first '"'. */
static size_t
quoted_copy(struct span s, size_t i, struct buf *out)
{
	do {
		if (s.p[i] == '\\' && i + 1 < s.n)
			buf_char(out, s.p[i++]);
		buf_char(out, s.p[i++]);
	} while (i < s.n && s.p[i] != '"');
	buf_char(out, '"');
	return i + 1;
}

struct mailbox { /* the one that is being scanned */
	struct buf text;
	bool in_route, had_route; /* inside, behind <...> */
};

static void
mailbox_end(struct mailbox *m, void (*found)(void *, struct span), void *arg)
{
	if (m->text.n != 0 && !m->text.bad)
		found(arg, buf_get(&m->text));
	buf_clear(&m->text);
	m->in_route = m->had_route = false;
}

void
message_addresses(struct span list, void (*found)(void *, struct span),
    void *arg)
{
	struct mailbox m = { 0 };
	size_t i = 0;
	char c;

	buf_init(&m.text, 2 * SMTP_PATH_MAX);
	while (i < list.n) {
		c = list.p[i];
		if (c == '(') {
			i = comment_skip(list, i);
			continue;
		}
		if (c == '"' && !m.had_route) {
			i = quoted_copy(list, i, &m.text);
			continue;
		}
		i++;
		if (c == '<') { /* what stood before was a name */
			buf_clear(&m.text);
			m.in_route = true;
		} else if (c == '>') {
			m.in_route = false;
			m.had_route = true;
		} else if (m.in_route) {
			if (!char_is(c, CH_BLANK | CH_CTL))
				buf_char(&m.text, c);
		} else if (c == ',' || c == ';') {
			mailbox_end(&m, found, arg);
		} else if (c == ':') { /* the name of a group */
			buf_clear(&m.text);
		} else if (!m.had_route && !char_is(c, CH_BLANK | CH_CTL)) {
			buf_char(&m.text, c);
		}
	}
	mailbox_end(&m, found, arg);
	buf_fini(&m.text);
}

enum { HAS_FROM = 1, HAS_DATE = 2, HAS_ID = 4, HAS_RESENT = 8 };

static unsigned
header_look(struct span text)
{
	struct header_field f;
	unsigned has = 0;

	while (header_next(&text, &f)) {
		if (span_ieq(f.name, SPAN("From")))
			has |= HAS_FROM;
		else if (span_ieq(f.name, SPAN("Date")))
			has |= HAS_DATE;
		else if (span_ieq(f.name, SPAN("Message-ID")))
			has |= HAS_ID;
		else if (span_istarts(f.name, SPAN("Resent-")))
			has |= HAS_RESENT;
	}
	return has;
}

/* RFC 5322 3.6.6: a resent message goes to whom it is resent. */
static bool
names_recipients(struct span name, bool resent)
{
	if (resent)
		return span_ieq(name, SPAN("Resent-To")) ||
		    span_ieq(name, SPAN("Resent-Cc")) ||
		    span_ieq(name, SPAN("Resent-Bcc"));
	return span_ieq(name, SPAN("To")) || span_ieq(name, SPAN("Cc")) ||
	    span_ieq(name, SPAN("Bcc"));
}

static void
from_add(struct buf *out, const struct message_options *o)
{
	struct span name = span_str(o->name);

	buf_str(out, "From: ");
	if (name.n != 0) { /* a quoted-string, RFC 5322 3.2.4 */
		buf_char(out, '"');
		for (size_t i = 0; i < name.n; i++) {
			if (name.p[i] == '"' || name.p[i] == '\\')
				buf_char(out, '\\');
			if (!char_is(name.p[i], CH_CTL))
				buf_char(out, name.p[i]);
		}
		buf_str(out, "\" ");
	}
	buf_fmt(out, "<%s>\n", o->sender[0] != '\0' ? o->sender
						    : "MAILER-DAEMON");
}

static void
header_complete(struct buf *out, unsigned has, const struct message_options *o)
{
	char id[QID_TEXT_MAX];

	if ((has & HAS_ID) == 0) {
		qid_text(qid_new(), id);
		buf_fmt(out, "Message-ID: <%s@%s>\n", id, o->host);
	}
	if ((has & HAS_DATE) == 0) {
		buf_str(out, "Date: ");
		header_date(out, (int64_t)time(NULL));
		buf_char(out, '\n');
	}
	if ((has & HAS_FROM) == 0)
		from_add(out, o);
}

void
message_build(struct message *m, const struct message_options *o,
    void (*found)(void *, struct span), void *arg)
{
	struct span rest = buf_get(&m->raw);
	struct header_field f;
	unsigned has;

	if (span_starts(rest, SPAN("From "))) /* of an mbox file */
		(void)span_line(&rest);
	has = header_look(rest);
	header_complete(&m->text, has, o);
	while (header_next(&rest, &f)) {
		if (o->from_header &&
		    names_recipients(f.name, (has & HAS_RESENT) != 0))
			message_addresses(f.value, found, arg);
		if (o->from_header && (span_ieq(f.name, SPAN("Bcc")) ||
		    span_ieq(f.name, SPAN("Resent-Bcc"))))
			continue;
		buf_span(&m->text, f.whole);
	}
	if (m->text.n != 0 && m->text.p[m->text.n - 1] != '\n')
		buf_char(&m->text, '\n'); /* input that ends in its header */
	if (rest.n == 0 || rest.p[0] != '\n')
		buf_char(&m->text, '\n'); /* a body without a header */
	buf_span(&m->text, rest);
}
