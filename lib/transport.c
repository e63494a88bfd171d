/*
 * transport: words of transports, read and written. Which one an address
 * gets: lib/transport_of.c; lines of the text file: lib/transport_map.c.
 */
#include "lib/transport.h"

#include <arpa/inet.h>

#include "lib/account.h"
#include "lib/addr.h"
#include "lib/chars.h"
#include "lib/limits.h"

enum { TEXT_MAX = 300 };

/* --- words ------------------------------------------------------------- */

static bool
is_address(int family, struct span s)
{
	char text[INET6_ADDRSTRLEN];
	unsigned char bytes[sizeof(struct in6_addr)];

	return !span_has(s, '\0') && span_copy(text, sizeof(text), s) == 0 &&
	    inet_pton(family, text, bytes) == 1;
}

/* RFC 5321 4.1.3 writes [IPv6:2001:db8::1]; here the tag may be left out. */
static struct span
without_tag(struct span s)
{
	return span_istarts(s, SPAN("IPv6:")) ? span_slice(s, 5, s.n) : s;
}

static int
port_parse(struct span s, uint32_t *port)
{
	uint64_t n = 0;

	if (s.n != 0 && (s.p[0] != ':' ||
	        span_num(span_slice(s, 1, s.n), 1, 65535, &n) == -1))
		return -1;
	*port = (uint32_t)n;
	return 0;
}

int
transport_host_parse(struct span in, struct span *host, uint32_t *port,
    bool *bracket)
{
	size_t end = span_rfind(in, in.n != 0 && in.p[0] == '[' ? ']' : ':');
	struct span name = span_slice(in, 0, end), rest;
	bool six = false;
	uint32_t n;

	*bracket = in.n != 0 && in.p[0] == '[';
	if (*bracket) {
		if (end == in.n)
			return -1;
		name = without_tag(span_slice(in, 1, end));
		end++;
		six = is_address(AF_INET6, name);
	}
	rest = span_slice(in, end, in.n);
	if (name.n == 0 || name.n >= HOST_MAX || port_parse(rest, &n) == -1 ||
	    !(six || is_address(AF_INET, name) ||
	        (addr_domain_ok(name) && !span_has(name, '['))))
		return -1;
	*bracket |= is_address(AF_INET, name);
	*host = name;
	*port = n;
	return 0;
}

static int
relay_parse(struct span rest, struct transport *t)
{
	bool bracket;

	t->kind = TRANSPORT_MX;
	if (transport_host_parse(rest, &t->host, &t->port, &bracket) == -1)
		return -1;
	if (bracket)
		t->kind = TRANSPORT_HOST;
	return 0;
}

static int
lmtp_parse(struct span rest, struct transport *t)
{
	bool bracket;

	if (span_starts(rest, SPAN("unix:"))) {
		t->kind = TRANSPORT_LMTP_UNIX;
		t->host = span_slice(rest, 5, rest.n);
		return account_path_ok(t->host) ? 0 : -1;
	}
	t->kind = TRANSPORT_LMTP;
	return transport_host_parse(rest, &t->host, &t->port, &bracket);
}

/* RFC 3463: "5.7.1". */
static bool
is_status(struct span s)
{
	struct span class = span_cut(&s, '.');
	struct span subject = span_cut(&s, '.');
	uint64_t n;

	return span_eq(class, SPAN("5")) && subject.n <= 3 && s.n <= 3 &&
	    span_num(subject, 0, 999, &n) == 0 && span_num(s, 0, 999, &n) == 0;
}

static int
error_parse(struct span rest, struct transport *t)
{
	struct span text = rest, word = span_word(&text);

	t->kind = TRANSPORT_ERROR;
	t->enhanced = SPAN("5.0.0");
	t->text = span_trim(rest);
	if (is_status(word)) {
		t->enhanced = word;
		t->text = span_trim(text);
	}
	if (t->text.n == 0 || t->text.n > TEXT_MAX)
		return -1;
	for (size_t i = 0; i < t->text.n; i++)
		if ((unsigned char)t->text.p[i] < ' ' || t->text.p[i] == 0x7f)
			return -1;
	return 0;
}

static int
plain_parse(struct span rest, struct transport *t)
{
	(void)t;
	return rest.n == 0 ? 0 : -1;
}

static const struct word {
	const char *name;
	enum transport_kind kind;
	int (*parse)(struct span rest, struct transport *);
} words[] = {
	{ "mx", TRANSPORT_MX, plain_parse },
	{ "local", TRANSPORT_LOCAL, plain_parse },
	{ "discard", TRANSPORT_DISCARD, plain_parse },
	{ "relay:", TRANSPORT_MX, relay_parse },
	{ "lmtp:", TRANSPORT_LMTP, lmtp_parse },
	{ "error:", TRANSPORT_ERROR, error_parse },
};

int
transport_parse(struct span in, struct transport *out)
{
	struct transport t = { 0 };
	struct span name;

	for (size_t i = 0; i < nitems(words); i++) {
		name = span_str(words[i].name);
		if (!span_starts(in, name))
			continue;
		t.kind = words[i].kind;
		if (words[i].parse(span_slice(in, name.n, in.n), &t) == -1)
			return -1;
		*out = t;
		return 0;
	}
	return -1;
}

/* --- and back ---------------------------------------------------------- */

static void
put_host(struct buf *b, const struct transport *t, bool bracket)
{
	bracket |= span_has(t->host, ':');
	buf_str(b, bracket ? "[" : "");
	for (size_t i = 0; i < t->host.n; i++)
		buf_char(b, char_lower(t->host.p[i]));
	buf_str(b, bracket ? "]" : "");
	if (t->port != 0)
		buf_fmt(b, ":%u", (unsigned)t->port);
}

void
transport_print(struct buf *b, const struct transport *t)
{
	switch (t->kind) {
	case TRANSPORT_LOCAL:
		buf_str(b, "local");
		break;
	case TRANSPORT_MX:
		buf_str(b, t->host.n == 0 ? "mx" : "relay:");
		if (t->host.n != 0)
			put_host(b, t, false);
		break;
	case TRANSPORT_HOST:
		buf_str(b, "relay:");
		put_host(b, t, true);
		break;
	case TRANSPORT_LMTP:
		buf_str(b, "lmtp:");
		put_host(b, t, false);
		break;
	case TRANSPORT_LMTP_UNIX:
		buf_str(b, "lmtp:unix:");
		buf_span(b, t->host);
		break;
	case TRANSPORT_ERROR:
		buf_str(b, "error:");
		buf_span(b, t->enhanced);
		buf_char(b, ' ');
		buf_span(b, t->text);
		break;
	case TRANSPORT_DISCARD:
		buf_str(b, "discard");
		break;
	}
}

void
transport_name(struct buf *b, const struct transport *t)
{
	if (t->kind == TRANSPORT_MX && t->host.n != 0 && t->port == 0)
		put_host(b, t, false);
	else
		transport_print(b, t);
}
