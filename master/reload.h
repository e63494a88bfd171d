/*
 * reload: a new configuration, or a new certificate, without dropping a
 * session. The new generation of front processes must get ready beside the
 * old one; only then the old one is told to finish. Else nothing changes.
 */
#ifndef MASTER_RELOAD_H
#define MASTER_RELOAD_H

#include <stdbool.h>

struct child;
struct generation;

/* What became of it; text is for whoever asked. Called once. */
typedef void reload_done_fn(void *arg, bool done, const char *text);

/*
 * Reads the configuration anew: now, or as soon as the house is up and no other
 * attempt is on its way. fn may be NULL.
 */
void reload_begin(reload_done_fn *fn, void *arg);
/* Begins one if the certificate on disk is another than the one in use. */
void reload_look_at_certificate(void);

/* Of house.c: seats of a generation's front processes, ready or dead. */
void reload_child_ready(void);
void reload_child_gone(void);
/* The house stops: never mind. */
void reload_cancel(void);

#endif
