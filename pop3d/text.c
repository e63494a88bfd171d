/*
 * text: a message file as the lines of an answer, RFC 1939 3: CR LF at the
 * end of each, dots stuffed, a dot alone at the end.
 */
#include "pop3d/session.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/smtp_data.h"

/*
 * Read and written in large pieces. A piece grows when it is made ready for
 * the wire: by one byte a line, at most to twice its size and an end.
 */
enum { CHUNK = 32 * 1024, CHUNK_OUT = 2 * CHUNK + 8 };

/* Where TOP has come to in a message. */
struct top {
	bool body;      /* past the blank line */
	bool blank;     /* nothing but CR in this line so far */
	uint64_t lines; /* of the body that may still be sent */
};

/* How much of the next piece belongs to the top. */
static size_t
top_take(struct top *t, struct span s)
{
	struct span rest = s, line;
	size_t lf;

	while (rest.n > 0) {
		if (t->body && t->lines == 0)
			break;
		lf = span_find(rest, '\n');
		line = span_slice(rest, 0, lf);
		if (line.n > 1 || (line.n == 1 && line.p[0] != '\r'))
			t->blank = false;
		if (lf == rest.n)
			return s.n;
		span_take(&rest, lf + 1);
		if (t->body)
			t->lines--;
		else if (t->blank)
			t->body = true; /* RFC 1939 7: it is sent, too */
		t->blank = true;
	}
	return s.n - rest.n;
}

/*
 * smtpd lets no NUL pass, but other programs write Maildirs, too, and there
 * are clients that stop at one. It is no CHAR of RFC 2449 3.
 */
static void
without_nul(char *p, size_t n)
{
	char *end = p + n;

	while ((p = memchr(p, '\0', (size_t)(end - p))) != NULL)
		*p++ = '?';
}

int
text_send(struct session *s, int fd, bool all, uint64_t lines)
{
	static char chunk[CHUNK];
	static struct buf out = { .max = CHUNK_OUT };
	struct top top = { .blank = true, .lines = lines };
	struct smtp_data_out state = { 0 };
	struct span part;
	ssize_t n;
	bool more = true;

	while (more) {
		n = read(fd, chunk, sizeof(chunk));
		if (n == -1) {
			log_msg(LL_ERROR, "mailbox",
			    "cannot read a message: %s", strerror(errno));
			s->end = "error";
			return -1;
		}
		without_nul(chunk, (size_t)n);
		part = span_of(chunk, (size_t)n);
		if (!all)
			part = span_slice(part, 0, top_take(&top, part));
		more = n > 0 && part.n == (size_t)n;
		buf_clear(&out);
		smtp_data_out(&state, part, &out);
		if (!more)
			smtp_data_end(&state, &out);
		s->octets += out.n;
		if (out.bad || net_write(&s->net, buf_get(&out)) == -1) {
			s->end = "closed";
			return -1;
		}
	}
	return 0;
}
