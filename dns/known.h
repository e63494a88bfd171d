/*
 * known: which questions were answered not long ago, so that libunbound very
 * likely has the answer still. It may be wrong about few, either way.
 */
#ifndef DNS_KNOWN_H
#define DNS_KNOWN_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/span.h"

/* The answer may be kept for ttl seconds. */
void known_note(uint32_t type, struct span name, uint32_t ttl);
bool known_is(uint32_t type, struct span name);
void known_forget_all(void);

#endif
