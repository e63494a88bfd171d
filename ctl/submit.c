/*
 * submit: RFC 5321 from the client's side, as much as one message on the same
 * host needs. If some recipients are refused for good, the others get the
 * message, and the refused ones are handed in all the same (XBOUNCE), so that
 * the sender gets a bounce: programs that call sendmail expect that. If all
 * are, or one is for now, nobody gets it: the caller can try again.
 */
#include "ctl/submit.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/content.h"
#include "lib/die.h"
#include "lib/limits.h"
#include "lib/net.h"
#include "lib/smtp_data.h"

enum {
	SUBMIT_WAIT = 300000, /* ms; RFC 5321 4.5.3.2 */
	BUSY_TRIES = 120,     /* if too many hand in mail at once, */
	BUSY_MS = 500,        /* so long apart */
};

struct dialogue {
	struct net net;
	bool verbose;
	bool busy;      /* there are too many of us: nothing was said */
	int lost;       /* exit status, though the message was taken */
	int code;       /* of the last reply */
	struct buf text; /* its lines */
};

static int
submit_open(const struct ctl *c)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	char path[PATH_LEN_MAX];
	int fd;

	if (ctl_path(path, c->conf->run_dir, "submit.sock") == -1 ||
	    span_copy(sun.sun_path, sizeof(sun.sun_path), span_str(path)) ==
	    -1) {
		errno = ENAMETOOLONG;
		return -1;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd != -1 &&
	    connect(fd, (const struct sockaddr *)&sun, sizeof(sun)) == -1)
		fd_close(&fd);
	return fd;
}

static int
not_running(const struct ctl *c)
{
	return ctl_fail(EX_TEMPFAIL, "%s/submit.sock: %s; is Postern running? "
	    "Nothing was accepted", c->conf->run_dir, strerror(errno));
}

/* One reply, all its lines. 0, or an exit status. */
static int
reply_read(struct dialogue *d)
{
	struct span line;
	uint64_t code;

	buf_clear(&d->text);
	for (;;) {
		if (net_line(&d->net, &line) != NET_LINE)
			return ctl_fail(EX_TEMPFAIL, "the mail system hung "
			    "up; nothing was accepted");
		if (d->verbose)
			printf("<<< %.*s\n", SPAN_FMT(line));
		if (span_num(span_slice(line, 0, 3), 200, 599, &code) == -1 ||
		    line.n < 3)
			return ctl_fail(EX_PROTOCOL, "an answer is no SMTP");
		d->code = (int)code;
		if (d->text.n != 0)
			buf_char(&d->text, ' ');
		buf_safe(&d->text, span_slice(line, 4, line.n));
		if (line.n < 4 || line.p[3] != '-')
			return EX_OK;
	}
}

/* A refusal in words, and the exit status it deserves. */
static int
refused(const struct dialogue *d, struct span what, int permanent)
{
	return ctl_fail(d->code >= 500 ? permanent : EX_TEMPFAIL,
	    "%.*s%s%d %.*s", SPAN_FMT(what), what.n != 0 ? ": " : "", d->code,
	    SPAN_FMT(buf_get(&d->text)));
}

static int
command(struct dialogue *d, const struct buf *line)
{
	if (line->bad)
		return ctl_fail(EX_DATAERR, "an address is too long");
	if (d->verbose)
		printf(">>> %.*s\n", (int)line->n, line->p);
	if (net_write(&d->net, buf_get(line)) == -1 ||
	    net_write(&d->net, SPAN("\r\n")) == -1)
		return ctl_fail(EX_TEMPFAIL, "the mail system hung up; "
		    "nothing was accepted");
	return reply_read(d);
}

static int
say(struct dialogue *d, const char *fixed, struct span address,
    const char *tail)
{
	struct buf line;
	int rc;

	buf_init(&line, SMTP_LINE_MAX - 2);
	buf_str(&line, fixed);
	buf_span(&line, address);
	buf_str(&line, tail);
	rc = command(d, &line);
	buf_fini(&line);
	return rc;
}

/* Those that were refused, to be bounced; without a sender, to be lost. */
static int
rcpts_again(struct dialogue *d, const struct submit *s, const bool *bad)
{
	int rc;

	for (size_t i = 0; i < s->rcpt.n; i++) {
		struct span to = span_str(s->rcpt.word[i]);

		if (!bad[i])
			continue;
		if ((rc = say(d, "RCPT TO:<", to, "> XBOUNCE")) != EX_OK)
			return rc;
		if (d->code / 100 != 2)
			return refused(d, to, EX_NOUSER);
	}
	return EX_OK;
}

static int
rcpts_send(struct dialogue *d, const struct submit *s)
{
	bool *bad = xcalloc(s->rcpt.n, sizeof(*bad));
	size_t nbad = 0;
	int rc = EX_OK;

	for (size_t i = 0; i < s->rcpt.n && rc == EX_OK; i++) {
		struct span to = span_str(s->rcpt.word[i]);

		rc = say(d, "RCPT TO:<", to, ">");
		if (rc != EX_OK || d->code / 100 == 2)
			continue;
		rc = refused(d, to, EX_NOUSER);
		if (rc == EX_NOUSER) { /* for good: on to the others */
			rc = EX_OK;
			bad[i] = true;
			nbad++;
		}
	}
	if (rc == EX_OK && nbad == s->rcpt.n)
		rc = EX_NOUSER;
	else if (rc == EX_OK && nbad > 0 && s->sender.n > 0)
		rc = rcpts_again(d, s, bad);
	else if (rc == EX_OK && nbad > 0)
		d->lost = EX_NOUSER;
	free(bad);
	return rc;
}

static int
envelope_send(struct dialogue *d, const struct submit *s)
{
	int rc;

	/* Our own smtpd is known to have 8BITMIME, RFC 6152 */
	rc = say(d, "MAIL FROM:<", s->sender,
	    content_eight_bit(s->text) ? "> BODY=8BITMIME" : ">");
	if (rc != EX_OK)
		return rc;
	if (d->code != 250)
		return refused(d, s->sender, EX_DATAERR);
	return rcpts_send(d, s);
}

static int
body_send(struct dialogue *d, struct span text)
{
	struct smtp_data_out state = { 0 };
	struct buf wire;
	int rc = 0;

	buf_init(&wire, 4 * 65536);
	while (text.n != 0 && rc == 0) {
		buf_clear(&wire);
		smtp_data_out(&state, span_take(&text, 65536), &wire);
		rc = wire.bad ? -1 : net_write(&d->net, buf_get(&wire));
	}
	buf_clear(&wire);
	smtp_data_end(&state, &wire);
	if (rc == 0)
		rc = net_write(&d->net, buf_get(&wire));
	buf_fini(&wire);
	if (rc == -1)
		return ctl_fail(EX_TEMPFAIL, "the mail system hung up; "
		    "nothing was accepted");
	return reply_read(d);
}

static int
dialogue_run(struct dialogue *d, const struct ctl *c, const struct submit *s)
{
	int rc = reply_read(d);

	d->busy = rc == EX_OK && d->code == 421;
	if (d->busy)
		return EX_TEMPFAIL;
	if (rc == EX_OK && d->code == 220)
		rc = say(d, "EHLO ", span_str(c->conf->hostname), "");
	if (rc == EX_OK && d->code / 100 != 2)
		return refused(d, SPAN_NONE, EX_UNAVAILABLE);
	if (rc != EX_OK || (rc = envelope_send(d, s)) != EX_OK)
		return rc;
	if ((rc = say(d, "DATA", SPAN_NONE, "")) != EX_OK)
		return rc;
	if (d->code != 354)
		return refused(d, SPAN_NONE, EX_DATAERR);
	if ((rc = body_send(d, s->text)) != EX_OK)
		return rc;
	if (d->code != 250)
		return refused(d, SPAN_NONE, EX_DATAERR);
	/* It is durable; what becomes of the farewell does not matter. */
	if (net_write(&d->net, SPAN("QUIT\r\n")) == 0)
		(void)net_flush(&d->net);
	return d->lost;
}

/* *busy: another try may do. */
static int
submit_try(const struct ctl *c, const struct submit *s, bool last, bool *busy)
{
	struct dialogue d = { .verbose = s->verbose };
	int rc, fd = submit_open(c);

	*busy = false;
	if (fd == -1)
		return not_running(c);
	net_init(&d.net, fd, SMTP_LINE_MAX, SUBMIT_WAIT, SPAN_NONE);
	buf_init(&d.text, 16384);
	rc = dialogue_run(&d, c, s);
	*busy = d.busy && !last;
	if (d.busy && last)
		rc = refused(&d, SPAN_NONE, EX_TEMPFAIL);
	buf_fini(&d.text);
	net_fini(&d.net);
	return rc;
}

/* Programs that hand in mail seldom try again: we do it for them. */
int
submit_send(const struct ctl *c, const struct submit *s)
{
	bool busy = true;
	int rc = EX_TEMPFAIL;

	for (int i = 0; busy && i <= BUSY_TRIES; i++) {
		if (i > 0)
			(void)poll(NULL, 0, BUSY_MS);
		rc = submit_try(c, s, i == BUSY_TRIES, &busy);
	}
	return rc;
}

/* Copies what one descriptor has to another. 0: its end came. */
static int
copy_some(int from, int to)
{
	char part[16384];
	struct span left;
	ssize_t n = read(from, part, sizeof(part));

	if (n <= 0)
		return n == -1 && errno == EINTR ? 1 : 0;
	left = span_of(part, (size_t)n);
	while (left.n != 0) {
		n = write(to, left.p, left.n);
		if (n == -1 && errno != EINTR)
			return 0;
		if (n > 0)
			(void)span_take(&left, (size_t)n);
	}
	return 1;
}

int
submit_pipe(const struct ctl *c)
{
	int fd = submit_open(c);
	/* Who speaks before the greeting is sent away: input waits for it. */
	struct pollfd p[2] = { { .fd = -1, .events = POLLIN },
		{ .fd = fd, .events = POLLIN } };
	bool greeted = false;

	if (fd == -1)
		return not_running(c);
	while (p[1].fd != -1) {
		if (poll(p, 2, -1) == -1 && errno != EINTR)
			break;
		if (p[0].revents != 0 && copy_some(STDIN_FILENO, fd) == 0) {
			(void)shutdown(fd, SHUT_WR);
			p[0].fd = -1;
		}
		if (p[1].revents == 0)
			continue;
		if (copy_some(fd, STDOUT_FILENO) == 0)
			break;
		if (!greeted)
			p[0].fd = STDIN_FILENO;
		greeted = true;
	}
	fd_close(&fd);
	return EX_OK;
}
