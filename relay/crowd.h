/*
 * crowd: how many connections a host has, of all relay processes together
 * (lib/tally.h). Counted are those to hosts that MX records name: anybody can
 * have a thousand domains, and one slow host for all of them.
 */
#ifndef RELAY_CROWD_H
#define RELAY_CROWD_H

#include <stdbool.h>

struct daemon;
struct target;

void crowd_init(const struct daemon *);
/* As many as relay-host-connections. */
bool crowd_is_full(const struct target *);
void crowd_enter(const struct target *);
void crowd_leave(const struct target *);

#endif
