/*
 * conn: life and output of a connection; see conn_impl.h for the states.
 *
 * A turn of the loop collects connections with something to do in a list;
 * at its end each gets one conn_turn(): one write of what was gathered,
 * parsing that may go on, then the events to ask the kernel for. READ stays
 * asked for while a connection is paused, until an event shows that the
 * client really spoke: a pause costs no system call as a rule.
 */
#include "lib/conn_impl.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "lib/die.h"
#include "lib/limits.h"

static struct conn *work; /* of this turn */
static uint32_t turn = 1;

uint32_t
conn_turn_number(void)
{
	return turn;
}

void
conn_queue(struct conn *c)
{
	if (c->queued)
		return;
	c->queued = true;
	c->next = work;
	work = c;
	loop_again();
}

void
conn_end(struct conn *c, enum conn_why why)
{
	if (c->life == LIFE_GONE)
		return;
	c->life = LIFE_GONE;
	c->why = (uint8_t)why;
	loop_untimer(&c->timer);
	conn_queue(c);
}

void
conn_finish(struct conn *c, enum conn_why why)
{
	if (c->life != LIFE_OPEN)
		return;
	if (c->phase != PHASE_PLAIN && c->phase != PHASE_SECURE) {
		conn_end(c, why);
		return;
	}
	c->life = LIFE_CLOSING;
	c->why = (uint8_t)why;
	loop_untimer(&c->timer);
	conn_forget_input(c);
	conn_queue(c);
}

static void
on_timer(struct timer *t)
{
	struct conn *c = t->arg;

	if (c->life == LIFE_LINGERING) {
		conn_end(c, c->why);
		return;
	}
	if (c->life != LIFE_OPEN || c->proxy != NULL ||
	    (c->phase != PHASE_PLAIN && c->phase != PHASE_SECURE)) {
		conn_end(c, CONN_TIMEOUT);
		return;
	}
	if (c->ops->on_timeout != NULL)
		c->ops->on_timeout(c);
	conn_finish(c, CONN_TIMEOUT);
	if (c->life == LIFE_CLOSING)
		c->why = CONN_TIMEOUT;
}

/* Output */

static ssize_t
send_some(struct conn *c)
{
	ssize_t n;

	do
		n = send(c->watch.fd, c->out.p, c->out.n,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n == -1 && errno == EINTR);
	if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
		n = 0;
	return n;
}

/* Records until all is out or the socket is full; -1: broken. */
static ssize_t
encrypt_some(struct conn *c)
{
	size_t sent = 0, n;
	enum tls_want want = TLS_OK;

	while (sent < c->out.n && want == TLS_OK) {
		want = tls_write(c->tls, c->out.p + sent, c->out.n - sent, &n);
		if (want == TLS_OK)
			sent += n;
	}
	if (want == TLS_EOF || want == TLS_FAIL)
		return -1;
	return (ssize_t)sent;
}

static void
flush(struct conn *c)
{
	ssize_t n = c->phase == PHASE_SECURE ? encrypt_some(c) : send_some(c);

	if (n == -1) {
		c->errnum = errno;
		conn_end(c, CONN_ERROR);
		return;
	}
	buf_drop(&c->out, (size_t)n);
	c->blocked = c->out.n > 0;
	buf_trim(&c->out);
}

void
conn_write(struct conn *c, struct span s)
{
	if (c->life != LIFE_OPEN ||
	    (c->phase != PHASE_PLAIN && c->phase != PHASE_SECURE))
		return;
	buf_span(&c->out, s);
	if (c->out.bad)
		conn_end(c, CONN_OVERFLOW);
	conn_queue(c);
}

int
conn_flush(struct conn *c)
{
	if (c->life == LIFE_OPEN && c->out.n > 0 && !c->blocked)
		flush(c);
	return c->life == LIFE_OPEN && c->out.n == 0 ? 0 : -1;
}

void
conn_when_drained(struct conn *c)
{
	c->drain = true;
	conn_queue(c);
}

/* Closing */

static bool
drop_input(struct conn *c)
{
	struct span arena = conn_arena();
	ssize_t n = recv(
	    c->watch.fd, (char *)(uintptr_t)arena.p, arena.n, MSG_DONTWAIT);

	return n > 0 || (n == -1 && errno == EINTR);
}

/*
 * All output is sent. Closing a socket with unread input sends a reset,
 * which may overtake our last reply; so a client that still speaks gets a
 * FIN first and a moment to read.
 */
static void
linger(struct conn *c)
{
	if (c->phase == PHASE_SECURE)
		tls_shutdown(c->tls);
	if (c->why == CONN_EOF || c->drained == turn || !drop_input(c) ||
	    shutdown(c->watch.fd, SHUT_WR) == -1) {
		conn_end(c, c->why);
		return;
	}
	c->life = LIFE_LINGERING;
	loop_timer(&c->timer, CONN_LINGER_MS);
}

static void
conn_free(struct conn *c)
{
	if (c->proxy != NULL)
		proxy_free(c);
	if (c->shared && c->watch.fd != -1)
		loop_unwatch(&c->watch); /* a copy may outlive ours */
	tls_free(c->tls);
	loop_close(&c->watch);
	loop_untimer(&c->timer);
	buf_fini(&c->in);
	buf_fini(&c->out);
	free(c);
}

/* Turns */

static unsigned
interest(const struct conn *c)
{
	unsigned events = 0;

	if (c->life == LIFE_LINGERING)
		return LOOP_READ;
	if (c->phase == PHASE_CONNECT)
		return LOOP_WRITE;
	if (c->phase == PHASE_HANDSHAKE)
		return c->want_write ? LOOP_WRITE : LOOP_READ;
	if (c->blocked || c->drain)
		events |= LOOP_WRITE;
	if (c->life != LIFE_OPEN || c->phase == PHASE_FLUSH)
		return events;
	if (c->proxy != NULL)
		return proxy_takes_input(c) ? events | LOOP_READ : events;
	if (c->paused && !c->blocked)
		return events | (c->watch.events & LOOP_READ);
	if (!c->blocked || c->client)
		events |= LOOP_READ;
	return events;
}

static void
parse_more(struct conn *c)
{
	if (!c->again || !conn_may_parse(c))
		return;
	c->again = false;
	conn_parse_saved(c);
	if (c->tls != NULL && !c->again && conn_may_parse(c) &&
	    tls_pending(c->tls))
		conn_read(c);
}

static void handshake(struct conn *);

static void
conn_turn(struct conn *c)
{
	if (c->life < LIFE_LINGERING && c->out.n > 0 && !c->blocked)
		flush(c);
	if (c->phase == PHASE_FLUSH && c->out.n == 0)
		c->phase = PHASE_HANDSHAKE; /* the client speaks first */
	if (c->phase == PHASE_HANDSHAKE && c->greet && c->life == LIFE_OPEN) {
		c->greet = false;
		handshake(c);
	}
	parse_more(c);
	if (c->proxy != NULL)
		proxy_turn(c);
	if (c->life == LIFE_CLOSING && c->out.n == 0)
		linger(c);
	else if (c->life == LIFE_CLOSING && !loop_timer_is_set(&c->timer))
		loop_timer(&c->timer, CONN_FLUSH_MS);
	if (c->life != LIFE_GONE)
		loop_rewatch(&c->watch, interest(c));
}

static void
end_of_turn(void *arg)
{
	struct conn *list = work, *c;

	(void)arg;
	work = NULL;
	while ((c = list) != NULL) {
		list = c->next;
		c->queued = false;
		if (c->life != LIFE_GONE)
			conn_turn(c);
		if (c->life != LIFE_GONE || c->queued)
			continue; /* one that ended just now comes again */
		if (!c->given)
			c->ops->on_close(c, c->why);
		conn_free(c);
	}
	turn++;
}

static void
handshake(struct conn *c)
{
	switch (tls_handshake(c->tls)) {
	case TLS_OK:
		c->phase = PHASE_SECURE;
		c->again = true; /* a command may have come along */
		if (c->ops->on_tls != NULL)
			c->ops->on_tls(c);
		conn_queue(c);
		return;
	case TLS_WANT_READ:
		c->want_write = false;
		break;
	case TLS_WANT_WRITE:
		c->want_write = true;
		break;
	default:
		conn_end(c, CONN_TLS);
		return;
	}
	loop_rewatch(&c->watch, interest(c));
}

/* The server has answered our call, or it has not. */
static void
connected(struct conn *c)
{
	int errnum = 0;
	socklen_t len = sizeof(errnum);

	if (getsockopt(c->watch.fd, SOL_SOCKET, SO_ERROR, &errnum, &len) == -1)
		errnum = errno;
	if (errnum != 0) {
		c->errnum = errnum;
		conn_end(c, CONN_ERROR);
		return;
	}
	c->phase = PHASE_PLAIN;
	if (c->ops->on_connect != NULL)
		c->ops->on_connect(c);
	conn_queue(c);
}

/* The socket takes more; whoever has more is asked for it. */
static void
writable(struct conn *c)
{
	c->blocked = false;
	if (c->drain && c->out.n == 0 && c->life == LIFE_OPEN &&
	    c->phase != PHASE_FLUSH) {
		c->drain = false;
		c->ops->on_drained(c);
	}
	conn_queue(c);
}

static void
on_event(struct watch *w, unsigned events)
{
	struct conn *c = w->arg;

	if (c->life == LIFE_GONE)
		return;
	if (c->phase == PHASE_CONNECT) {
		connected(c);
		return;
	}
	if (c->life == LIFE_LINGERING) {
		if (!drop_input(c))
			conn_end(c, c->why);
		return;
	}
	if (c->phase == PHASE_HANDSHAKE) {
		handshake(c);
		return;
	}
	if ((events & LOOP_WRITE) != 0)
		writable(c);
	if ((events & LOOP_READ) == 0 || c->life == LIFE_GONE)
		return;
	if (!conn_may_parse(c))
		loop_rewatch(w, w->events & ~(unsigned)LOOP_READ);
	else if (!c->again) /* else what was read before comes first */
		conn_read(c);
}

/* What owners call */

static struct conn *
conn_make(int fd, const struct conn_ops *ops, void *arg, size_t line_max,
    size_t out_max, enum conn_phase phase)
{
	static bool hooked;
	struct conn *c = xcalloc(1, sizeof(*c));

	if (!hooked)
		loop_each_turn(end_of_turn, NULL);
	hooked = true;
	c->watch = (struct watch){ .fd = fd,
		.events = phase == PHASE_CONNECT ? LOOP_WRITE : LOOP_READ,
		.fn = on_event,
		.arg = c };
	c->phase = (uint8_t)phase;
	c->timer = (struct timer){ .fn = on_timer, .arg = c };
	c->ops = ops;
	c->arg = arg;
	buf_init(&c->in, CONN_INPUT_MAX);
	buf_init(&c->out, out_max);
	conn_line_mode(c, line_max);
	if (loop_watch(&c->watch) == -1)
		conn_end(c, CONN_ERROR);
	return c;
}

struct conn *
conn_new(int fd, const struct conn_ops *ops, void *arg, size_t line_max,
    size_t out_max)
{
	return conn_make(fd, ops, arg, line_max, out_max, PHASE_PLAIN);
}

struct conn *
conn_connect(const struct sockaddr *sa, size_t len, const struct conn_ops *ops,
    void *arg, size_t line_max, size_t out_max)
{
	struct conn *c;
	int fd = socket(sa->sa_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return NULL;
	/* Whole commands are sent at once: nothing is to wait for more. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 },
	    sizeof(int));
	if (connect(fd, sa, (socklen_t)len) == -1 && errno != EINPROGRESS &&
	    errno != EINTR) {
		fd_close(&fd);
		return NULL;
	}
	c = conn_make(fd, ops, arg, line_max, out_max, PHASE_CONNECT);
	c->client = true;
	return c;
}

int
conn_errno(const struct conn *c)
{
	return c->errnum;
}

void *
conn_arg(const struct conn *c)
{
	return c->arg;
}

int
conn_fd(struct conn *c)
{
	c->shared = true;
	return c->watch.fd;
}

void
conn_close(struct conn *c)
{
	conn_finish(c, CONN_DONE);
}

void
conn_abort(struct conn *c)
{
	conn_end(c, CONN_DONE);
}

void
conn_deadline(struct conn *c, uint64_t ms)
{
	if (c->life != LIFE_OPEN)
		return;
	if (ms == 0)
		loop_untimer(&c->timer);
	else
		loop_timer(&c->timer, ms);
}

/* RFC 3207 4.2 and CVE-2011-0411: nothing from before survives. */
static bool
tls_may_begin(struct conn *c)
{
	if (c->life != LIFE_OPEN || c->phase != PHASE_PLAIN)
		return false;
	if (conn_unread(c).n == 0)
		return true;
	conn_end(c, CONN_TLS);
	return false;
}

static int
tls_begin(struct conn *c, struct tls *tls)
{
	if (tls == NULL) {
		conn_end(c, CONN_TLS);
		return -1;
	}
	c->tls = tls;
	c->phase = c->out.n > 0 ? PHASE_FLUSH : PHASE_HANDSHAKE;
	c->paused = c->raw = false;
	conn_queue(c);
	return 0;
}

int
conn_starttls(struct conn *c, struct tls_server *server, const char *alpn)
{
	if (!tls_may_begin(c))
		return -1;
	return tls_begin(c, tls_accept(server, c->watch.fd, alpn));
}

int
conn_starttls_client(struct conn *c, struct tls_client *client,
    const struct tls_peer *peer)
{
	if (!tls_may_begin(c))
		return -1;
	c->greet = true;
	return tls_begin(c, tls_connect(client, c->watch.fd, peer));
}

struct tls *
conn_tls(const struct conn *c)
{
	return c->tls;
}

int
conn_give(struct conn *c)
{
	int fd = c->watch.fd;

	if (c->life != LIFE_OPEN || c->phase != PHASE_PLAIN || c->out.n > 0 ||
	    c->proxy != NULL)
		return -1;
	loop_unwatch(&c->watch);
	c->watch.fd = -1;
	c->given = true;
	conn_end(c, CONN_DONE);
	return fd;
}
