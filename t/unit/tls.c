/* tls, under conn: handshakes that must work, and those that must not. */
#include "lib/tls.h"

#include <fcntl.h>
#include <malloc.h>
#include <string.h>

#include "t/unit/story.h"
#include "t/unit/tap.h"
#include "t/unit/tls_peer.h"

enum { LINE = 512, OUT = 1 << 17, BULK = 100 * 1000, MANY = 50 };

static struct tls_server *server;
static struct conn *conn;
static int far = -1;
static SSL *peer;

static void
on_line(struct conn *c, struct span line, bool crlf)
{
	static char bulk[BULK];

	(void)crlf;
	story_line(line);
	if (span_eq(line, SPAN("STARTTLS"))) {
		conn_write(c, SPAN("220\r\n"));
		if (conn_starttls(c, server, "smtp") == -1)
			buf_str(&story, "no ");
	} else if (span_eq(line, SPAN("BULK"))) {
		memset(bulk, 'b', sizeof(bulk));
		conn_write(c, span_of(bulk, sizeof(bulk)));
	} else if (span_eq(line, SPAN("P"))) {
		conn_pause(c);
	} else if (span_eq(line, SPAN("QUIT"))) {
		conn_write(c, SPAN("bye\r\n"));
		conn_close(c);
	}
}

static void
on_tls(struct conn *c)
{
	(void)c;
	buf_str(&story, "tls ");
}

static void
on_close(struct conn *c, enum conn_why why)
{
	story_close(c, why);
	conn = NULL;
}

static const struct conn_ops ops = {
	.on_line = on_line,
	.on_tls = on_tls,
	.on_close = on_close,
};

static void
begin(void)
{
	conn = story_begin(&ops, LINE, OUT, &far);
}

static void
finish(void)
{
	if (conn != NULL)
		conn_abort(conn);
	spin();
	SSL_free(peer);
	peer = NULL;
	fd_close(&far);
	ERR_clear_error();
}

/* Both ends take turns; true if the client's end is satisfied. */
static bool
shake(void)
{
	int i, rc = 0;

	for (i = 0; i < 10 && rc != 1; i++) {
		rc = SSL_do_handshake(peer);
		spin();
	}
	return rc == 1;
}

/* Implicit TLS. */
static bool
begin_tls(int version, const char *sni, const char *alpn)
{
	begin();
	(void)conn_starttls(conn, server, "smtp");
	peer = peer_new(far, version, sni, alpn);
	return shake();
}

static void
say(const char *text)
{
	if (SSL_write(peer, text, (int)strlen(text)) <= 0)
		die("SSL_write");
}

static size_t
hear(size_t most)
{
	static char got[2 * BULK];
	size_t n = 0;
	int i, rc;

	for (i = 0; i < 100 && n < most; i++) {
		while ((rc = SSL_read(peer, got, sizeof(got))) > 0)
			n += (size_t)rc;
		spin();
	}
	return n;
}

static bool
certificate_is(const char *name)
{
	X509 *x = SSL_get1_peer_certificate(peer);
	bool is = x != NULL && X509_check_host(x, name, 0, 0, NULL) == 1;

	X509_free(x);
	return is;
}

static void
certificates(void)
{
	struct tls_server *s = NULL;
	int cert, key, other_cert, other_key, old_cert, old_key, junk;
	char why[256];

	peer_certificate("mail.example.org", 10, &cert, &key);
	peer_certificate("*.example.net", 10, &other_cert, &other_key);
	peer_certificate("old.example.org", -1, &old_cert, &old_key);
	junk = open("/dev/null", O_RDONLY | O_CLOEXEC);
	ok(tls_server_add(&s, cert, other_key, why, sizeof(why)) == -1 &&
		s == NULL && why[0] != '\0',
	    "a key that does not fit is refused");
	ok(tls_server_add(&s, junk, key, why, sizeof(why)) == -1,
	    "so is what is no certificate");
	ok(tls_server_add(&s, cert, junk, why, sizeof(why)) == -1, "or no key");
	ok(tls_server_add(&s, cert, -1, why, sizeof(why)) == -1,
	    "or not even a file");
	ok(tls_server_add(&s, old_cert, old_key, why, sizeof(why)) == 0 &&
		strstr(why, "expired") != NULL,
	    "one that has expired is used and told");
	tls_server_free(s);
	ok(tls_server_add(&server, cert, key, why, sizeof(why)) == 0 &&
		why[0] == '\0',
	    "a certificate is loaded");
	ok(tls_server_add(&server, other_cert, other_key, why, sizeof(why)) ==
		0,
	    "and another one");
	ok(tls_server_left(server) > 9 * 86400 &&
		tls_server_left(server) <= 10 * 86400,
	    "how long the first is still good");
	ok(tls_server_names(server, "mail.example.org") &&
		!tls_server_names(server, "a.example.net"),
	    "and whom it names");
	fd_close(&cert);
	fd_close(&key);
	fd_close(&other_cert);
	fd_close(&other_key);
	fd_close(&old_cert);
	fd_close(&old_key);
	fd_close(&junk);
}

static void
versions(void)
{
	ok(begin_tls(TLS1_3_VERSION, NULL, NULL) && told("tls "),
	    "TLS 1.3 works");
	ok(strcmp(tls_version(conn_tls(conn)), "TLSv1.3") == 0 &&
		strcmp(tls_sni(conn_tls(conn)), "") == 0,
	    "and says so");
	finish();
	ok(begin_tls(TLS1_2_VERSION, "mail.example.org", NULL) && told("tls "),
	    "TLS 1.2 works");
	ok(strcmp(tls_sni(conn_tls(conn)), "mail.example.org") == 0,
	    "the asked name is known");
	(void)SSL_renegotiate(peer);
	ok(!shake(), "renegotiation is not done");
	finish();
	ok(!begin_tls(TLS1_1_VERSION, NULL, NULL) && told("close:tls") &&
		story_error[0] != '\0',
	    "TLS 1.1 does not, with a reason");
	finish();
	begin();
	(void)conn_starttls(conn, server, "smtp");
	peer = peer_new(far, TLS1_2_VERSION, NULL, NULL);
	SSL_set_cipher_list(peer, "ECDHE-ECDSA-AES128-SHA256:AES128-SHA");
	ok(!shake() && told("close:tls"), "a suite without AEAD does not");
	finish();
}

static void
names(void)
{
	ok(begin_tls(0, "a.example.net", NULL) &&
		certificate_is("a.example.net"),
	    "SNI chooses the certificate");
	finish();
	ok(begin_tls(0, "unknown.test", NULL) &&
		certificate_is("mail.example.org"),
	    "an unknown name gets the default");
	finish();
	ok(begin_tls(0, "a.example.net", "smtp"),
	    "ALPN with our protocol, other certificate");
	finish();
	ok(!begin_tls(0, NULL, "http/1.1") && told("close:tls"),
	    "ALPN without our protocol fails");
	finish();
	ok(!begin_tls(0, "a.example.net", "http/1.1") && told("close:tls"),
	    "with the other certificate, too");
	finish();
}

static void
data(void)
{
	(void)begin_tls(0, NULL, NULL);
	buf_clear(&story);
	say("one\r\ntw");
	spin();
	say("o\r\n");
	spin();
	ok(told("[one][two]"), "lines across records");
	say("P\r\nx\r\n");
	spin();
	say("y\r\n");
	spin();
	ok(told("[P]"), "a pause holds decrypted lines");
	conn_resume(conn);
	spin();
	ok(told("[x][y]"), "which come after it");
	say("BULK\r\n");
	spin();
	ok(hear(BULK) == BULK, "more than the socket takes at once");
	buf_clear(&story);
	say("QUIT\r\n");
	spin();
	ok(told("[QUIT]close:done") && hear(5) == 5, "last words");
	ok((SSL_get_shutdown(peer) & SSL_RECEIVED_SHUTDOWN) != 0,
	    "then close_notify");
	finish();

	(void)begin_tls(0, NULL, NULL);
	buf_clear(&story);
	say("x\r\n");
	SSL_shutdown(peer);
	spin();
	ok(told("[x]close:eof"), "the client's close_notify is the end");
	finish();
	(void)begin_tls(0, NULL, NULL);
	buf_clear(&story);
	(void)hear(1); /* the ticket: else closing would be a reset */
	fd_close(&far);
	spin();
	ok(told("close:eof"), "so is the end of the stream");
	finish();
}

/* A whole record's worth, read in pieces smaller than it. */
static void
many_lines(void)
{
	static char lines[3 * 16000];
	size_t i;

	for (i = 0; i + 3 <= sizeof(lines); i += 3)
		memcpy(lines + i, "x\r\n", 3);
	(void)begin_tls(0, NULL, NULL);
	buf_clear(&story);
	for (i = 0; i < 4; i++) {
		if (SSL_write(peer, lines, sizeof(lines)) != sizeof(lines))
			die("SSL_write");
		spin();
	}
	spin();
	ok(story.n == 4 * sizeof(lines), "all lines of large records come");
	finish();
}

static void
starttls(void)
{
	char got[16];

	begin();
	if (write(far, "STARTTLS\r\n", 10) != 10)
		die("write");
	spin();
	ok(told("[STARTTLS]") && read(far, got, sizeof(got)) == 5,
	    "the reply to STARTTLS is in plain text");
	peer = peer_new(far, 0, NULL, NULL);
	ok(shake() && told("tls "), "then comes TLS");
	say("hello\r\n");
	spin();
	ok(told("[hello]"), "and lines in it");
	finish();

	begin();
	if (write(far, "STARTTLS\r\nNOOP\r\n", 16) != 16)
		die("write");
	spin();
	ok(told("[STARTTLS]no close:tls"), "a command behind it closes");
	finish();
	begin();
	if (write(far, "STARTTLS\r\nN", 11) != 11)
		die("write");
	spin();
	ok(told("[STARTTLS]no close:tls"), "half a command, too");
	finish();
	begin();
	if (write(far, "STARTTLS\r\n", 10) != 10)
		die("write");
	spin();
	if (write(far, "NOOP\r\n", 6) != 6)
		die("write");
	spin();
	ok(told("[STARTTLS]close:tls"), "plain text after it is no handshake");
	finish();
}

static size_t
memory(void)
{
	return mallinfo2().uordblks;
}

static void
idle_memory(void)
{
	struct conn *idle[MANY];
	SSL *client[MANY];
	int fd[MANY], i;
	size_t plain, before = memory(), secure = 0;

	for (i = 0; i < MANY; i++) {
		begin();
		idle[i] = conn;
		fd[i] = far;
	}
	spin();
	plain = (memory() - before) / MANY;
	printf("# %zu bytes a plain connection\n", plain);
	for (i = 0; i < MANY; i++) {
		far = fd[i];
		conn = idle[i];
		before = memory();
		(void)conn_starttls(conn, server, "smtp");
		peer = client[i] = peer_new(far, 0, NULL, NULL);
		(void)shake();
		SSL_free(client[i]);
		secure += memory() - before;
	}
	printf("# %zu bytes more under TLS\n", secure / MANY);
	/* Sanitizers have their own allocator, which this does not see. */
	ok(plain < 600, "an idle connection costs a few hundred bytes");
	/* OpenSSL 3.0 takes 15 KB, 3.5 takes 29 KB. */
	ok(secure / MANY < 32 * 1024, "under TLS some kilobytes");
	for (i = 0; i < MANY; i++) {
		conn_abort(idle[i]);
		fd_close(&fd[i]);
	}
	peer = NULL;
	far = -1;
	spin();
	conn = NULL;
}

/* By the client; used as copies, since OpenSSL spoils that of a connection
 * which is cut: the first one, and that of the last connection. */
static SSL_SESSION *kept, *latest;

/* A whole connection; is what was kept taken up again? */
static bool
resumes(struct tls_server *s, int version, const char *service)
{
	SSL_SESSION *copy;
	bool is;

	begin();
	(void)conn_starttls(conn, s, service);
	peer = peer_new(far, version, NULL, NULL);
	copy = kept == NULL ? NULL : SSL_SESSION_dup(kept);
	if (copy != NULL)
		SSL_set_session(peer, copy);
	SSL_SESSION_free(copy);
	is = shake() && SSL_session_reused(peer) == 1;
	(void)hear(1); /* the ticket */
	if (kept == NULL)
		kept = SSL_SESSION_dup(SSL_get_session(peer));
	SSL_SESSION_free(latest);
	latest = SSL_SESSION_dup(SSL_get_session(peer));
	finish();
	return is;
}

/* Has the last connection a ticket of its own, not that of what was kept? */
static bool
has_new_ticket(void)
{
	const unsigned char *a, *b;
	size_t n, m;

	SSL_SESSION_get0_ticket(kept, &a, &n);
	SSL_SESSION_get0_ticket(latest, &b, &m);
	return m > 0 && (n != m || memcmp(a, b, n) != 0);
}

/* The keys of that age, and the two before it. */
static void
give_keys(struct tls_server *s, unsigned age)
{
	unsigned char keys[TLS_TICKETS];

	for (unsigned i = 0; i < TLS_TICKET_KEYS; i++)
		memset(keys + i * TLS_TICKET_KEY, (int)(age - i),
		    TLS_TICKET_KEY);
	tls_server_tickets(s, keys);
}

static void
tickets(int version)
{
	struct tls_server *s[3] = { NULL, NULL, NULL };
	SSL_SESSION *newer;
	int cert, key;
	char why[256];

	peer_certificate("mail.example.org", 10, &cert, &key);
	for (size_t i = 0; i < nitems(s); i++)
		if (tls_server_add(&s[i], cert, key, why, sizeof(why)) == -1)
			die("%s", why);
	give_keys(s[0], 10);
	give_keys(s[1], 10);
	(void)resumes(s[0], version, "imap");
	ok(resumes(s[0], version, "imap"), "a session is taken up again");
	ok(has_new_ticket() == (version == TLS1_3_VERSION),
	    "a ticket that is for one use is followed by another");
	ok(resumes(s[1], version, "imap"), "by another with the same keys");
	ok(!resumes(s[1], version, "pop3"), "not by another service");
	ok(!resumes(s[2], version, "imap"), "nor with other keys");
	give_keys(s[1], 12);
	ok(resumes(s[1], version, "imap"), "two keys later still");
	newer = SSL_SESSION_dup(latest);
	give_keys(s[1], 13);
	ok(!resumes(s[1], version, "imap"), "three later no more");
	SSL_SESSION_free(kept);
	kept = newer;
	ok(resumes(s[1], version, "imap"),
	    "but with the newer ticket that it got then");
	SSL_SESSION_free(kept);
	SSL_SESSION_free(latest);
	kept = latest = NULL;
	for (size_t i = 0; i < nitems(s); i++)
		tls_server_free(s[i]);
	fd_close(&cert);
	fd_close(&key);
}

int
main(void)
{
	loop_init();
	certificates();
	versions();
	names();
	data();
	many_lines();
	starttls();
	idle_memory();
	tickets(TLS1_2_VERSION);
	tickets(TLS1_3_VERSION);
	tls_server_free(server);
	peer_fini();
	buf_fini(&story);
	loop_fini();
	return done();
}
