/*
 * conn_input: reading, and cutting into lines.
 *
 * All connections read into one arena and are parsed there; only what is
 * left (the start of a line, or what a pause holds up) is copied into the
 * connection's own buffer. An idle connection owns no buffer at all.
 *
 * Invariants: handlers do not nest: at most one connection is being parsed.
 * A socket is read only when nothing but the start of one line is left, so
 * CONN_INPUT_MAX bounds what a connection may hold.
 */
#include "lib/conn_impl.h"

#include <sys/socket.h>

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "lib/die.h"
#include "lib/limits.h"

static char arena[CONN_INPUT_MAX];

static struct { /* whose input is being parsed, and what is left of it */
	const struct conn *conn;
	struct span rest;
} parsing;

struct span
conn_arena(void)
{
	return span_of(arena, sizeof(arena));
}

bool
conn_may_parse(const struct conn *c)
{
	if (c->life != LIFE_OPEN || c->paused)
		return false;
	if (c->phase != PHASE_PLAIN && c->phase != PHASE_SECURE)
		return false;
	if (c->proxy != NULL)
		return proxy_takes_input(c);
	/* Who does not read our replies gets no more of them. */
	return c->client || (!c->blocked && c->out.n <= c->out.max / 2);
}

/* Drops up to the end of a line that is too long; told when it is over. */
static void
skip_line(struct conn *c, size_t end)
{
	c->skipping = end == parsing.rest.n;
	span_take(&parsing.rest, end + 1);
	if (!c->skipping && c->ops->on_toolong != NULL)
		c->ops->on_toolong(c);
}

/* It may have held a password: nothing of it stays in memory. */
static void
wipe(struct span s)
{
	if (s.n > 0)
		explicit_bzero((char *)(uintptr_t)s.p, s.n);
}

/* One line, or a step through one that is too long; false: need more. */
static bool
parse_line(struct conn *c)
{
	size_t end = span_find(parsing.rest, '\n');
	struct span line;
	bool crlf;

	if (c->skipping || end >= c->line_max) {
		skip_line(c, end);
		return true;
	}
	if (end == parsing.rest.n)
		return false;
	line = span_slice(span_take(&parsing.rest, end + 1), 0, end);
	crlf = end > 0 && line.p[end - 1] == '\r';
	if (crlf)
		line.n--;
	c->ops->on_line(c, line, crlf);
	wipe(line);
	return true;
}

static void
parse_raw(struct conn *c)
{
	struct span all = parsing.rest;
	size_t used = c->ops->on_raw(c, all);

	assert(used <= all.n);
	if (parsing.rest.n == all.n) /* else the handler forgot it all */
		span_take(&parsing.rest, used);
	if (used < all.n && c->raw && conn_may_parse(c))
		die("raw input was left lying");
}

/*
 * Feeds all to the handlers, as far as they take it; the rest is kept. all
 * is not inside c->in.
 */
static void
parse(struct conn *c, struct span all)
{
	bool more = true;

	assert(parsing.conn == NULL && c->in.n == 0);
	parsing.conn = c;
	parsing.rest = all;
	c->again = false;
	while (more && parsing.rest.n > 0 && conn_may_parse(c)) {
		if (c->proxy != NULL)
			proxy_input(c, span_take(&parsing.rest, SIZE_MAX));
		else if (c->raw)
			parse_raw(c);
		else
			more = parse_line(c);
	}
	parsing.conn = NULL;
	if (c->life != LIFE_OPEN || parsing.rest.n == 0)
		return;
	buf_span(&c->in, parsing.rest);
	if (c->in.bad)
		die("input over CONN_INPUT_MAX");
	c->again = more;
	if (more && !c->paused)
		conn_queue(c);
}

void
conn_parse_saved(struct conn *c)
{
	struct buf saved = c->in;

	if (saved.n == 0)
		return;
	buf_init(&c->in, CONN_INPUT_MAX);
	parse(c, buf_get(&saved));
	buf_fini(&saved);
}

static enum tls_want
read_plain(struct conn *c, char *p, size_t cap, size_t *n)
{
	ssize_t got;

	do
		got = recv(c->watch.fd, p, cap, MSG_DONTWAIT);
	while (got == -1 && errno == EINTR);
	if (got > 0) {
		*n = (size_t)got;
		return TLS_OK;
	}
	if (got == 0)
		return TLS_EOF;
	return errno == EAGAIN || errno == EWOULDBLOCK ? TLS_WANT_READ
						       : TLS_FAIL;
}

/* All records that are there already; what came counts before its end. */
static enum tls_want
read_secure(struct conn *c, char *p, size_t cap, size_t *n)
{
	enum tls_want want;
	size_t got;

	do {
		want = tls_read(c->tls, p + *n, cap - *n, &got);
		if (want == TLS_OK)
			*n += got;
	} while (want == TLS_OK && *n < cap && tls_pending(c->tls));
	if (*n == 0)
		return want;
	c->again = want != TLS_WANT_READ && tls_pending(c->tls);
	return TLS_OK;
}

static void
input_ended(struct conn *c, enum conn_why why)
{
	c->again = false;
	if (why == CONN_EOF && c->proxy != NULL)
		proxy_eof(c);
	else if (why == CONN_EOF)
		conn_finish(c, CONN_EOF);
	else
		conn_end(c, why);
}

/* One read; the start of a line that was left is put in front of it. */
void
conn_read(struct conn *c)
{
	size_t left = c->in.n, cap = sizeof(arena) - left, n = 0;
	enum tls_want want;
	bool more;

	want = c->phase == PHASE_SECURE ? read_secure(c, arena + left, cap, &n)
					: read_plain(c, arena + left, cap, &n);
	switch (want) {
	case TLS_WANT_READ:
		return;
	case TLS_WANT_WRITE: /* a key update found the socket full */
		c->blocked = c->again = true;
		conn_queue(c);
		return;
	case TLS_EOF:
		input_ended(c, CONN_EOF);
		return;
	case TLS_FAIL:
		c->errnum = errno;
		input_ended(c, CONN_ERROR);
		return;
	case TLS_OK:
		break;
	}
	if (n < cap)
		c->drained = conn_turn_number();
	if (left > 0)
		memcpy(arena, c->in.p, left);
	wipe(buf_get(&c->in));
	buf_fini(&c->in);
	more = c->again; /* tls has more, or its end */
	parse(c, span_of(arena, left + n));
	if (more && c->life == LIFE_OPEN) {
		c->again = true;
		conn_queue(c);
	}
}

struct span
conn_unread(const struct conn *c)
{
	return parsing.conn == c ? parsing.rest : buf_get(&c->in);
}

void
conn_forget_input(struct conn *c)
{
	if (parsing.conn == c)
		parsing.rest = SPAN_NONE;
	buf_fini(&c->in);
	c->again = false;
}

bool
conn_spoke_early(struct conn *c)
{
	char one;

	if (conn_unread(c).n > 0)
		return true;
	if (c->tls != NULL)
		return tls_pending(c->tls);
	return recv(c->watch.fd, &one, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

void
conn_line_mode(struct conn *c, size_t line_max)
{
	assert(line_max > 2 && line_max <= CONN_INPUT_MAX);
	c->line_max = (uint32_t)line_max;
	c->raw = false;
}

void
conn_raw_mode(struct conn *c)
{
	assert(c->ops->on_raw != NULL);
	c->raw = true;
}

void
conn_pause(struct conn *c)
{
	c->paused = true;
}

void
conn_resume(struct conn *c)
{
	c->paused = false;
	c->again = true;
	conn_queue(c);
}
