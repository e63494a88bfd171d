/*
 * net: blocking lines in, gathered output out.
 *
 * The kernel keeps the deadline (SO_RCVTIMEO, SO_SNDTIMEO), so a line costs
 * one call and no poll around it. A client that trickles bytes is held to
 * the same deadline for the whole line by the clock.
 *
 * Invariants: used <= in.n; what is before it was handed out. A write that
 * fails closes fd (-1), so whoever ignores it meets NET_EOF at the next line.
 */
#include "lib/net.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/die.h"

enum {
	NET_READ = 4096,        /* bytes asked for at once */
	NET_READ_BULK = 64 * 1024, /* likewise, of a literal */
	NET_GATHER = 32 * 1024, /* output that is not held back any more */
};

static volatile sig_atomic_t stopped;
static volatile sig_atomic_t stop_fd = -1; /* of the last net_init() */

void
net_init(struct net *t, int fd, size_t line_max, uint64_t idle_ms,
    struct span initial)
{
	struct timeval tv = { .tv_sec = (time_t)(idle_ms / 1000),
		.tv_usec = (suseconds_t)(idle_ms % 1000 * 1000) };
	int flags = fcntl(fd, F_GETFL);

	/* Where lib/daemon.c did not do it already: the sandbox forbids it. */
	if (flags == -1 ||
	    ((flags & O_NONBLOCK) != 0 &&
		fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) == -1))
		die("client socket");
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)) == -1)
		die("client socket: timeouts");
	*t = (struct net){ .fd = fd, .idle_ms = idle_ms, .line_max = line_max };
	buf_init(&t->in, initial.n + line_max + NET_READ_BULK);
	buf_init(&t->out, 2 * NET_GATHER);
	buf_span(&t->in, initial);
	stop_fd = fd;
}

void
net_fini(struct net *t)
{
	stop_fd = -1;
	fd_close(&t->fd);
	buf_fini(&t->in);
	buf_fini(&t->out);
	t->used = 0;
}

/* In signal context: recv(2) returns, also one that is about to begin. */
void
net_stop(void)
{
	int saved = errno;

	stopped = 1;
	if (stop_fd != -1)
		(void)shutdown(stop_fd, SHUT_RD);
	errno = saved;
}

static void
on_term(int signo)
{
	(void)signo;
	net_stop();
}

void
net_stop_on_term(void)
{
	struct sigaction sa = { .sa_handler = on_term };

	if (sigaction(SIGTERM, &sa, NULL) == -1) /* no SA_RESTART: waits end */
		die("sigaction");
}

/* Input */

static enum net_got
receive(struct net *t, size_t room, uint64_t until)
{
	ssize_t n;
	char *p;

	buf_drop(&t->in, t->used);
	t->used = 0;
	if ((p = buf_room(&t->in, room)) == NULL)
		die("net: no room for a line");
	n = recv(t->fd, p, room, 0);
	if (stopped)
		return NET_STOP;
	if (n > 0) {
		buf_grew(&t->in, (size_t)n);
		return clock_ms() >= until ? NET_TIMEOUT : NET_LINE;
	}
	if (n == -1 && errno == EINTR)
		return clock_ms() >= until ? NET_TIMEOUT : NET_LINE;
	if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return NET_TIMEOUT;
	return NET_EOF; /* also a reset: nobody is there */
}

static struct span
unread(const struct net *t)
{
	return span_slice(buf_get(&t->in), t->used, SIZE_MAX);
}

static uint64_t
deadline(const struct net *t)
{
	return t->idle_ms == 0 ? UINT64_MAX : clock_ms() + t->idle_ms;
}

bool
net_ready(const struct net *t)
{
	return span_has(unread(t), '\n');
}

static void
keep_head(struct net *t, struct span line)
{
	t->head_len = line.n < sizeof(t->head) ? line.n : sizeof(t->head);
	memcpy(t->head, line.p, t->head_len);
	t->last = '\0';
}

static void
keep_last(struct net *t, struct span part)
{
	while (part.n > 0 && part.p[part.n - 1] == '\r')
		part.n--;
	if (part.n > 0)
		t->last = part.p[part.n - 1];
}

enum net_got
net_line(struct net *t, struct span *line)
{
	uint64_t until = deadline(t);
	enum net_got got = NET_LINE;
	bool toolong = false;
	struct span rest;
	size_t end;

	if (stopped)
		return NET_STOP;
	if (t->fd == -1)
		return NET_EOF;
	for (;;) {
		rest = unread(t);
		end = span_find(rest, '\n');
		if (!toolong && end >= t->line_max) {
			toolong = true;
			keep_head(t, rest);
		}
		if (toolong)
			keep_last(t, span_slice(rest, 0, end));
		if (end < rest.n)
			break;
		if (toolong) /* dropped up to its end */
			t->used = t->in.n;
		if (net_flush(t) == -1)
			return NET_EOF;
		if ((got = receive(t, NET_READ, until)) != NET_LINE)
			return got;
	}
	t->used += end + 1;
	if (toolong) {
		*line = span_of(t->head, t->head_len);
		return NET_TOOLONG;
	}
	*line = span_slice(rest, 0, end);
	if (end > 0 && rest.p[end - 1] == '\r')
		line->n--;
	return NET_LINE;
}

enum net_got
net_bytes(struct net *t, size_t max, struct span *some)
{
	uint64_t until = deadline(t);
	enum net_got got;

	assert(max > 0);
	if (stopped)
		return NET_STOP;
	if (t->fd == -1)
		return NET_EOF;
	while (unread(t).n == 0) {
		if (net_flush(t) == -1)
			return NET_EOF;
		got = receive(t, max < NET_READ ? NET_READ : NET_READ_BULK,
		    until);
		if (got != NET_LINE)
			return got;
	}
	*some = span_slice(unread(t), 0, max);
	t->used += some->n;
	return NET_LINE;
}

enum net_got
net_wait(struct net *t, int fd, uint64_t ms)
{
	struct pollfd p[2] = { { .fd = t->fd, .events = POLLIN },
		{ .fd = fd, .events = POLLIN } };
	int n;

	if (net_flush(t) == -1)
		return NET_EOF;
	if (unread(t).n > 0)
		return NET_LINE;
	do /* after a signal that means something else: from the beginning */
		n = poll(p, 2, ms > INT_MAX ? INT_MAX : (int)ms);
	while (n == -1 && errno == EINTR && !stopped);
	if (stopped)
		return NET_STOP;
	if (n == -1)
		die("poll");
	if (n > 0 && p[0].revents != 0)
		return NET_LINE;
	return n > 0 ? NET_OTHER : NET_TIMEOUT;
}

void
net_trim(struct net *t)
{
	buf_drop(&t->in, t->used);
	t->used = 0;
	if (t->in.n == 0)
		buf_trim(&t->in);
	buf_trim(&t->out);
}

/* Output */

static int
gone(struct net *t)
{
	stop_fd = -1;
	fd_close(&t->fd);
	return -1;
}

static int
send_all(struct net *t, struct span s)
{
	ssize_t n;

	while (s.n > 0) {
		/* Told to stop, nobody waits for a client that does not read */
		n = send(t->fd, s.p, s.n,
		    MSG_NOSIGNAL | (stopped ? MSG_DONTWAIT : 0));
		if (n > 0)
			span_take(&s, (size_t)n);
		else if (n == -1 && errno != EINTR)
			return gone(t); /* EAGAIN: it did not read in time */
	}
	return 0;
}

int
net_flush(struct net *t)
{
	int rc = send_all(t, buf_get(&t->out));

	buf_clear(&t->out);
	return rc;
}

int
net_write(struct net *t, struct span s)
{
	if (t->out.n + s.n > NET_GATHER && t->out.n > 0 && net_flush(t) == -1)
		return -1;
	if (s.n > NET_GATHER)
		return send_all(t, s);
	buf_span(&t->out, s);
	return 0;
}

int
net_send(struct net *t, struct span s)
{
	return net_flush(t) == -1 ? -1 : send_all(t, s);
}
