/*
 * map_cdb: constant databases, as kept by tinycdb; only lib/map.c includes
 * this. A map is immutable: a new one replaces it by rename, so a mapping
 * never changes or shrinks under its reader.
 */
#ifndef LIB_MAP_CDB_H
#define LIB_MAP_CDB_H

#include "lib/map.h"

/* NULL and errno (EINVAL: not a whole map). fd stays open, and may close. */
void *map_cdb_open(int fd);
void map_cdb_close(void *);
enum map_got map_cdb_get(void *, struct span key, struct span *value);

/* fd: empty, read and write; borrowed until commit or abort. */
void *map_cdb_create(int fd);
int map_cdb_put(void *, struct span key, struct span value);
int map_cdb_finish(void *); /* frees; all is written to fd */
void map_cdb_abort(void *); /* frees */

#endif
