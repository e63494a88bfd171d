/*
 * hello: what comes before the first MAIL: greeting, EHLO or LHLO, STARTTLS
 * (RFC 3207), AUTH (RFC 4954).
 *
 * - under "may" everything about TLS that fails leads to plain text; under
 *   "encrypt" and "verify" nothing does
 * - what was learnt before the handshake is forgotten after it
 * - a password is never sent without TLS, unless the policy for that host
 *   says none in so many words, and only to a server that is verified,
 *   unless it says encrypt
 */
#include <string.h>

#include "lib/base64.h"
#include "lib/chars.h"
#include "lib/conn.h"
#include "lib/log.h"
#include "lib/map.h"
#include "lib/relay_passwords.h"
#include "relay/self.h"
#include "relay/session.h"

enum { PORT_SUBMISSIONS = 465 }; /* RFC 8314: TLS from the first byte */

static const struct {
	const char *word;
	unsigned can;
} offers[] = {
	{ "PIPELINING", CAN_PIPELINING },
	{ "SIZE", CAN_SIZE },
	{ "8BITMIME", CAN_8BITMIME },
	{ "STARTTLS", CAN_STARTTLS },
};

static void
say_hello(struct session *s, const char *verb, enum session_state state)
{
	struct buf b;

	buf_init(&b, SMTP_LINE_MAX);
	buf_str(&b, verb);
	buf_char(&b, ' ');
	buf_str(&b, relay.conf->hostname);
	buf_str(&b, "\r\n");
	session_say(s, buf_get(&b));
	buf_fini(&b);
	session_enter(s, state);
}

static void
ehlo(struct session *s)
{
	s->can = 0;
	s->size_max = 0;
	say_hello(s, s->lmtp ? "LHLO" : "EHLO", S_EHLO);
}

/* --- TLS --------------------------------------------------------------- */

/*
 * The names that the certificate may have under "verify". What an unsigned
 * answer of DNS says about the mail exchanger proves nothing: then only the
 * recipients' domain, and what is below it, count.
 */
static void
names_set(struct session *s, struct tls_peer *p, char store[2][HOST_MAX + 1])
{
	struct span domain =
	    s->trip == NULL ? SPAN_NONE : s->trip->job->host;
	size_t n = 0;

	for (char *m = s->match; *m != '\0' && n < TLS_NAMES_MAX;) {
		p->name[n++] = m;
		m += strcspn(m, ",");
		if (*m == ',')
			*m++ = '\0';
	}
	if (n > 0)
		return;
	if (s->target.secure)
		p->name[n++] = s->target.name;
	if (s->transport != JOB_MX || domain.n == 0 || domain.p[0] == '[')
		return;
	store[1][0] = '.';
	if (span_copy(store[0], sizeof(store[0]), domain) == -1 ||
	    span_copy(store[1] + 1, sizeof(store[1]) - 1, domain) == -1)
		return;
	p->name[n++] = store[0];
	p->name[n++] = store[1];
}

static void
handshake(struct session *s)
{
	char store[2][HOST_MAX + 1];
	struct tls_peer peer = {
		.sni = s->target.named ? s->target.name : NULL,
		.verify = s->level == TLS_LEVEL_VERIFY,
		.session = ticket_find(s),
	};

	if (peer.verify)
		names_set(s, &peer, store);
	if (peer.verify && peer.name[0] == NULL) {
		session_fail_us(s, TRIP_NEXT, "4.7.5",
		    "there is no name that the certificate of %s could be "
		    "compared with", s->target.text);
		return;
	}
	session_enter(s, S_HANDSHAKE);
	(void)conn_starttls_client(s->conn, relay.tls, &peer);
}

void
hello_secure(struct session *s)
{
	const struct tls *tls = conn_tls(s->conn);

	if (log_would(LL_DEBUG)) {
		log_begin(LL_DEBUG, "tls");
		log_str("host", s->target.text);
		log_str("tls", tls_version(tls));
		log_str("cipher", tls_cipher(tls));
		log_str("what", tls_resumed(tls) ? "resumed" : "new");
		log_end();
	}
	if (s->wrapped)
		session_enter(s, S_GREETING);
	else
		ehlo(s);
}

static bool
tls_is_up(const struct session *s)
{
	return conn_tls(s->conn) != NULL;
}

/* True: STARTTLS is under way, or the session has failed. */
static bool
tls_wanted(struct session *s)
{
	if (tls_is_up(s) || s->level == TLS_LEVEL_NONE || s->plain)
		return false;
	if ((s->can & CAN_STARTTLS) != 0) {
		session_say(s, SPAN("STARTTLS\r\n"));
		session_enter(s, S_STARTTLS);
		return true;
	}
	if (s->level == TLS_LEVEL_MAY)
		return false;
	session_fail_us(s, TRIP_NEXT, "4.7.4",
	    "%s does not offer TLS, which the policy \"%s\" asks for",
	    s->target.text, tls_level_name(s->level));
	return true;
}

void
hello_starttls(struct session *s)
{
	if (s->gone) {
		session_fail_reply(s, TRIP_NEXT);
		return;
	}
	if (s->reply.code == 220) {
		handshake(s);
		return;
	}
	if (s->level != TLS_LEVEL_MAY) {
		session_fail_us(s, TRIP_NEXT, "4.7.4",
		    "%s refuses STARTTLS with %d", s->target.text,
		    s->reply.code);
		return;
	}
	s->plain = true;
	ehlo(s); /* whatever state that has left it in */
}

/* --- passwords --------------------------------------------------------- */

static unsigned
port_of(const struct session *s)
{
	size_t colon = span_rfind(span_str(s->target.text), ':');
	uint64_t port = 0;

	(void)span_num(span_slice(span_str(s->target.text), colon + 1,
	    SIZE_MAX), 0, 65535, &port);
	return (unsigned)port;
}

bool
session_password(const struct session *s, struct relay_password *p)
{
	if (s->transport == JOB_LMTP_UNIX || s->trip == NULL)
		return false;
	return relay_password_find(relay.passwords, s->trip->job->host,
	    port_of(s), p);
}

static void
say_base64(struct session *s, const char *before, struct span secret)
{
	struct buf b;

	buf_init(&b, SMTP_AUTH_LINE_MAX);
	buf_str(&b, before);
	base64_encode(&b, secret);
	buf_str(&b, "\r\n");
	session_say(s, buf_get(&b));
	explicit_bzero(b.p, b.cap);
	buf_fini(&b);
}

static void
auth_plain(struct session *s, const struct relay_password *p)
{
	struct buf b;

	buf_init(&b, AUTH_NAME_MAX + AUTH_PASSWORD_MAX + 2);
	buf_char(&b, '\0');
	buf_span(&b, p->user);
	buf_char(&b, '\0');
	buf_span(&b, p->password);
	say_base64(s, "AUTH PLAIN ", buf_get(&b));
	explicit_bzero(b.p, b.cap);
	buf_fini(&b);
}

/* True: AUTH is under way, or the session has failed. */
static bool
auth_wanted(struct session *s)
{
	struct relay_password p;

	if (s->logged_in || !session_password(s, &p))
		return false;
	if (!tls_is_up(s) && s->level != TLS_LEVEL_NONE) {
		session_fail_us(s, TRIP_NEXT, "4.7.0",
		    "%s offers no TLS, and the password for it is not sent "
		    "in plain text", s->target.text);
		return true;
	}
	if ((s->can & (CAN_AUTH_PLAIN | CAN_AUTH_LOGIN)) == 0) {
		session_fail_us(s, TRIP_NEXT, "4.7.0",
		    "%s takes no password by AUTH PLAIN or LOGIN",
		    s->target.text);
		return true;
	}
	s->login_step = 0;
	if ((s->can & CAN_AUTH_PLAIN) != 0)
		auth_plain(s, &p);
	else
		session_say(s, SPAN("AUTH LOGIN\r\n"));
	session_enter(s, S_AUTH);
	return true;
}

/* LOGIN asks for the name and the password, PLAIN for nothing more. */
void
hello_auth(struct session *s)
{
	struct relay_password p;

	if (s->reply.code == 235) {
		s->logged_in = true;
		mail_begin(s);
		return;
	}
	if (s->reply.code == 334 && (s->can & CAN_AUTH_PLAIN) == 0 &&
	    s->login_step < 2 && session_password(s, &p)) {
		say_base64(s, "", s->login_step++ == 0 ? p.user : p.password);
		session_enter(s, S_AUTH);
		return;
	}
	session_fail_us(s, TRIP_NEXT, "4.7.8",
	    "%s does not take the password in relay-passwords: %d",
	    s->target.text, s->reply.code);
}

/* --- greeting ---------------------------------------------------------- */

void
hello_begin(struct session *s)
{
	if (s->transport == JOB_HOST && port_of(s) == PORT_SUBMISSIONS &&
	    s->level != TLS_LEVEL_NONE) {
		if (s->level == TLS_LEVEL_MAY)
			s->level = TLS_LEVEL_ENCRYPT; /* it knows no other */
		s->wrapped = true;
		handshake(s);
	} else {
		session_enter(s, S_GREETING);
	}
}

/*
 * RFC 7504: 521 and 556 say that no mail is ever taken here; any other
 * refusal is of this moment, and of this host.
 */
static bool
refused(struct session *s)
{
	struct verdict v;

	if (s->reply.code / 100 == 2 && !s->gone)
		return false;
	if (s->reply.code == 521 || s->reply.code == 556) {
		verdict_reply(&v, &s->reply, 0);
		session_fail(s, TRIP_NEXT, &v);
	} else {
		session_fail_reply(s, TRIP_NEXT);
	}
	return true;
}

void
hello_greeting(struct session *s)
{
	if (!refused(s))
		ehlo(s);
}

static void
offer_auth(struct session *s, struct span mechanisms)
{
	struct span word;

	while ((word = span_word(&mechanisms)).n > 0) {
		if (span_ieq(word, SPAN("PLAIN")))
			s->can |= CAN_AUTH_PLAIN;
		else if (span_ieq(word, SPAN("LOGIN")))
			s->can |= CAN_AUTH_LOGIN;
	}
}

static void
offer_take(struct session *s, struct span line)
{
	struct span word;

	if (span_istarts(line, SPAN("AUTH="))) /* older than RFC 4954 */
		offer_auth(s, span_slice(line, 5, line.n));
	word = span_word(&line);
	if (span_ieq(word, SPAN("AUTH")))
		offer_auth(s, line);
	for (size_t i = 0; i < nitems(offers); i++)
		if (span_ieq(word, span_str(offers[i].word)))
			s->can |= offers[i].can;
	if (span_ieq(word, SPAN("SIZE")))
		(void)span_num(span_trim(line), 0, INT64_MAX, &s->size_max);
}

static void
ready(struct session *s)
{
	if (!tls_wanted(s) && !auth_wanted(s))
		mail_begin(s);
}

void
hello_ehlo(struct session *s)
{
	struct span text = buf_get(&s->reply.text), name;

	if (s->reply.code / 100 == 5 && !s->gone && !s->lmtp &&
	    s->level <= TLS_LEVEL_MAY && !tls_is_up(s)) {
		say_hello(s, "HELO", S_HELO); /* RFC 5321 3.2 */
		return;
	}
	if (refused(s))
		return;
	name = span_line(&text);
	name = span_word(&name);
	/* Of a next hop that was configured it may be the name, too. */
	if (s->transport == JOB_MX && !relay.conf->relay_loopback &&
	    self_is_name(relay.conf, name)) {
		session_fail_us(s, TRIP_LOOP, "4.4.6",
		    "%s calls itself by our name", s->target.text);
		return;
	}
	while (text.n > 0)
		offer_take(s, span_line(&text));
	ready(s);
}

void
hello_helo(struct session *s)
{
	if (!refused(s))
		ready(s);
}
