/*
 * maps: the compiled maps that master holds open and hands out, at start and
 * whenever one was rebuilt; and a look at the certificate now and then.
 */
#ifndef MASTER_MAPS_H
#define MASTER_MAPS_H

struct child;
struct topology_row;

/* Opens what is there, and begins to look every ten seconds. */
void maps_start(void);
/* Looks now; hands out what is new. Returns how many were new. */
unsigned maps_look(void);
/* Set-up of a child: its maps, as they are now. */
void maps_give(struct child *, const struct topology_row *);

#endif
