/*
 * self: addresses come from the interfaces, as they were at start, and from
 * each connection: when both its ends have one address, it is ours.
 */
#include "relay/self.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <string.h>

#include "lib/conf.h"
#include "lib/conn.h"
#include "lib/limits.h"
#include "lib/log.h"
#include "relay/target.h"

static struct {
	size_t n;
	struct sockaddr_storage at[RELAY_LOCAL_MAX];
} local;

static in_port_t
port_of(const struct sockaddr_storage *ss)
{
	return ss->ss_family == AF_INET ?
	    ((const struct sockaddr_in *)ss)->sin_port :
	    ((const struct sockaddr_in6 *)ss)->sin6_port;
}

static bool
is_any(const struct sockaddr_storage *ss)
{
	static const struct in6_addr any6 = IN6ADDR_ANY_INIT;

	if (ss->ss_family == AF_INET)
		return ((const struct sockaddr_in *)ss)->sin_addr.s_addr ==
		    htonl(INADDR_ANY);
	return memcmp(&((const struct sockaddr_in6 *)ss)->sin6_addr, &any6,
		   sizeof(any6)) == 0;
}

void
self_init(void)
{
	struct ifaddrs *list, *i;
	int family;

	if (getifaddrs(&list) == -1) {
		log_msg(LL_WARN, "start", "addresses of this host are unknown");
		return;
	}
	for (i = list; i != NULL && local.n < nitems(local.at);
	     i = i->ifa_next) {
		if (i->ifa_addr == NULL)
			continue;
		family = i->ifa_addr->sa_family;
		if (family != AF_INET && family != AF_INET6)
			continue;
		memcpy(&local.at[local.n++], i->ifa_addr,
		    family == AF_INET ? sizeof(struct sockaddr_in) :
					sizeof(struct sockaddr_in6));
	}
	freeifaddrs(list);
}

static bool
is_local(const struct target *t)
{
	if (target_is_loopback(t))
		return true;
	for (size_t i = 0; i < local.n; i++)
		if (target_same_address(&local.at[i], &t->ss))
			return true;
	return false;
}

/* t is an address of ours: is the port one where we take mail? */
static bool
listens(const struct conf *c, const struct target *t)
{
	const struct conf_listens *l = &c->listen_smtp;

	for (size_t i = 0; i < l->n; i++)
		if (port_of(&l->at[i].ss) == port_of(&t->ss) &&
		    (is_any(&l->at[i].ss) ||
			target_same_address(&l->at[i].ss, &t->ss)))
			return true;
	return false;
}

bool
self_is(const struct conf *c, const struct target *t)
{
	return is_local(t) && listens(c, t);
}

bool
self_answers(const struct conf *c, struct conn *conn, const struct target *t)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t len = sizeof(ss);

	return getsockname(conn_fd(conn), (struct sockaddr *)&ss, &len) == 0 &&
	    target_same_address(&ss, &t->ss) && listens(c, t);
}

bool
self_is_name(const struct conf *c, struct span host)
{
	return span_ieq(host, span_str(c->hostname));
}
