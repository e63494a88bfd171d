/*
 * conf_inet: the types of values in postern.conf(5) that hold network
 * addresses: where to listen, networks, resolvers. Numbers only: a name would make
 * the start depend on a resolver.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "lib/conf_keys.h"
#include "lib/die.h"
#include "lib/limits.h"

static int
listen_add(struct conf_listens *l, int family, const char *host, uint64_t port)
{
	struct conf_listen at = { 0 };
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)&at.ss;
	struct sockaddr_in *four = (struct sockaddr_in *)&at.ss;
	struct buf text;

	at.ss.ss_family = (sa_family_t)family;
	at.len = family == AF_INET ? sizeof(*four) : sizeof(*six);
	if (inet_pton(family, host, family == AF_INET
		? (void *)&four->sin_addr : (void *)&six->sin6_addr) != 1)
		return -1;
	if (family == AF_INET)
		four->sin_port = htons((uint16_t)port);
	else
		six->sin6_port = htons((uint16_t)port);
	buf_init(&text, sizeof(at.text) - 1);
	buf_fmt(&text, family == AF_INET ? "%s:%u" : "[%s]:%u", host,
	    (unsigned)port);
	if (span_copy(at.text, sizeof(at.text), buf_get(&text)) == -1) {
		buf_fini(&text);
		return -1;
	}
	buf_fini(&text);
	l->at = xreallocarray(l->at, l->n + 1, sizeof(*l->at));
	l->at[l->n++] = at;
	return 0;
}

/* "192.0.2.1:25", "[2001:db8::1]:25", "*:25" (both families), "25" (too) */
static int
listen_word(struct conf_listens *l, struct span w)
{
	size_t colon = span_rfind(w, ':');
	struct span host = SPAN("*"), port = w;
	char text[INET6_ADDRSTRLEN];
	uint64_t n;

	if (colon < w.n) {
		host = span_slice(w, 0, colon);
		port = span_slice(w, colon + 1, w.n);
	}
	if (span_num(port, 0, 65535, &n) == -1)
		return -1;
	if (span_eq(host, SPAN("*"))) {
		if (listen_add(l, AF_INET, "0.0.0.0", n) == -1)
			return -1;
		return listen_add(l, AF_INET6, "::", n);
	}
	if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']') {
		if (span_copy(text, sizeof(text),
			span_slice(host, 1, host.n - 1)) == -1)
			return -1;
		return listen_add(l, AF_INET6, text, n);
	}
	if (span_copy(text, sizeof(text), host) == -1)
		return -1;
	return listen_add(l, AF_INET, text, n);
}

static int
listen_parse(const struct conf_key *k, struct span v, void *field,
    struct buf *why)
{
	struct conf_listens *l = field;
	struct span w;

	(void)k;
	if (v.n == 0 || span_eq(v, SPAN("off")))
		return 0;
	while ((w = conf_word(&v)).n != 0) {
		if (l->n < 64 && listen_word(l, w) == 0)
			continue;
		buf_str(why, "\"");
		buf_safe(why, w);
		buf_str(why, "\" is no address to listen on; write off, or "
			     "*:25, 192.0.2.1:25, [2001:db8::1]:25");
		return -1;
	}
	return 0;
}

static void
listen_print(const void *field, struct buf *out)
{
	const struct conf_listens *l = field;

	if (l->n == 0)
		buf_str(out, "off");
	for (size_t i = 0; i < l->n; i++) {
		buf_str(out, i > 0 ? " " : "");
		buf_str(out, l->at[i].text);
	}
}

static void
listen_fini(void *field)
{
	struct conf_listens *l = field;

	free(l->at);
	*l = (struct conf_listens){ 0 };
}

/* ADDRESS or ADDRESS@PORT; lib/resolv.h says the same of resolv.conf. */
static bool
resolver_ok(struct span w)
{
	struct span host = span_cut(&w, '@');
	char text[INET6_ADDRSTRLEN];
	unsigned char addr[16];
	uint64_t n;

	if (w.n != 0 && span_num(w, 1, 65535, &n) == -1)
		return false;
	return span_copy(text, sizeof(text), host) == 0 &&
	    inet_pton(span_has(host, ':') ? AF_INET6 : AF_INET, text, addr) ==
	    1;
}

static int
resolvers_parse(const struct conf_key *k, struct span v, void *field,
    struct buf *why)
{
	struct conf_list *l = field;
	struct span w, rest = v;
	bool word = span_eq(v, SPAN("system")) || span_eq(v, SPAN("recursive"));

	(void)k;
	while ((w = conf_word(&rest)).n != 0) {
		if (l->n == DNS_RESOLVERS_MAX) {
			buf_fmt(why, "too many; at most %d", DNS_RESOLVERS_MAX);
			return -1;
		}
		if (!word && !resolver_ok(w))
			break;
		l->word = xreallocarray(l->word, l->n + 1, sizeof(*l->word));
		l->word[l->n++] = span_dup(w);
	}
	if (w.n == 0 && l->n > 0)
		return 0;
	buf_str(why, "\"");
	buf_safe(why, w);
	buf_str(why, "\" is no resolver; write addresses such as 192.0.2.1 or "
		     "2001:db8::1@5353, or system, or recursive");
	return -1;
}

/* Are all bits behind the prefix zero? */
static bool
net_is_clean(const struct conf_net *net, unsigned width)
{
	for (unsigned bit = net->bits; bit < width; bit++)
		if (net->addr[bit / 8] & (0x80u >> (bit % 8)))
			return false;
	return true;
}

static int
net_word(struct conf_nets *l, struct span w, struct buf *why)
{
	struct conf_net net = { 0 };
	struct span host = w, bits = SPAN_NONE;
	char text[INET6_ADDRSTRLEN];
	unsigned width;
	uint64_t n;

	if (span_has(w, '/')) {
		host = span_cut(&w, '/');
		bits = w;
		if (bits.n == 0)
			return -1;
	}
	if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
		host = span_slice(host, 1, host.n - 1);
	net.family = span_has(host, ':') ? AF_INET6 : AF_INET;
	width = net.family == AF_INET6 ? 128 : 32;
	n = width;
	if (span_copy(text, sizeof(text), host) == -1 ||
	    inet_pton(net.family, text, net.addr) != 1 ||
	    (bits.n != 0 && span_num(bits, 0, width, &n) == -1))
		return -1;
	net.bits = (unsigned)n;
	if (!net_is_clean(&net, width)) {
		buf_fmt(why, "bits are set behind the /%u; write the network "
			     "address, or a longer prefix", net.bits);
		return -1;
	}
	l->net = xreallocarray(l->net, l->n + 1, sizeof(*l->net));
	l->net[l->n++] = net;
	return 0;
}

static int
networks_parse(const struct conf_key *k, struct span v, void *field,
    struct buf *why)
{
	struct conf_nets *l = field;
	struct span w, in = v;

	(void)k;
	if (span_eq(v, SPAN("none")))
		return 0;
	while ((w = conf_word(&in)).n != 0) {
		if (l->n < CONF_LIST_MAX && net_word(l, w, why) == 0)
			continue;
		if (why->n != 0)
			return -1;
		buf_str(why, "\"");
		buf_safe(why, w);
		buf_str(why, "\" is no network; write none, or networks such "
			     "as 192.0.2.0/24 2001:db8::/32");
		return -1;
	}
	return 0;
}

static void
networks_print(const void *field, struct buf *out)
{
	const struct conf_nets *l = field;
	char text[INET6_ADDRSTRLEN] = "";

	if (l->n == 0)
		buf_str(out, "none");
	for (size_t i = 0; i < l->n; i++) {
		const struct conf_net *net = &l->net[i];

		(void)inet_ntop(net->family, net->addr, text, sizeof(text));
		buf_fmt(out, "%s%s/%u", i > 0 ? " " : "", text, net->bits);
	}
}

static void
networks_fini(void *field)
{
	struct conf_nets *l = field;

	free(l->net);
	*l = (struct conf_nets){ 0 };
}

static bool
net_holds(const struct conf_net *net, const unsigned char *addr)
{
	unsigned whole = net->bits / 8, rest = net->bits % 8;
	unsigned mask = rest == 0 ? 0 : (0xff00u >> rest) & 0xffu;

	if (memcmp(net->addr, addr, whole) != 0)
		return false;
	return rest == 0 || ((net->addr[whole] ^ addr[whole]) & mask) == 0;
}

bool
conf_nets_match(const struct conf_nets *l, const struct sockaddr *sa)
{
	const unsigned char *addr;
	int family = sa->sa_family;

	if (family == AF_INET) {
		addr = (const unsigned char *)
		    &((const struct sockaddr_in *)(const void *)sa)->sin_addr;
	} else if (family == AF_INET6) {
		const struct in6_addr *six =
		    &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr;

		addr = six->s6_addr;
		if (IN6_IS_ADDR_V4MAPPED(six)) { /* what it really is */
			addr += 12;
			family = AF_INET;
		}
	} else {
		return false;
	}
	for (size_t i = 0; i < l->n; i++)
		if (l->net[i].family == family && net_holds(&l->net[i], addr))
			return true;
	return false;
}

const struct conf_type conf_type_listen = { "listen addresses", listen_parse,
	listen_print, listen_fini };
const struct conf_type conf_type_networks = { "networks", networks_parse,
	networks_print, networks_fini };
const struct conf_type conf_type_resolvers = { "resolvers", resolvers_parse,
	conf_list_print, conf_list_fini };
