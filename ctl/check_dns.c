/*
 * check_dns: `postern check` asks each resolver for the root's SOA record,
 * with the bit that asks for signatures (RFC 4035 3.2.1): does it answer, and
 * does it leave signatures in? What comes back is looked at, not parsed; dns
 * is who parses.
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctl/check.h"
#include "lib/die.h"
#include "lib/hash.h"
#include "lib/limits.h"
#include "lib/resolv.h"

enum { TRIES = 2, WAIT_MS = 2000, HEADER = 12 };

/* RFC 1035 4.1: flags RD, one question, one additional: OPT with DO */
static const unsigned char question[] = { 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1,
	0, 0, 6, 0, 1, 0, 0, 41, 0x04, 0xd0, 0, 0, 0x80, 0, 0, 0 };

static int
udp_connect(struct span address)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
		.ai_socktype = SOCK_DGRAM };
	struct span port = address, host = span_cut(&port, '@');
	char h[HOST_MAX], p[16];
	struct addrinfo *to;
	int fd;

	if (span_copy(h, sizeof(h), host) == -1 ||
	    span_copy(p, sizeof(p), port.n > 0 ? port : SPAN("53")) == -1 ||
	    getaddrinfo(h, p, &hints, &to) != 0) {
		errno = EINVAL;
		return -1;
	}
	fd = socket(to->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd != -1 && connect(fd, to->ai_addr, to->ai_addrlen) == -1)
		fd_close(&fd);
	freeaddrinfo(to);
	return fd;
}

/* The length of the answer; -1: none. */
static ssize_t
ask(int fd, unsigned char answer[4096])
{
	unsigned char packet[sizeof(question)];
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t n;

	memcpy(packet, question, sizeof(packet));
	random_bytes(packet, 2);
	for (int i = 0; i < TRIES; i++) {
		if (send(fd, packet, sizeof(packet), 0) == -1)
			return -1;
		errno = ETIMEDOUT;
		if (poll(&p, 1, WAIT_MS) != 1)
			continue;
		n = recv(fd, answer, 4096, 0);
		if (n == -1 || (n >= HEADER && memcmp(answer, packet, 2) == 0))
			return n;
	}
	return -1;
}

/* Is there an RRSIG of the root (type 46, class 1) in it? */
static bool
has_signature(struct span answer)
{
	for (; answer.n > 0; span_take(&answer, 1))
		if (span_starts(answer, SPAN("\0\0\056\0\1")))
			return true;
	return false;
}

static void
resolver(struct check *k, struct span address)
{
	unsigned char answer[4096];
	int fd = udp_connect(address);
	ssize_t n = fd == -1 ? -1 : ask(fd, answer);

	if (n == -1)
		check_odd(k, "resolver %.*s does not answer: %s; mail for other "
		    "hosts waits", SPAN_FMT(address), strerror(errno));
	else if (strcmp(k->conf->dnssec, "no") != 0 &&
	    !has_signature(span_of(answer, (size_t)n)))
		check_odd(k, "resolver %.*s gives no signatures: with a trust "
		    "anchor no answer of it is believed; set resolver = "
		    "recursive, or dnssec = no", SPAN_FMT(address));
	else
		check_ok(k, "resolver %.*s", SPAN_FMT(address));
	fd_close(&fd);
}

/* As dns does it: what is in resolv.conf, else who is on this host. */
static void
system_resolvers(struct check *k)
{
	struct resolv_address a;
	struct span rest;
	struct buf text;
	ssize_t n = 0;
	unsigned found = 0;
	char *p;
	int fd = open("/etc/resolv.conf", O_RDONLY | O_CLOEXEC);

	buf_init(&text, SYSTEM_TEXT_MAX);
	while (fd != -1 && (p = buf_room(&text, 1024)) != NULL &&
	    (n = read(fd, p, 1024)) > 0)
		buf_grew(&text, (size_t)n);
	fd_close(&fd);
	rest = buf_get(&text);
	while (found < DNS_RESOLVERS_MAX && resolv_next(&rest, &a)) {
		resolver(k, span_str(a.text));
		found++;
	}
	if (found == 0)
		resolver(k, SPAN("127.0.0.1"));
	buf_fini(&text);
}

void
check_dns(struct check *k)
{
	const struct conf_list *l = &k->conf->resolver;
	const char *anchor = k->conf->dns_trust_anchor;

	if (anchor[0] != '\0' && access(anchor, R_OK) == -1)
		check_bad(k, "dns-trust-anchor %s: %s; correct it, or leave "
		    "it out for the system's", anchor, strerror(errno));
	if (conf_list_has(l, SPAN("recursive")))
		check_ok(k, "resolver: recursive");
	else if (conf_list_has(l, SPAN("system")))
		system_resolvers(k);
	else
		for (size_t i = 0; i < l->n; i++)
			resolver(k, span_str(l->word[i]));
}
