/*
 * map_text: an administrator's text file MAP_DIR/NAME becomes its map
 * NAME.cdb. What a line means is told by the caller.
 */
#ifndef LIB_MAP_TEXT_H
#define LIB_MAP_TEXT_H

#include "lib/buf.h"

struct conf;

/* Gets each row; -1 stops. */
typedef int map_row_fn(void *arg, struct span key, struct span value,
    size_t line);
/* Takes text apart; -1: err got lines "NAME:LINE: reason; remedy", or fn did
 * not want more. */
typedef int map_reader_fn(const struct conf *, struct span text,
    const char *name, map_row_fn *fn, void *arg, struct buf *err);

/*
 * Reads MAP_DIR/name (none is an empty one), writes MAP_DIR/name.cdb with
 * these permissions. *count: rows. -1: err says why, the old map stays.
 */
int map_text_compile(const struct conf *, const char *name, unsigned mode,
    map_reader_fn *read, size_t *count, struct buf *err);

#endif
