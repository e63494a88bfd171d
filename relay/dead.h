/*
 * dead: addresses that did not answer lately. They are tried after all
 * others; whoever answers is forgotten here.
 */
#ifndef RELAY_DEAD_H
#define RELAY_DEAD_H

#include <stdbool.h>

struct target;

bool dead_is(const struct target *);
void dead_note(const struct target *);
void dead_forget(const struct target *);

#endif
