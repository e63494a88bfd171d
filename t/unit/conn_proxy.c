/* conn_proxy: bytes both ways, in order, to the end; plain and under TLS. */
#include "lib/conn.h"

#include <sys/socket.h>

#include <errno.h>
#include <string.h>

#include "lib/os_loop.h"
#include "t/unit/story.h"
#include "t/unit/tap.h"
#include "t/unit/tls_peer.h"

enum { LINE = 64, OUT = 1024, IDLE_MS = 5000, LARGE = 1000 * 1000 };

static struct tls_server *server;
static struct conn *conn;
static int far = -1, other = -1; /* the client's end, the session's end */
static SSL *peer;

static void
on_line(struct conn *c, struct span line, bool crlf)
{
	int fd[2];

	(void)crlf;
	buf_span(&story, line);
	if (!span_eq(line, SPAN("GO")))
		return;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == -1)
		die("socketpair");
	other = fd[1];
	conn_proxy(c, fd[0], IDLE_MS);
}

static void
on_close(struct conn *c, enum conn_why why)
{
	story_close(c, why);
	conn = NULL;
}

static const struct conn_ops ops = { .on_line = on_line, .on_close = on_close };

/* The client's end: bytes moved, 0 at the end, -1 for "not now". */
static ssize_t
client_send(const char *p, size_t n)
{
	int rc;

	if (peer == NULL)
		return send(far, p, n, MSG_NOSIGNAL);
	rc = SSL_write(peer, p, (int)n);
	return rc > 0 ? rc : -1;
}

static ssize_t
client_recv(char *p, size_t n)
{
	int rc;

	if (peer == NULL)
		return read(far, p, n);
	rc = SSL_read(peer, p, (int)n);
	if (rc > 0)
		return rc;
	return SSL_get_error(peer, rc) == SSL_ERROR_ZERO_RETURN ? 0 : -1;
}

static void
begin(bool tls, struct span first)
{
	int i;

	conn = story_begin(&ops, LINE, OUT, &far);
	if (tls) {
		(void)conn_starttls(conn, server, "pop3");
		peer = peer_new(far, 0, NULL, NULL);
		SSL_set_mode(peer,
		    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
			SSL_MODE_ENABLE_PARTIAL_WRITE);
		for (i = 0; i < 10 && SSL_do_handshake(peer) != 1; i++)
			spin();
	}
	if (client_send(first.p, first.n) != (ssize_t)first.n)
		die("send");
	spin();
	buf_clear(&story);
}

static void
finish(void)
{
	if (conn != NULL)
		conn_abort(conn);
	spin();
	SSL_free(peer);
	peer = NULL;
	ERR_clear_error();
	fd_close(&far);
	fd_close(&other);
}

static bool
other_hears(const char *want)
{
	char got[256];
	ssize_t n = recv(other, got, sizeof(got), MSG_DONTWAIT);

	return n >= 0 && span_eq(span_of(got, (size_t)n), span_str(want));
}

/* All that is there; "" means the end. */
static bool
client_hears(const char *want)
{
	char got[256];
	size_t total = 0;
	ssize_t n;

	while ((n = client_recv(got + total, sizeof(got) - total)) > 0)
		total += (size_t)n;
	return (total > 0 || n == 0) &&
	    span_eq(span_of(got, total), span_str(want));
}

static void
small_talk(bool tls)
{
	begin(tls, SPAN("GO\r\nSTAT\r\nhal"));
	ok(other_hears("STAT\r\nhal"), "what was unread goes first");
	(void)client_send("f\r\n", 3);
	spin();
	ok(other_hears("f\r\n"), "then what comes");
	(void)send(other, "+OK\r\n", 5, 0);
	spin();
	ok(client_hears("+OK\r\n"), "and back");
	loop_skip(IDLE_MS / 4 * 3);
	(void)client_send("x", 1);
	spin();
	loop_skip(IDLE_MS / 4 * 3);
	(void)send(other, "y", 1, 0);
	spin();
	loop_skip(IDLE_MS / 4 * 3);
	spin();
	ok(told(""), "both directions keep it alive");
	(void)send(other, "bye", 3, 0);
	fd_close(&other);
	spin();
	ok(client_hears("ybye") && told("close:done"),
	    "the session's end comes after its last bytes");
	ok(client_hears(""), "the client sees it");
	finish();
}

static void
ends(bool tls)
{
	begin(tls, SPAN("GO\r\n"));
	(void)client_send("QUIT\r\n", 6);
	if (tls)
		SSL_shutdown(peer);
	else
		shutdown(far, SHUT_WR);
	spin();
	ok(other_hears("QUIT\r\n") && other_hears(""),
	    "the client's end is passed on");
	ok(told(""), "but is not the end");
	(void)send(other, "+OK bye\r\n", 9, 0);
	fd_close(&other);
	spin();
	ok(client_hears("+OK bye\r\n") && told("close:done"),
	    "the answer still comes");
	finish();

	begin(tls, SPAN("GO\r\n"));
	loop_skip(IDLE_MS);
	spin();
	ok(told("close:timeout") && other_hears(""), "idle for too long");
	finish();

	begin(tls, SPAN("GO\r\n"));
	conn_abort(conn);
	spin();
	ok(told("close:done") && other_hears(""), "an abort ends both");
	finish();
}

static char
pattern(size_t i)
{
	return (char)(i * 31 + i / 251);
}

/* Sends as much as is taken now. */
static size_t
push(size_t at, bool from_client)
{
	char piece[4096];
	size_t n = 0;
	ssize_t rc;

	while (n < sizeof(piece) && at + n < LARGE) {
		piece[n] = pattern(at + n);
		n++;
	}
	if (n == 0)
		return at;
	if (from_client)
		rc = client_send(piece, n);
	else
		rc = send(other, piece, n, MSG_DONTWAIT);
	return rc > 0 ? at + (size_t)rc : at;
}

static size_t
pull(size_t at, bool to_client, bool *same)
{
	char piece[4096];
	ssize_t n, i;

	n = to_client ? client_recv(piece, sizeof(piece))
		      : recv(other, piece, sizeof(piece), MSG_DONTWAIT);
	for (i = 0; i < n; i++)
		*same = *same && piece[i] == pattern(at++);
	return at;
}

/* Both directions at once; for a while nobody reads. */
static void
large_both_ways(bool tls)
{
	size_t up = 0, down = 0, up_got = 0, down_got = 0, i, before;
	bool same = true, stuck;

	begin(tls, SPAN("GO\r\n"));
	do {
		before = up + down;
		up = push(up, true);
		down = push(down, false);
		spin();
	} while (up + down > before && up + down < 2 * LARGE);
	stuck = up < LARGE && down < LARGE;
	ok(stuck && conn != NULL, "who is not read from cannot go on");
	for (i = 0; i < 100000 && up_got + down_got < 2 * LARGE; i++) {
		up = push(up, true);
		down = push(down, false);
		up_got = pull(up_got, false, &same);
		down_got = pull(down_got, true, &same);
		spin();
	}
	ok(up_got == LARGE && down_got == LARGE && same,
	    "all bytes arrive in order");
	finish();
}

int
main(void)
{
	int cert, key, tls;
	char why[128];

	loop_init();
	peer_certificate("mail.example.org", 10, &cert, &key);
	if (tls_server_add(&server, cert, key, why, sizeof(why)) == -1)
		die("%s", why);
	fd_close(&cert);
	fd_close(&key);
	for (tls = 0; tls <= 1; tls++) {
		printf("# %s\n", tls ? "TLS" : "plain text");
		small_talk(tls);
		ends(tls);
		large_both_ways(tls);
	}
	tls_server_free(server);
	peer_fini();
	buf_fini(&story);
	loop_fini();
	return done();
}
