/*
 * map: look-ups in compiled maps. A map is opened from a descriptor that
 * master hands out, mapped, and looked up in process: no system call.
 */
#ifndef LIB_MAP_H
#define LIB_MAP_H

#include "lib/buf.h"

struct map;

/* Takes fd (of a .cdb). NULL and errno if it is not a whole map. */
struct map *map_open(int fd);
void map_close(struct map *); /* NULL is fine */
/*
 * Takes fd, of a newer map, -1: there is none any more. A damaged one is
 * logged under name, and the old one stays.
 */
void map_replace(struct map **, int fd, const char *name);

enum map_got { MAP_FOUND, MAP_NONE, MAP_ERROR };
/* value is borrowed from the mapping, until map_close(). NULL map: none. */
enum map_got map_get(struct map *, struct span key, struct span *value);

/*
 * The value of that key makes no sense: logged, with what it counts as, once
 * a map.
 */
void map_row_bad(struct map *, const char *name, struct span key,
    const char *counts_as);

/* Writing: to FILE.tmp, fsync, rename, fsync directory. */
struct map_writer;
struct map_writer *map_create(const char *path, unsigned mode);
int map_put(struct map_writer *, struct span key, struct span value);
int map_commit(struct map_writer *); /* frees; -1: old map still there */
void map_abort(struct map_writer *); /* frees; NULL is fine */

#endif
