/*
 * front: see front.h for the states.
 *
 * Invariants: a client that waits for auth is paused. on_close frees the
 * client, except when its socket was given away: then nothing comes any
 * more, and client_give() frees it.
 */
#include "login/front.h"

#include <stdlib.h>
#include <netinet/tcp.h>
#include <string.h>

#include <bsd/string.h>

#include "lib/accept.h"
#include "lib/base64.h"
#include "lib/conf.h"
#include "lib/conn.h"
#include "lib/die.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/qid.h"
#include "lib/tally.h"
#include "lib/tls.h"
#include "login/ask.h"
#include "login/imap.h"
#include "login/pop3.h"

static struct client *clients;

static const struct service services[] = {
	{ "pop3", &pop3, false },
	{ "pop3s", &pop3, true },
	{ "imap", &imap, false },
	{ "imaps", &imap, true },
};

const struct service *
service_find(const char *name)
{
	size_t i;

	for (i = 0; i < nitems(services); i++)
		if (strcmp(services[i].name, name) == 0)
			return &services[i];
	return NULL;
}

/* What clients hear */

void
client_say(struct client *c, const char *text)
{
	conn_write(c->conn, span_str(text));
	conn_write(c->conn, SPAN("\r\n"));
}

void
client_bye(struct client *c, enum goodbye why)
{
	conn_write(c->conn, c->service->protocol->goodbye(why));
	conn_close(c->conn);
}

void
client_error(struct client *c, const char *text)
{
	if (text != NULL)
		client_say(c, text);
	if (++c->errors >= LOGIN_ERRORS_MAX)
		client_bye(c, BYE_ERRORS);
}

bool
client_may_starttls(const struct client *c)
{
	return front.tls != NULL && conn_tls(c->conn) == NULL;
}

bool
client_may_login(const struct client *c)
{
	return conn_tls(c->conn) != NULL ||
	    (front.conf->plaintext_auth && c->loopback);
}

/* RFC 5034 4, RFC 3501 6.2.2 */
void
client_challenge(struct client *c)
{
	struct buf b;

	buf_init(&b, SMTP_AUTH_LINE_MAX);
	buf_str(&b, "+ ");
	base64_encode(&b, c->sasl->challenge);
	client_say(c, buf_cstr(&b));
	buf_fini(&b);
}

/* A browser, tricked into talking to us (ALPACA), begins with its verb. */
bool
client_is_foreign(struct span word)
{
	static const char *const verbs[] = { "GET", "POST", "PUT", "HEAD",
		"OPTIONS", "CONNECT", "EHLO", "HELO" };

	for (size_t i = 0; i < nitems(verbs); i++)
		if (span_ieq(word, span_str(verbs[i])))
			return true;
	return false;
}

static void
talk(struct client *c)
{
	c->state = CLIENT_TALK;
	conn_deadline(c->conn, front.conf->login_timeout * 1000);
}

static void
greet(struct client *c)
{
	/* Who talks before being greeted speaks another protocol: ALPACA. */
	if (conn_tls(c->conn) == NULL && conn_spoke_early(c->conn)) {
		client_bye(c, BYE_ERRORS);
		return;
	}
	talk(c);
	c->service->protocol->greet(c);
}

/* What conn tells */

static void
on_line(struct conn *conn, struct span line, bool crlf)
{
	struct client *c = conn_arg(conn);

	(void)crlf; /* people type into these ports, too */
	c->service->protocol->line(c, line);
}

static void
on_toolong(struct conn *conn)
{
	struct client *c = conn_arg(conn);

	c->service->protocol->toolong(c);
}

static size_t
on_raw(struct conn *conn, struct span bytes)
{
	struct client *c = conn_arg(conn);

	return c->service->protocol->raw(c, bytes);
}

static void
on_tls(struct conn *conn)
{
	struct client *c = conn_arg(conn);

	if (log_would(LL_DEBUG)) {
		log_begin(LL_DEBUG, "tls");
		log_str("sid", c->sid);
		log_str("version", tls_version(conn_tls(conn)));
		log_str("cipher", tls_cipher(conn_tls(conn)));
		log_end();
	}
	if (c->service->tls_first) {
		greet(c);
	} else {
		talk(c);
		c->service->protocol->secured(c);
	}
}

static void
on_timeout(struct conn *conn)
{
	client_bye(conn_arg(conn), BYE_TIMEOUT);
}

static void
log_close(const struct client *c, enum conn_why why)
{
	static const char *const names[] = {
		[CONN_DONE] = "done",
		[CONN_EOF] = "client closed",
		[CONN_ERROR] = "connection lost",
		[CONN_TIMEOUT] = "timeout",
		[CONN_TLS] = "TLS handshake failed",
		[CONN_OVERFLOW] = "client does not read",
	};

	log_begin(LL_INFO, "disconnect");
	log_str("sid", c->sid);
	log_str("client", c->name);
	log_str("why", names[why]);
	if (why == CONN_TLS && conn_tls(c->conn) != NULL)
		log_str("tls", tls_error(conn_tls(c->conn)));
	log_end();
}

/* It is gone, or logged in: then user-sessions is its bound. */
static void
client_uncount(struct client *c)
{
	if (c->counted)
		(void)tally_add(TALLY_CONNECTED,
		    tally_network(&c->addr.sa), -1, loop_wall());
	c->counted = false;
}

static void
client_free(struct client *c)
{
	ask_forget(c);
	fd_close(&c->session_fd);
	client_uncount(c);
	sasl_free(&c->sasl);
	free(c->user);
	free(c->tag);
	buf_fini(&c->command);
	*c->prev = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	free(c);
	front.clients--;
	front_left();
}

static void
on_close(struct conn *conn, enum conn_why why)
{
	struct client *c = conn_arg(conn);

	log_close(c, why);
	client_free(c);
}

static const struct conn_ops ops = {
	.on_line = on_line,
	.on_toolong = on_toolong,
	.on_raw = on_raw,
	.on_tls = on_tls,
	.on_timeout = on_timeout,
	.on_close = on_close,
};

/* After the login */

static void
log_login(const struct client *c, struct span user)
{
	const struct tls *tls = conn_tls(c->conn);

	log_begin(LL_INFO, "login");
	log_str("sid", c->sid);
	log_span("user", user);
	log_str("client", c->name);
	log_str("service", c->service->name);
	log_str("tls", tls == NULL ? NULL : tls_version(tls));
	log_end();
}

/* The session process has the client's own socket: forget ours. */
static void
client_give(struct client *c)
{
	int fd = conn_give(c->conn);

	if (fd == -1) { /* it did not even read our last line */
		conn_abort(c->conn);
		return;
	}
	fd_close(&fd);
	client_free(c);
}

static void
client_proxy(struct client *c)
{
	int fd = c->session_fd;

	/* The process ends an idle session; this is for one that cannot. */
	uint64_t idle_ms =
	    c->service->protocol->session_idle(front.conf) * 1000 +
	    LOGIN_ANSWER_MS;

	c->session_fd = -1;
	c->state = CLIENT_PROXY;
	client_uncount(c);
	conn_proxy(c->conn, fd, idle_ms);
}

static void
log_later(const struct client *c, struct span why)
{
	log_begin(LL_ERROR, "auth");
	log_str("sid", c->sid);
	log_str("client", c->name);
	log_span("why", why);
	log_end();
}

void
client_verdict(struct client *c, const struct ipc_auth_is *is)
{
	if (is->verdict == AUTH_OK) {
		log_login(c, is->user);
		if (c->session_fd != -1)
			client_proxy(c);
		else
			client_give(c);
		return;
	}
	fd_close(&c->session_fd);
	if (is->verdict == AUTH_LATER || is->verdict == AUTH_FULL)
		log_later(c, is->why);
	talk(c);
	c->service->protocol->refused(c, is->verdict);
	if (front.hurried)
		client_bye(c, BYE_STOPPING);
	else if (is->verdict == AUTH_LIMITED || ++c->tries >= LOGIN_TRIES_MAX)
		client_bye(c, BYE_ERRORS);
	conn_resume(c->conn);
}

/* Coming and going */

static bool
is_loopback(const struct client *c)
{
	if (c->addr.sa.sa_family == AF_INET)
		return (ntohl(c->addr.in.sin_addr.s_addr) >> 24) == 127;
	return c->addr.sa.sa_family == AF_INET6 &&
	    IN6_IS_ADDR_LOOPBACK(&c->addr.in6.sin6_addr);
}

static bool
has_room(struct client *c)
{
	uint64_t max = front.conf->login_client_connections;
	uint32_t n;

	if (front.clients > front.conf->login_connections)
		return false;
	n = tally_add(TALLY_CONNECTED, tally_network(&c->addr.sa), 1,
	    loop_wall());
	c->counted = true;
	return max == 0 || n <= max;
}

static struct client *
client_new(int fd, const struct sockaddr *sa, const struct service *service)
{
	struct client *c = xcalloc(1, sizeof(*c));
	char name[HOST_MAX];
	int on = 1;

	/* A session writes a message in pieces; none may wait for an ACK. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	c->service = service;
	c->session_fd = -1;
	c->addr.sa.sa_family = AF_UNSPEC;
	if (sa->sa_family == AF_INET)
		memcpy(&c->addr.in, sa, sizeof(c->addr.in));
	else if (sa->sa_family == AF_INET6)
		memcpy(&c->addr.in6, sa, sizeof(c->addr.in6));
	c->loopback = is_loopback(c);
	accept_address(sa, name);
	strlcpy(c->name, name, sizeof(c->name));
	qid_text(qid_new(), c->sid);
	c->next = clients;
	c->prev = &clients;
	if (clients != NULL)
		clients->prev = &c->next;
	clients = c;
	front.clients++;
	c->conn =
	    conn_new(fd, &ops, c, service->protocol->line_max, LOGIN_OUT_MAX);
	return c;
}

static void
log_open_client(const struct client *c)
{
	log_begin(LL_INFO, "connect");
	log_str("sid", c->sid);
	log_str("client", c->name);
	log_str("service", c->service->name);
	log_end();
}

void
client_open(int fd, const struct sockaddr *sa, const struct service *service)
{
	struct client *c = client_new(fd, sa, service);

	log_open_client(c);
	conn_deadline(c->conn, front.conf->login_timeout * 1000);
	if (!has_room(c)) {
		log_begin(LL_WARN, "limit");
		log_str("sid", c->sid);
		log_str("client", c->name);
		log_str("why", "too many connections");
		log_end();
		if (service->tls_first)
			conn_abort(c->conn);
		else
			client_bye(c, BYE_FULL);
	} else if (!service->tls_first) {
		greet(c);
	} else if (front.tls == NULL) {
		conn_abort(c->conn);
	} else {
		(void)conn_starttls(
		    c->conn, front.tls, service->protocol->name);
	}
}

void
client_stop_all(void)
{
	struct client *c;

	for (c = clients; c != NULL; c = c->next) {
		if (c->state == CLIENT_HELLO)
			conn_abort(c->conn);
		else if (c->state == CLIENT_TALK)
			client_bye(c, BYE_STOPPING);
	}
}
