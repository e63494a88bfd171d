/*
 * text_map: a map of the simple kind: a key and a value a line. What a line
 * means is told by the caller; what makes a file of lines into a map is
 * lib/map_text.h.
 */
#ifndef LIB_TEXT_MAP_H
#define LIB_TEXT_MAP_H

#include "lib/map_text.h"

struct text;

/*
 * Takes one line apart, appends to key and value; or complains about it
 * (text_complain) and returns -1.
 */
typedef int text_line_fn(struct text *, struct span line, struct buf *key,
    struct buf *value);

/* A reader of lib/map_text.h; a key that comes twice is complained about. */
int text_map_read(text_line_fn *take, struct span text, const char *name,
    map_row_fn *fn, void *arg, struct buf *err);

#endif
