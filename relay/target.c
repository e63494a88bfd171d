/* target: addresses, and what can be seen from them. */
#include "relay/target.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static void
text_set(struct target *t, unsigned port)
{
	char address[INET6_ADDRSTRLEN] = "?";
	const void *p = t->ss.ss_family == AF_INET ?
	    (const void *)&((const struct sockaddr_in *)&t->ss)->sin_addr :
	    (const void *)&((const struct sockaddr_in6 *)&t->ss)->sin6_addr;

	(void)inet_ntop(t->ss.ss_family, p, address, sizeof(address));
	t->named = t->name[0] != '\0';
	if (!t->named)
		(void)span_copy(t->name, sizeof(t->name), span_str(address));
	(void)snprintf(t->text, sizeof(t->text), "%.255s[%s]:%u", t->name,
	    address, port);
}

void
target_set(struct target *t, struct span name, int family, const void *address,
    unsigned port)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&t->ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&t->ss;

	*t = (struct target){ 0 };
	(void)span_copy(t->name, sizeof(t->name), name);
	t->ss.ss_family = (sa_family_t)family;
	if (family == AF_INET) {
		memcpy(&in->sin_addr, address, sizeof(in->sin_addr));
		in->sin_port = htons((uint16_t)port);
		t->len = sizeof(*in);
	} else {
		memcpy(&in6->sin6_addr, address, sizeof(in6->sin6_addr));
		in6->sin6_port = htons((uint16_t)port);
		t->len = sizeof(*in6);
	}
	text_set(t, port);
}

int
target_literal(struct target *t, struct span text, unsigned port)
{
	unsigned char address[16];
	char plain[INET6_ADDRSTRLEN];
	int family;

	if (text.n > 2 && text.p[0] == '[' && text.p[text.n - 1] == ']')
		text = span_slice(text, 1, text.n - 1);
	if (span_istarts(text, SPAN("IPv6:"))) /* RFC 5321 4.1.3 */
		(void)span_take(&text, 5);
	family = span_has(text, ':') ? AF_INET6 : AF_INET;
	if (span_copy(plain, sizeof(plain), text) == -1 ||
	    inet_pton(family, plain, address) != 1)
		return -1;
	target_set(t, SPAN_NONE, family, address, port);
	return 0;
}

/* The IPv4 address in host order; also inside of IPv6. False: none. */
static bool
ipv4_of(const struct target *t, uint32_t *out)
{
	const struct in6_addr *a =
	    &((const struct sockaddr_in6 *)&t->ss)->sin6_addr;
	uint32_t n;

	if (t->ss.ss_family == AF_INET) {
		*out = ntohl(
		    ((const struct sockaddr_in *)&t->ss)->sin_addr.s_addr);
		return true;
	}
	if (t->ss.ss_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(a))
		return false;
	memcpy(&n, a->s6_addr + 12, sizeof(n));
	*out = ntohl(n);
	return true;
}

bool
target_same_address(const struct sockaddr_storage *a,
    const struct sockaddr_storage *b)
{
	if (a->ss_family != b->ss_family)
		return false;
	if (a->ss_family == AF_INET)
		return ((const struct sockaddr_in *)a)->sin_addr.s_addr ==
		    ((const struct sockaddr_in *)b)->sin_addr.s_addr;
	return a->ss_family == AF_INET6 &&
	    memcmp(&((const struct sockaddr_in6 *)a)->sin6_addr,
		&((const struct sockaddr_in6 *)b)->sin6_addr, 16) == 0;
}

bool
target_is_nowhere(const struct target *t)
{
	const struct in6_addr *a =
	    &((const struct sockaddr_in6 *)&t->ss)->sin6_addr;
	uint32_t n;

	if (ipv4_of(t, &n))
		return n >> 24 == 0 || n >> 28 >= 14; /* multicast and beyond */
	return t->ss.ss_family == AF_INET6 &&
	    (IN6_IS_ADDR_UNSPECIFIED(a) || IN6_IS_ADDR_MULTICAST(a) ||
		IN6_IS_ADDR_LINKLOCAL(a));
}

bool
target_is_loopback(const struct target *t)
{
	uint32_t n;

	if (ipv4_of(t, &n))
		return n >> 24 == 127;
	return t->ss.ss_family == AF_INET6 &&
	    IN6_IS_ADDR_LOOPBACK(
		&((const struct sockaddr_in6 *)&t->ss)->sin6_addr);
}
