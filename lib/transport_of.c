/*
 * transport_of: which way an address goes.
 */
#include "lib/account.h"
#include "lib/addr.h"
#include "lib/conf.h"
#include "lib/limits.h"
#include "lib/resolve.h"
#include "lib/transport.h"

/* MAP_FOUND: *t; MAP_ERROR also if the row cannot be read. */
static enum map_got
row_find(struct map *map, struct span pattern, struct transport *t)
{
	enum map_got got = MAP_NONE;
	struct span value;
	struct buf key;

	buf_init(&key, MAP_KEY_MAX);
	account_key(pattern, &key);
	if (!key.bad)
		got = map_get(map, buf_get(&key), &value);
	buf_fini(&key);
	if (got == MAP_FOUND && transport_parse(value, t) == -1)
		return MAP_ERROR;
	return got;
}

/* For a.example.org: .example.org, .org, *. */
static enum map_got
wider_find(struct map *map, struct span domain, struct transport *t)
{
	enum map_got got = MAP_NONE;

	while (got == MAP_NONE && domain.n != 0 && domain.p[0] != '[') {
		while (domain.n != 0 && domain.p[0] != '.')
			(void)span_take(&domain, 1);
		if (domain.n != 0)
			got = row_find(map, domain, t);
		(void)span_take(&domain, 1);
	}
	return got == MAP_NONE ? row_find(map, SPAN("*"), t) : got;
}

/* A local domain is routed elsewhere only by its own name. */
static enum map_got
address_find(struct map *map, const struct addr *a, bool local,
    struct transport *t)
{
	enum map_got got = row_find(map, a->text, t);

	if (got == MAP_NONE)
		got = row_find(map, a->domain, t);
	if (got == MAP_NONE && !local)
		got = wider_find(map, a->domain, t);
	return got;
}

/* Without a row. */
static void
usual(const struct conf *c, bool local, struct transport *t)
{
	bool bracket;

	*t = (struct transport){ .kind = TRANSPORT_MX };
	if (local)
		t->kind = TRANSPORT_LOCAL;
	else if (c->relayhost != NULL && c->relayhost[0] != '\0' &&
	    transport_host_parse(span_str(c->relayhost), &t->host, &t->port,
		&bracket) == 0)
		t->kind = TRANSPORT_HOST;
}

/* RFC 5321 4.1.3: what is in the brackets. */
static struct span
literal_of(struct span domain)
{
	struct span s = span_slice(domain, 1, domain.n - 1);

	return span_istarts(s, SPAN("IPv6:")) ? span_slice(s, 5, s.n) : s;
}

/* An MX of nothing is that of the recipient's domain. */
static void
complete(const struct addr *a, struct transport *t)
{
	if (t->kind != TRANSPORT_MX || t->host.n != 0)
		return;
	t->host = a->domain;
	if (t->host.n > 2 && t->host.p[0] == '[') { /* RFC 5321 5.1 */
		t->host = literal_of(t->host);
		t->kind = TRANSPORT_HOST;
	}
}

int
transport_of(const struct conf *c, struct map *map, struct span address,
    struct transport *t, const char **why)
{
	enum map_got got = MAP_NONE;
	struct addr a;
	bool local;

	addr_split(address, &a);
	local = resolve_is_local_domain(c, a.domain);
	if (map != NULL)
		got = address_find(map, &a, local, t);
	if (got == MAP_ERROR) {
		*why = "transport map is damaged";
		return -1;
	}
	if (got == MAP_NONE)
		usual(c, local, t);
	if (t->kind == TRANSPORT_LOCAL && !local) {
		*why = "transport map says local, but the domain is not";
		return -1;
	}
	complete(&a, t);
	return 0;
}
