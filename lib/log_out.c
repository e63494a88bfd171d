/*
 * log_out: see the header. A packet to the system logger is
 *
 *	<PRI>Nov 21 08:37:00 postern/smtpd[412]: ev=...
 *
 * Who reads it may be slow (EAGAIN; ENOBUFS in BSD), full (ENOSPC), or gone
 * (ECONNREFUSED, ENOTCONN, EPIPE): to the caller that is all the same. Flags
 * of the descriptor stay as they are: others share it.
 */
#include "lib/log_out.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include "lib/clock.h"

/* A first byte that is taken is taken with the whole line (POSIX: 512). */
enum { ATOM = PIPE_BUF };

typedef ssize_t write_fn(struct span);

/* One that is too long for the logger is left out, not tried for ever. */
static ssize_t
packet_send(struct span lines)
{
	struct span one = span_cut(&lines, '\0');

	if (send(STDERR_FILENO, one.p, one.n, MSG_DONTWAIT | MSG_NOSIGNAL) ==
	        -1 && errno != EMSGSIZE)
		return -1;
	return (ssize_t)one.n + 1;
}

static ssize_t
stream_send(struct span lines)
{
	return send(STDERR_FILENO, lines.p, lines.n,
	    MSG_DONTWAIT | MSG_NOSIGNAL);
}

static ssize_t
file_write(struct span lines)
{
	return write(STDERR_FILENO, lines.p, lines.n);
}

/* Lines of several processes must not mix, and none may block. */
static ssize_t
pipe_write(struct span lines)
{
	struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };
	size_t n = lines.n;

	if (poll(&p, 1, 0) != 1) {
		errno = EAGAIN;
		return -1;
	}
	if (n > ATOM) {
		n = span_rfind(span_slice(lines, 0, ATOM), '\n') + 1;
		if (n > ATOM)
			n = ATOM;
	}
	return write(STDERR_FILENO, lines.p, n);
}

static write_fn *writer = file_write;

void
log_out_open(bool syslog)
{
	struct stat st;

	if (syslog)
		writer = packet_send;
	else if (fstat(STDERR_FILENO, &st) == -1 || S_ISREG(st.st_mode))
		writer = file_write;
	else
		writer = S_ISSOCK(st.st_mode) ? stream_send : pipe_write;
}

/* false: it is not worth the wait, or the time is over. */
static bool
wait_for_room(uint64_t until)
{
	struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };
	bool full = errno == EAGAIN || errno == EWOULDBLOCK;
	uint64_t now;

	if ((!full && errno != ENOBUFS) || until == 0)
		return false;
	if ((now = clock_ms()) >= until)
		return false;
	/* no poll(2) tells when buffers are free */
	(void)poll(&p, full ? 1 : 0, full ? (int)(until - now) : 1);
	return true;
}

size_t
log_out_write(struct span lines, unsigned ms)
{
	uint64_t until = ms == 0 ? 0 : clock_ms() + ms;
	size_t all = lines.n;
	ssize_t n;

	while (lines.n > 0) {
		n = writer(lines);
		if (n > 0)
			span_take(&lines, (size_t)n);
		else if (n == 0 || (errno != EINTR && !wait_for_room(until)))
			break;
	}
	return all - lines.n;
}
