/*
 * resolver: libunbound behind one door: it asks, it validates, it keeps what
 * it learnt. There is one at a time; a new one replaces it.
 */
#ifndef DNS_RESOLVER_H
#define DNS_RESOLVER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/span.h"

struct conf;

struct resolver_answer {
	struct span message; /* RFC 1035; empty: there is none, see why */
	bool secure;         /* validated */
	struct span why;     /* why there is none; bogus; any bytes */
};

/* May come from within resolver_ask(). What the answer points to goes. */
typedef void resolver_fn(void *arg, const struct resolver_answer *);

/*
 * A new resolver, with the texts of resolv.conf and of the trust anchor, ""
 * if there is none. Questions of the one before are forgotten, not answered.
 * NULL; or why there is no resolver now, or no good one: the answer to all.
 */
const char *resolver_open(const struct conf *, struct span resolv,
    struct span anchor);
/* -1: it does not take it. */
int resolver_ask(const char *name, uint32_t type, resolver_fn *, void *arg);

#endif
