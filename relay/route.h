/*
 * route: where a job may go, one target after the other, best first;
 * RFC 5321 5.1, RFC 7505.
 */
#ifndef RELAY_ROUTE_H
#define RELAY_ROUTE_H

#include "relay/relay.h"
#include "relay/target.h"

struct job;
struct route;

/* news: is there another target? It comes at once, or later. */
typedef void route_fn(void *arg, bool news);

struct route *route_new(const struct job *, route_fn *, void *arg);
/* Asks for the first, the next one. fn may free the route. */
void route_begin(struct route *);
void route_next(struct route *);
const struct target *route_target(const struct route *);
/* The target was ourselves: neither it nor any that is no better. */
void route_loop(struct route *);
/* No target on a host that is less preferred than this one. */
void route_no_worse(struct route *);
/* Why there is no (further) one, as far as the way is to blame; code 0: it is
 * not: all were tried. */
const struct verdict *route_why(const struct route *);
void route_free(struct route *); /* NULL is fine */

#endif
