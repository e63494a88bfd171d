/*
 * resolver: one context of libunbound, run by our loop (dns/events.c), so no
 * thread, no process, no pipe of its own. Everything it needs is in memory:
 * it is made in the sandbox, where there are no files.
 */
#include "dns/resolver.h"

#include <stdlib.h>
#include <string.h>

#include <unbound-event.h>
#include <unbound.h>

#include "dns/events.h"
#include "lib/conf.h"
#include "lib/die.h"
#include "lib/limits.h"
#include "lib/log.h"
#include "lib/resolv.h"

enum { SEC_BOGUS = 1, SEC_SECURE = 2 };

struct asked { /* what the callback needs; libunbound keeps it */
	struct asked *next, **prev;
	resolver_fn *fn;
	void *arg;
};

static struct ub_ctx *ctx;
static struct asked *all_asked;
static bool closing;

/* --- making one -------------------------------------------------------- */

static const struct {
	const char *key, *value;
} options[] = {
	{ "do-not-query-localhost:", "no" }, /* that is where many are */
	{ "outgoing-range:", "512" },        /* questions on the wire at once */
	{ "num-queries-per-thread:", "1024" },
	{ "outgoing-num-tcp:", "32" },
	/* A resolver that was away is asked again soon. */
	{ "infra-host-ttl:", "15" },
	{ "infra-keep-probing:", "yes" },
	{ "infra-cache-max-rtt:", "5000" },
	/* Private addresses have names, too, though nobody signs them. */
	{ "unblock-lan-zones:", "yes" },
	{ "insecure-lan-zones:", "yes" },
};

/* Names that libunbound would deny by itself; whoever is asked may know. */
static const char *const unblocked[] = { "test.", "home.arpa." };

static int
option_set(struct ub_ctx *c, const char *key, const char *value)
{
	return ub_ctx_set_option(c, key, value) == 0 ? 0 : -1;
}

static int
cache_set(struct ub_ctx *c, const char *key, uint64_t bytes)
{
	struct buf b;
	int rc;

	buf_init(&b, 32);
	buf_num(&b, bytes);
	rc = option_set(c, key, buf_cstr(&b));
	buf_fini(&b);
	return rc;
}

static int
options_set(struct ub_ctx *c, const struct conf *conf)
{
	for (size_t i = 0; i < nitems(options); i++)
		if (option_set(c, options[i].key, options[i].value) == -1)
			return -1;
	if (cache_set(c, "rrset-cache-size:", conf->dns_cache / 2) == -1 ||
	    cache_set(c, "msg-cache-size:", conf->dns_cache / 4) == -1 ||
	    cache_set(c, "key-cache-size:", conf->dns_cache / 8) == -1 ||
	    cache_set(c, "neg-cache-size:", conf->dns_cache / 8) == -1)
		return -1;
	return 0;
}

/* resolv.conf(5): without any, the one on this host. */
static int
forward_system(struct ub_ctx *c, struct span resolv)
{
	struct resolv_address a;
	unsigned n = 0;

	while (n < DNS_RESOLVERS_MAX && resolv_next(&resolv, &a)) {
		if (ub_ctx_set_fwd(c, a.text) != 0)
			return -1;
		n++;
	}
	return n > 0 || ub_ctx_set_fwd(c, "127.0.0.1") == 0 ? 0 : -1;
}

static int
forward_set(struct ub_ctx *c, const struct conf *conf, struct span resolv)
{
	const struct conf_list *l = &conf->resolver;

	if (conf_list_has(l, SPAN("recursive")))
		return 0;
	if (conf_list_has(l, SPAN("system")))
		return forward_system(c, resolv);
	for (size_t i = 0; i < l->n; i++)
		if (ub_ctx_set_fwd(c, l->word[i]) != 0)
			return -1;
	return 0;
}

/*
 * A line of a trust anchor's file: a DS or DNSKEY record; comments of who
 * keeps it up to date (RFC 5011 4.2) say whether a key counts already.
 */
static bool
anchor_counts(struct span line)
{
	struct span rest = line, state = SPAN(";;state=");

	for (; rest.n > 0; span_take(&rest, 1))
		if (span_starts(rest, state))
			return rest.n > state.n &&
			    (rest.p[state.n] == '2' || rest.p[state.n] == '3');
	return true;
}

/* How many there are; -1: libunbound did not take one. */
static int
anchors_add(struct ub_ctx *c, struct span text)
{
	struct span line, record;
	char *copy;
	int n = 0, rc;

	while (text.n > 0) {
		line = span_line(&text);
		record = line;
		record = span_trim(span_cut(&record, ';'));
		if (record.n == 0 || !anchor_counts(line))
			continue;
		copy = span_dup(record);
		rc = copy == NULL ? -1 : ub_ctx_add_ta(c, copy);
		free(copy);
		if (rc != 0)
			return -1;
		n++;
	}
	return n;
}

static const char *
validation_set(struct ub_ctx *c, const struct conf *conf, struct span anchor)
{
	int n = 0;

	if (strcmp(conf->dnssec, "no") != 0 && (n = anchors_add(c, anchor)) < 0)
		return "the trust anchor cannot be used";
	if (n > 0)
		return NULL;
	if (strcmp(conf->dnssec, "yes") == 0)
		return "there is no trust anchor; see dns-trust-anchor";
	log_msg(LL_WARN, "dnssec", "signatures are not checked");
	return option_set(c, "module-config:", "iterator") == -1
	    ? "libunbound cannot leave signatures alone"
	    : NULL;
}

static const char *
ctx_make(struct ub_ctx *c, const struct conf *conf, struct span resolv,
    struct span anchor)
{
	const char *why;

	ub_ctx_debugout(c, NULL); /* what matters comes with the answers */
	if (options_set(c, conf) == -1)
		return "libunbound is too old";
	if (forward_set(c, conf, resolv) == -1)
		return "libunbound does not take the resolvers";
	if ((why = validation_set(c, conf, anchor)) != NULL)
		return why;
	/* The first of these makes it final: all is known to be good then. */
	for (size_t i = 0; i < nitems(unblocked); i++)
		if (ub_ctx_zone_remove(c, unblocked[i]) != 0)
			return "libunbound does not take its configuration, "
			       "or the trust anchor";
	return NULL;
}

static void
ctx_close(void)
{
	struct asked *a;

	if (ctx == NULL)
		return;
	closing = true; /* its callbacks say that each question has failed */
	ub_ctx_delete(ctx);
	closing = false;
	ctx = NULL;
	while ((a = all_asked) != NULL) {
		all_asked = a->next;
		free(a);
	}
}

const char *
resolver_open(const struct conf *conf, struct span resolv, struct span anchor)
{
	struct ub_ctx *c = ub_ctx_create_ub_event(events_base());
	const char *why;

	if (c == NULL)
		die("libunbound");
	if ((why = ctx_make(c, conf, resolv, anchor)) != NULL) {
		ub_ctx_delete(c);
		ctx_close();
		return why;
	}
	ctx_close();
	ctx = c;
	return NULL;
}

/* --- asking ------------------------------------------------------------ */

static struct asked *
asked_new(resolver_fn *fn, void *arg)
{
	struct asked *a = xcalloc(1, sizeof(*a));

	a->fn = fn;
	a->arg = arg;
	a->next = all_asked;
	a->prev = &all_asked;
	if (all_asked != NULL)
		all_asked->prev = &a->next;
	all_asked = a;
	return a;
}

static void
asked_free(struct asked *a)
{
	*a->prev = a->next;
	if (a->next != NULL)
		a->next->prev = a->prev;
	free(a);
}

static void
on_answer(void *arg, int rcode, void *packet, int n, int sec, char *why,
    int limited)
{
	struct asked *a = arg, was = *a;
	struct resolver_answer is = { .message = SPAN_NONE,
		.why = SPAN("no answer") };

	(void)limited;
	asked_free(a);
	if (closing)
		return;
	is.secure = sec == SEC_SECURE;
	if (sec == SEC_BOGUS)
		is.why = why == NULL ? SPAN("bogus") : span_str(why);
	else if (rcode != 0) /* the packet is something else's */
		is.why = SPAN("no name server gives a usable answer");
	else if (packet != NULL && n > 0)
		is.message = span_of(packet, (size_t)n);
	was.fn(was.arg, &is);
}

int
resolver_ask(const char *name, uint32_t type, resolver_fn *fn, void *arg)
{
	struct asked *a;

	if (ctx == NULL)
		return -1;
	a = asked_new(fn, arg);
	if (ub_resolve_event(ctx, name, (int)type, 1, a, on_answer, NULL) == 0)
		return 0;
	asked_free(a);
	return -1;
}
