/*
 * net: lines in, bytes out, for one client, blocking.
 *
 * - every wait has a deadline; bytes that trickle in do not move that of a
 *   line
 * - what a write could not do ends the connection for reading, too: callers
 *   may ignore what net_write() says and meet NET_EOF at the next line
 * - SIGTERM is blocked except while we wait, so net_stop() can not fall
 *   between the look at its flag and the wait
 */
#include "lib/net.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "lib/die.h"

enum {
	READ_SIZE = 4096,       /* a pipeline of commands, not data */
	OUT_FLUSH = 64 * 1024,  /* gathered before it is sent unasked */
};

static volatile sig_atomic_t stopped;
static sigset_t waiting_mask;

void
net_stop(void)
{
	stopped = 1;
}

static void
term_block(void)
{
	sigset_t term;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &term, &waiting_mask) == -1)
		die("sigprocmask");
	sigdelset(&waiting_mask, SIGTERM);
}

void
net_init(struct net *n, int fd, size_t line_max, uint64_t idle_ms,
    struct span initial)
{
	*n = (struct net){ .fd = fd, .idle_ms = idle_ms, .line_max = line_max };
	buf_init(&n->in, initial.n + line_max + READ_SIZE);
	buf_init(&n->out, OUT_FLUSH);
	buf_span(&n->in, initial);
	term_block();
}

void
net_fini(struct net *n)
{
	buf_fini(&n->in);
	buf_fini(&n->out);
	fd_close(&n->fd);
}

static uint64_t
now_ms(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		die("clock_gettime");
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* 1: ready, 0: the deadline has passed, -1: interrupted. */
static int
wait_for(struct net *n, short events, uint64_t deadline)
{
	struct pollfd p = { .fd = n->fd, .events = events };
	uint64_t now = now_ms(), left = deadline > now ? deadline - now : 0;
	struct timespec ts = {
		.tv_sec = (time_t)(left / 1000),
		.tv_nsec = (long)(left % 1000) * 1000000,
	};
	int rc;

	rc = ppoll(&p, 1, &ts, &waiting_mask);
	if (rc == -1 && errno != EINTR)
		die("ppoll");
	return rc;
}

/* Sends all of s. -1: the client is gone, or does not read. */
static int
send_all(struct net *n, struct span s)
{
	ssize_t done;

	while (s.n > 0 && !n->gone) {
		done = send(n->fd, s.p, s.n, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (done >= 0) {
			span_take(&s, (size_t)done);
			continue;
		}
		if (errno == EINTR)
			continue;
		if ((errno != EAGAIN && errno != EWOULDBLOCK) ||
		    wait_for(n, POLLOUT, now_ms() + n->idle_ms) == 0)
			n->gone = true;
	}
	return n->gone ? -1 : 0;
}

int
net_flush(struct net *n)
{
	int rc;

	rc = send_all(n, buf_get(&n->out));
	buf_clear(&n->out);
	return rc;
}

int
net_write(struct net *n, struct span s)
{
	bool large = s.n >= OUT_FLUSH / 2; /* no use in copying it */

	if ((large || n->out.n + s.n > OUT_FLUSH) && net_flush(n) == -1)
		return -1;
	if (large)
		return send_all(n, s);
	buf_span(&n->out, s);
	return n->gone ? -1 : 0;
}

/* Takes a line out of what has come. False: there is no whole one yet. */
static bool
line_take(struct net *n, bool *toolong, struct span *line)
{
	struct span in = buf_get(&n->in), rest, whole;
	size_t lf;

	rest = span_slice(in, n->used, in.n);
	lf = span_find(rest, '\n');
	if (lf == rest.n) {
		if (rest.n >= n->line_max) { /* forget it, find its end */
			*toolong = true;
			n->used = in.n;
		}
		return false;
	}
	n->used += lf + 1;
	if (lf + 1 > n->line_max)
		*toolong = true;
	whole = span_slice(rest, 0, lf);
	if (span_ends(whole, SPAN("\r")))
		whole.n--;
	*line = whole;
	return true;
}

/* More bytes. NET_LINE: came; else what came instead. */
static enum net_got
read_more(struct net *n, uint64_t deadline)
{
	ssize_t got;
	char *room;
	int rc;

	if (stopped)
		return NET_STOP;
	rc = wait_for(n, POLLIN, deadline);
	if (rc == 0)
		return NET_TIMEOUT;
	if (rc == -1)
		return NET_LINE; /* a signal: look again */
	room = buf_room(&n->in, READ_SIZE);
	if (room == NULL)
		die("line buffer");
	got = recv(n->fd, room, READ_SIZE, MSG_DONTWAIT);
	if (got > 0)
		buf_grew(&n->in, (size_t)got);
	else if (got == 0 || (errno != EAGAIN && errno != EINTR))
		n->gone = true;
	return n->gone ? NET_EOF : NET_LINE;
}

enum net_got
net_line(struct net *n, struct span *line)
{
	uint64_t deadline = 0;
	bool toolong = false;
	enum net_got got;

	if (stopped)
		return NET_STOP;
	while (!line_take(n, &toolong, line)) {
		if (net_flush(n) == -1)
			return NET_EOF;
		if (deadline == 0)
			deadline = now_ms() + n->idle_ms;
		buf_drop(&n->in, n->used);
		n->used = 0;
		if (n->out.cap > READ_SIZE) /* it may be a long wait */
			buf_trim(&n->out);
		got = read_more(n, deadline);
		if (got != NET_LINE)
			return got;
	}
	return toolong ? NET_TOOLONG : NET_LINE;
}
