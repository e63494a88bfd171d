/*
 * conn_client: conn and tls from the side of who calls; a server of ours is
 * at the other end, in the same loop.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "t/unit/story.h"
#include "t/unit/tap.h"
#include "t/unit/tls_peer.h"

enum { LINE = 512, OUT = 1 << 20, BLOCK = 1 << 16, BLOCKS = 64 };

static struct tls_server *server;
static struct tls_client *trusting;
static struct conn *client, *host;
static struct sockaddr_in at;
static int door = -1;
static unsigned blocks;
static size_t heard;

/* --- the server -------------------------------------------------------- */

static void
host_line(struct conn *c, struct span line, bool crlf)
{
	(void)crlf;
	buf_str(&story, "<");
	buf_span(&story, line);
	buf_str(&story, ">");
	if (span_eq(line, SPAN("STARTTLS"))) {
		conn_write(c, SPAN("220\r\n"));
		(void)conn_starttls(c, server, "smtp");
	} else if (span_eq(line, SPAN("EARLY"))) {
		conn_write(c, SPAN("220\r\nbefore the handshake\r\n"));
	} else if (span_eq(line, SPAN("RAW"))) {
		conn_raw_mode(c);
	}
}

static size_t
host_raw(struct conn *c, struct span bytes)
{
	(void)c;
	heard += bytes.n;
	return bytes.n;
}

static void
host_close(struct conn *c, enum conn_why why)
{
	(void)c;
	(void)why;
	host = NULL;
}

static const struct conn_ops host_ops = {
	.on_line = host_line,
	.on_raw = host_raw,
	.on_close = host_close,
};

/* --- the client -------------------------------------------------------- */

static struct tls_peer peer;

static void
on_connect(struct conn *c)
{
	int fd = accept4(door, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)c;
	buf_str(&story, "connect ");
	if (fd != -1)
		host = conn_new(fd, &host_ops, NULL, LINE, OUT);
}

static void
on_line(struct conn *c, struct span line, bool crlf)
{
	(void)crlf;
	story_line(line);
	if (span_eq(line, SPAN("220")) &&
	    conn_starttls_client(c, trusting, &peer) == -1)
		buf_str(&story, "no ");
}

static void
on_tls(struct conn *c)
{
	(void)c;
	buf_str(&story, "tls ");
}

static void
on_drained(struct conn *c)
{
	static char block[BLOCK];

	if (blocks++ == BLOCKS)
		return;
	conn_write(c, span_of(block, sizeof(block)));
	conn_when_drained(c);
}

static void
on_close(struct conn *c, enum conn_why why)
{
	story_close(c, why);
	client = NULL;
}

static const struct conn_ops ops = {
	.on_connect = on_connect,
	.on_line = on_line,
	.on_tls = on_tls,
	.on_drained = on_drained,
	.on_close = on_close,
};

/* --- the tests --------------------------------------------------------- */

static void
settle(void)
{
	turns(30, 1);
}

/* Until this was told, or the client is gone: TCP may take its time. */
static void
settle_for(const char *want)
{
	for (int i = 0; i < 30 * 1000 && client != NULL &&
	    !span_eq(buf_get(&story), span_str(want)); i++)
		turns(1, 1);
	settle();
}

static void
finish(void)
{
	if (client != NULL)
		conn_abort(client);
	if (host != NULL)
		conn_abort(host);
	settle();
	buf_clear(&story);
}

static void
open_door(void)
{
	socklen_t len = sizeof(at);

	at.sin_family = AF_INET;
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	door = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (door == -1 || bind(door, (struct sockaddr *)&at, len) == -1 ||
	    listen(door, 8) == -1 ||
	    getsockname(door, (struct sockaddr *)&at, &len) == -1)
		die("socket");
}

static void
call(void)
{
	client = conn_connect((struct sockaddr *)&at, sizeof(at), &ops, NULL,
	    LINE, OUT);
	if (client == NULL)
		die("connect");
	settle_for("connect ");
}

/* STARTTLS with what is in peer; true if TLS is up. */
static bool
secure(void)
{
	call();
	conn_write(client, SPAN("STARTTLS\r\n"));
	settle_for("connect <STARTTLS>[220]tls ");
	return client != NULL && conn_tls(client) != NULL &&
	    told("connect <STARTTLS>[220]tls ");
}

static void
plain(void)
{
	struct sockaddr_in nobody = at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(nobody);

	call();
	conn_write(client, SPAN("hello\r\n"));
	settle_for("connect <hello>");
	ok(told("connect <hello>"), "a call is taken");
	conn_write(host, SPAN("a\r\nb\r\n"));
	settle_for("[a][b]");
	ok(told("[a][b]"), "and answered");
	conn_write(client, SPAN("RAW\r\n"));
	conn_when_drained(client);
	settle();
	for (int i = 0; i < 100 && heard < (size_t)BLOCK * BLOCKS; i++)
		settle();
	ok(heard == (size_t)BLOCK * BLOCKS && blocks == BLOCKS + 1,
	    "a block goes when the last one is gone");
	finish();
	nobody.sin_port = 0; /* bound, but nobody listens */
	if (bind(fd, (struct sockaddr *)&nobody, len) == -1 ||
	    getsockname(fd, (struct sockaddr *)&nobody, &len) == -1)
		die("socket");
	client = conn_connect((struct sockaddr *)&nobody, sizeof(nobody), &ops,
	    NULL, LINE, OUT);
	settle_for("close:error");
	ok(client == NULL && told("close:error") &&
		strcmp(story_error, strerror(ECONNREFUSED)) == 0,
	    "a refused call says why");
	close(fd);
}

static void
early(void)
{
	call();
	conn_write(client, SPAN("EARLY\r\n"));
	settle_for("connect <EARLY>[220]no close:tls");
	ok(client == NULL && told("connect <EARLY>[220]no close:tls"),
	    "bytes between the answer and the handshake end it");
	finish();
}

static void
verified(void)
{
	struct tls_session *session = NULL;

	peer = (struct tls_peer){ .sni = "mail.example.org" };
	ok(secure(), "any certificate, if nobody asks");
	ok(strcmp(tls_version(conn_tls(client)), "TLSv1.3") == 0 &&
		!tls_resumed(conn_tls(client)),
	    "a new session");
	finish();
	peer = (struct tls_peer){ .sni = "mail.example.org", .verify = true,
		.name = { "other.example.net", "mail.example.org" } };
	ok(secure(), "the right name, among others");
	for (int i = 0; i < 30 * 1000 && session == NULL; i++) {
		turns(1, 1); /* it comes behind the handshake */
		session = tls_session_take(conn_tls(client));
	}
	ok(session != NULL, "leaves a session");
	finish();
	peer.session = session;
	ok(secure() && tls_resumed(conn_tls(client)),
	    "which is taken up again");
	finish();
	tls_session_free(session);
	peer = (struct tls_peer){ .verify = true, .name = { ".example.org" } };
	ok(secure(), "any name below a domain");
	finish();
	peer.name[0] = "example.org";
	ok(!secure() && strstr(story_error, "ostname") != NULL,
	    "another name is refused, with a reason");
	finish();
	peer.name[0] = "127.0.0.1";
	ok(!secure(), "an address, too");
	finish();
}

static void
stranger(void)
{
	struct tls_client *keep = trusting;
	char why[256];

	trusting = tls_client_new("/nonexistent", why, sizeof(why));
	ok(why[0] != '\0', "no authorities: it says so");
	peer = (struct tls_peer){ .verify = true,
		.name = { "mail.example.org" } };
	ok(!secure() && strstr(story_error, "self") != NULL,
	    "and nobody can be verified");
	finish();
	peer.verify = false;
	ok(secure(), "all else works");
	finish();
	tls_client_free(trusting);
	trusting = keep;
}

int
main(void)
{
	char why[256], path[64];
	int cert, key;

	loop_init();
	open_door();
	peer_certificate("mail.example.org", 10, &cert, &key);
	if (tls_server_add(&server, cert, key, why, sizeof(why)) == -1)
		die("%s", why);
	snprintf(path, sizeof(path), "/dev/fd/%d", cert);
	trusting = tls_client_new(path, why, sizeof(why));
	ok(why[0] == '\0', "authorities out of a file");
	plain();
	early();
	verified();
	stranger();
	tls_client_free(trusting);
	tls_server_free(server);
	fd_close(&cert);
	fd_close(&key);
	peer_fini();
	close(door);
	buf_fini(&story);
	loop_fini();
	return done();
}
