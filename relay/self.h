/*
 * self: is that ourselves? Mail that would come back to us must not be sent,
 * RFC 5321 5.1.
 */
#ifndef RELAY_SELF_H
#define RELAY_SELF_H

#include "lib/span.h"

struct conf;
struct conn;
struct target;

/* Before the sandbox: which addresses this host has. */
void self_init(void);
/* Our SMTP listens there. */
bool self_is(const struct conf *, const struct target *);
/* A connection that came back to us, by whatever way. */
bool self_answers(const struct conf *, struct conn *, const struct target *);
bool self_is_name(const struct conf *, struct span host);

#endif
