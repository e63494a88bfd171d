/*
 * route: from a hop to addresses.
 *
 *	new --MX?--> hosts --A, AAAA?--> addresses --> target, target ...
 *	                ^                                  |
 *	                +----- next host <-----------------+
 *
 * - equal preferences are shuffled; a host of ours, or an address of ours
 *   where we listen, ends the list: it and all that are no better fall away
 * - a host's addresses: IPv6 first, then by turns; at most
 *   RELAY_ADDRESSES_MAX of one host, RELAY_MX_MAX hosts
 * - addresses that did not answer lately are passed over, unless that leaves
 *   nothing: then all are taken in a second round
 * - a name that cannot be asked for now is a temporary failure, never "no
 *   such domain"
 */
#include "relay/route.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "lib/die.h"
#include "lib/hash.h"
#include "relay/ask.h"
#include "relay/dead.h"
#include "relay/job.h"
#include "relay/self.h"

struct host {
	unsigned pref;
	uint32_t luck; /* order among equals */
	char name[HOST_MAX];
};

enum { TAG_MX, TAG_A, TAG_AAAA };

struct route {
	const struct job *job;
	route_fn *fn;
	void *arg;
	unsigned port;
	size_t nhost, host;       /* the one whose addresses are in use */
	struct host hosts[RELAY_MX_MAX];
	bool loaded;              /* its addresses are these: */
	size_t naddress, address;
	struct target addresses[RELAY_ADDRESSES_MAX];
	struct question *mx, *a, *aaaa;
	size_t n[2];              /* addresses found: IPv4, IPv6 */
	struct target found[2][RELAY_ADDRESSES_MAX];
	bool temporary;           /* a look-up of this host failed */
	char reason[128];         /* what dns said of that; or "" */
	bool secure;              /* of the MX answer */
	bool implicit;            /* no MX: the domain is its own host */
	bool tried, skipped;      /* a target was given, was passed over */
	bool second;              /* round */
	struct target target;
	struct verdict why;
};

/* A way that was closed for a while is worse news than one that is not. */
static void
blame(struct route *r, const struct verdict *v)
{
	if (r->why.code == 0 || r->why.code >= 500)
		r->why = *v;
}

static void
blame_name(struct route *r, const char *name)
{
	struct verdict v;

	if (r->temporary)
		verdict_set(&v, 451, "4.4.3", true,
		    "the name %.255s cannot be looked up for now%s%s", name,
		    r->reason[0] == '\0' ? "" : ": ", r->reason);
	else if (r->implicit)
		verdict_set(&v, 550, "5.1.2", false,
		    "the domain %.255s takes no mail: it has no MX record and "
		    "no address", name);
	else if (r->job->transport == JOB_MX)
		verdict_set(&v, 550, "5.4.4", false,
		    "the mail exchanger %.255s has no address", name);
	else /* our own configuration names it */
		verdict_set(&v, 451, "4.3.5", true,
		    "the next hop %.255s has no address", name);
	blame(r, &v);
}

static void
blame_loop(struct route *r)
{
	struct verdict v;

	if (r->job->transport == JOB_MX)
		verdict_set(&v, 554, "5.4.6", false,
		    "mail for this domain comes back to this host, which does "
		    "not know it as its own");
	else
		verdict_set(&v, 451, "4.3.5", true,
		    "the next hop is this host itself");
	blame(r, &v);
}

const struct verdict *
route_why(const struct route *r)
{
	return &r->why;
}

const struct target *
route_target(const struct route *r)
{
	return &r->target;
}

void
route_loop(struct route *r)
{
	unsigned pref = r->host < r->nhost ? r->hosts[r->host].pref : 0;
	size_t n = 0;

	while (n < r->nhost && r->hosts[n].pref < pref)
		n++;
	r->nhost = n;
	r->naddress = 0;
	blame_loop(r);
}

void
route_no_worse(struct route *r)
{
	size_t n = r->host;

	while (n < r->nhost && r->hosts[n].pref == r->hosts[r->host].pref)
		n++;
	r->nhost = n;
}

/* --- addresses of a host ----------------------------------------------- */

/* False: not there, whoever says so. */
static bool
may_go_to(struct route *r, const struct target *t)
{
	struct verdict v;
	bool loopback = target_is_loopback(t) && !relay.conf->relay_loopback &&
	    r->job->transport == JOB_MX;

	if (target_is_nowhere(t)) {
		verdict_set(&v, r->job->transport == JOB_MX ? 550 : 451,
		    r->job->transport == JOB_MX ? "5.4.4" : "4.3.5", false,
		    "%s is an address where no host can be", t->text);
		blame(r, &v);
		return false;
	}
	if (loopback || self_is(relay.conf, t)) {
		route_loop(r);
		return false;
	}
	return true;
}

static void
end(struct route *r)
{
	if (r->skipped && !r->tried && !r->second) {
		r->second = true;
		r->host = 0;
		r->loaded = false;
		route_next(r);
		return;
	}
	r->fn(r->arg, false);
}

static void
found_add(struct route *r, int family, const void *address)
{
	size_t k = family == AF_INET6;

	if (r->n[k] < RELAY_ADDRESSES_MAX)
		target_set(&r->found[k][r->n[k]++],
		    span_str(r->hosts[r->host].name), family, address, r->port);
}

/* IPv6 first, then by turns. */
static void
addresses_merge(struct route *r)
{
	size_t i, k;

	r->naddress = r->address = 0;
	for (i = 0; i < RELAY_ADDRESSES_MAX; i++)
		for (k = 2; k-- > 0;)
			if (i < r->n[k] && r->naddress < RELAY_ADDRESSES_MAX)
				r->addresses[r->naddress++] = r->found[k][i];
	for (i = 0; i < r->naddress; i++) {
		r->addresses[i].more = i + 1 < r->naddress;
		r->addresses[i].secure =
		    r->secure || r->job->transport != JOB_MX;
	}
	if (r->naddress == 0)
		blame_name(r, r->hosts[r->host].name);
}

static void
on_address(void *arg, unsigned tag, const struct ipc_dns_is *is)
{
	struct route *r = arg;
	int family = tag == TAG_A ? AF_INET : AF_INET6;
	size_t want = tag == TAG_A ? 4 : 16;

	if (tag == TAG_A)
		r->a = NULL;
	else
		r->aaaa = NULL;
	if (is == NULL || is->status == DNS_TEMP) {
		r->temporary = true;
		if (is != NULL)
			(void)span_copy(r->reason, sizeof(r->reason),
			    span_slice(is->why, 0, sizeof(r->reason) - 1));
	}
	for (size_t i = 0; is != NULL && i < is->n; i++)
		if (is->record[i].data.n == want)
			found_add(r, family, is->record[i].data.p);
	if (r->a != NULL || r->aaaa != NULL)
		return;
	addresses_merge(r);
	r->loaded = true;
	route_next(r);
}

/* False: there is nobody to ask. */
static bool
addresses_ask(struct route *r)
{
	const char *name = r->hosts[r->host].name;

	r->n[0] = r->n[1] = 0;
	r->temporary = false;
	r->reason[0] = '\0';
	r->aaaa = ask_dns(DNS_AAAA, name, on_address, r, TAG_AAAA);
	r->a = ask_dns(DNS_A, name, on_address, r, TAG_A);
	if (r->a != NULL && r->aaaa != NULL)
		return true;
	ask_forget(&r->a);
	ask_forget(&r->aaaa);
	r->temporary = true;
	blame_name(r, name);
	return false;
}

/* The host is an address. */
static bool
addresses_literal(struct route *r)
{
	struct target *t = &r->addresses[0];

	if (target_literal(t, span_str(r->hosts[r->host].name), r->port) == -1)
		return false;
	t->secure = true;
	r->naddress = 1;
	r->address = 0;
	r->loaded = true;
	return true;
}

/* True: r->target is one to go to. */
static bool
address_take(struct route *r)
{
	const struct target *t;

	while (r->address < r->naddress) {
		t = &r->addresses[r->address++];
		if (!r->second && dead_is(t)) {
			r->skipped = true;
			continue;
		}
		if (!may_go_to(r, t))
			continue;
		r->target = *t;
		r->tried = true;
		return true;
	}
	return false;
}

/*
 * A loop cuts nhost, and so ends it.
 */
void
route_next(struct route *r)
{
	for (;;) {
		if (r->loaded && address_take(r)) {
			r->fn(r->arg, true);
			return;
		}
		if (r->loaded)
			r->host++;
		r->loaded = false;
		if (r->host >= r->nhost) {
			end(r);
			return;
		}
		if (addresses_literal(r))
			continue;
		if (addresses_ask(r))
			return;
		r->host++;
	}
}

/* --- hosts ------------------------------------------------------------- */

static void
host_add(struct route *r, unsigned pref, struct span name)
{
	struct host *h;

	if (r->nhost == RELAY_MX_MAX)
		return;
	h = &r->hosts[r->nhost];
	h->pref = pref;
	random_bytes(&h->luck, sizeof(h->luck));
	if (span_copy(h->name, sizeof(h->name), name) == 0 && name.n > 0)
		r->nhost++;
}

static int
host_order(const void *a, const void *b)
{
	const struct host *x = a, *y = b;

	if (x->pref != y->pref)
		return x->pref < y->pref ? -1 : 1;
	return x->luck < y->luck ? -1 : x->luck > y->luck;
}

/* The best RELAY_MX_MAX of an answer, wherever they stand in it. */
static void
hosts_take(struct route *r, const struct ipc_dns_is *is)
{
	struct dns_record best[DNS_RECORDS_MAX], hold;
	size_t i, k;

	memcpy(best, is->record, is->n * sizeof(best[0]));
	for (i = 1; i < is->n; i++) /* few: insertion sort */
		for (k = i; k > 0 && best[k].pref < best[k - 1].pref; k--) {
			hold = best[k];
			best[k] = best[k - 1];
			best[k - 1] = hold;
		}
	for (i = 0; i < is->n; i++)
		host_add(r, best[i].pref, best[i].data);
	qsort(r->hosts, r->nhost, sizeof(r->hosts[0]), host_order);
}

/* RFC 5321 5.1: those that are not better than ourselves fall away. */
static void
hosts_cut(struct route *r)
{
	for (size_t i = 0; i < r->nhost; i++)
		if (self_is_name(relay.conf, span_str(r->hosts[i].name))) {
			r->host = i;
			route_loop(r);
			r->host = 0;
			return;
		}
}

static bool
is_null_mx(const struct ipc_dns_is *is)
{
	for (size_t i = 0; i < is->n; i++)
		if (is->record[i].data.n > 0)
			return false;
	return true;
}

static void
on_mx(void *arg, unsigned tag, const struct ipc_dns_is *is)
{
	struct route *r = arg;
	struct span domain = r->job->host;

	(void)tag;
	r->mx = NULL;
	if (is == NULL || is->status == DNS_TEMP) {
		verdict_set(&r->why, 451, "4.4.3", true,
		    "the domain cannot be looked up for now%s%.*s",
		    is == NULL || is->why.n == 0 ? "" : ": ",
		    is == NULL ? 0 : (int)is->why.n,
		    is == NULL ? "" : is->why.p);
	} else if (is->status == DNS_NXDOMAIN) {
		verdict_set(&r->why, 550, "5.1.2", false,
		    "there is no such domain");
	} else if (is->status == DNS_BAD) {
		verdict_set(&r->why, 550, "5.1.2", false,
		    "this is not the name of a domain");
	} else if (is->status == DNS_OK && is_null_mx(is)) { /* RFC 7505 */
		verdict_set(&r->why, 556, "5.1.10", false,
		    "this domain takes no mail (null MX)");
	} else if (is->status == DNS_OK) {
		r->secure = is->secure != 0;
		hosts_take(r, is);
		hosts_cut(r);
	} else {
		r->implicit = true;
		host_add(r, 0, domain);
		hosts_cut(r);
	}
	route_next(r);
}

static unsigned
port_of(const struct job *j)
{
	if (j->port != 0)
		return j->port;
	return j->transport == JOB_LMTP ? 24 : (unsigned)relay.conf->smtp_port;
}

static void
unix_target(struct route *r)
{
	struct target *t = &r->addresses[0];

	*t = (struct target){ .secure = true };
	t->ss.ss_family = AF_UNIX;
	r->loaded = true;
	r->nhost = 1;
	if (span_copy(t->name, sizeof(t->name), r->job->host) == 0 &&
	    span_copy(t->text, sizeof(t->text), r->job->host) == 0)
		r->naddress = 1;
}

struct route *
route_new(const struct job *j, route_fn *fn, void *arg)
{
	struct route *r = xcalloc(1, sizeof(*r));
	struct target literal;

	r->job = j;
	r->fn = fn;
	r->arg = arg;
	r->port = port_of(j);
	if (j->transport == JOB_LMTP_UNIX)
		unix_target(r);
	else if (j->transport != JOB_MX ||
	    target_literal(&literal, j->host, 0) == 0)
		host_add(r, 0, j->host);
	return r;
}

/* MX records are asked for when the first target is. */
static bool
mx_ask(struct route *r)
{
	char name[HOST_MAX];

	if (span_copy(name, sizeof(name), r->job->host) == 0)
		r->mx = ask_dns(DNS_MX, name, on_mx, r, TAG_MX);
	return r->mx != NULL;
}

void
route_begin(struct route *r)
{
	if (r->job->transport != JOB_MX || r->nhost > 0)
		route_next(r);
	else if (!mx_ask(r))
		on_mx(r, TAG_MX, NULL);
}

void
route_free(struct route *r)
{
	if (r == NULL)
		return;
	ask_forget(&r->mx);
	ask_forget(&r->a);
	ask_forget(&r->aaaa);
	free(r);
}
