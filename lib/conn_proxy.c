/*
 * conn_proxy: carries bytes between a client (with its TLS) and a stream
 * socket of another process. The two directions do not wait for each other.
 *
 * Back-pressure: the client is not read while `to` holds what the other side
 * did not take; the other side is not read while c->out holds what the
 * client did not take. So each direction holds at most one read.
 */
#include "lib/conn_impl.h"

#include <sys/socket.h>

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "lib/die.h"
#include "lib/limits.h"

struct proxy {
	struct watch watch; /* the other side */
	struct buf to;      /* for it, not sent */
	uint64_t idle_ms;
	bool eof;  /* the client will say no more */
	bool shut; /* and the other side knows */
};

static void
moved(struct conn *c)
{
	if (c->proxy->idle_ms != 0)
		loop_timer(&c->timer, c->proxy->idle_ms);
}

/* How much the other side took; a broken one took nothing. */
static size_t
send_some(struct conn *c, struct span s)
{
	ssize_t n;

	do
		n = send(
		    c->proxy->watch.fd, s.p, s.n, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n == -1 && errno == EINTR);
	if (n == -1 && errno != EAGAIN && errno != EWOULDBLOCK)
		conn_finish(c, CONN_DONE);
	return n == -1 ? 0 : (size_t)n;
}

bool
proxy_takes_input(const struct conn *c)
{
	return c->proxy->to.n == 0 && !c->proxy->eof;
}

void
proxy_input(struct conn *c, struct span s)
{
	assert(c->proxy->to.n == 0);
	moved(c);
	span_take(&s, send_some(c, s));
	buf_span(&c->proxy->to, s);
	if (s.n > 0)
		conn_queue(c);
}

void
proxy_eof(struct conn *c)
{
	c->proxy->eof = true;
	conn_queue(c);
}

static void
take_output(struct conn *c)
{
	struct span arena = conn_arena();
	char *p = (char *)(uintptr_t)arena.p;
	ssize_t n;

	do
		n = recv(c->proxy->watch.fd, p, arena.n, MSG_DONTWAIT);
	while (n == -1 && errno == EINTR);
	if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return;
	if (n <= 0) {
		conn_finish(c, CONN_DONE);
		return;
	}
	moved(c);
	conn_write(c, span_of(p, (size_t)n));
}

static void
on_other(struct watch *w, unsigned events)
{
	struct conn *c = w->arg;
	struct buf *to = &c->proxy->to;

	if (c->life != LIFE_OPEN)
		return;
	if ((events & LOOP_WRITE) != 0 && to->n > 0) {
		moved(c);
		buf_drop(to, send_some(c, buf_get(to)));
		buf_trim(to);
		c->again = true; /* tls may hold more */
		conn_queue(c);
	}
	if ((events & LOOP_READ) == 0 || c->life != LIFE_OPEN)
		return;
	if (c->out.n == 0)
		take_output(c);
	else if (c->blocked)
		loop_rewatch(w, w->events & ~(unsigned)LOOP_READ);
}

/* Called for each turn in which something happened. */
void
proxy_turn(struct conn *c)
{
	struct proxy *p = c->proxy;
	unsigned events = p->watch.events & LOOP_READ;

	if (p->eof && !p->shut && p->to.n == 0) {
		p->shut = true;
		(void)shutdown(p->watch.fd, SHUT_WR);
	}
	if (c->out.n == 0)
		events = LOOP_READ;
	if (p->to.n > 0)
		events |= LOOP_WRITE;
	loop_rewatch(&p->watch, c->life == LIFE_OPEN ? events : 0);
}

void
proxy_free(struct conn *c)
{
	struct proxy *p = c->proxy;

	loop_unwatch(&p->watch);
	fd_close(&p->watch.fd);
	buf_fini(&p->to);
	free(p);
	c->proxy = NULL;
}

void
conn_proxy(struct conn *c, int fd, uint64_t idle_ms)
{
	struct proxy *p = xcalloc(1, sizeof(*p));

	assert(c->proxy == NULL);
	p->watch = (struct watch){
		.fd = fd, .events = LOOP_READ, .fn = on_other, .arg = c
	};
	p->idle_ms = idle_ms;
	buf_init(&p->to, CONN_INPUT_MAX);
	c->proxy = p;
	c->paused = c->raw = false;
	if (c->out.max < CONN_INPUT_MAX)
		c->out.max = CONN_INPUT_MAX;
	if (loop_watch(&p->watch) == -1) {
		conn_end(c, CONN_ERROR);
		return;
	}
	conn_deadline(c, idle_ms);
	c->again = true;
	conn_queue(c);
}
