/* maps: compiling from more than one verb. */
#ifndef CTL_MAPS_H
#define CTL_MAPS_H

#include "ctl/ctl.h"

/* "users", "aliases", "transport"; then master is told, if it runs. Exit status. */
int maps_compile(const struct ctl *, const char *name, bool quiet);

/*
 * Compiles those that are missing or older than their text. A mistake in a
 * text is said, and fatal only if there is no old map to go on with.
 */
int maps_renew(const struct ctl *);

#endif
