/*
 * aliases: the text file MAP_DIR/aliases (postern-aliases(5)) and its map
 * aliases.cdb.
 *
 *	name: target, target
 *		target
 *
 * A name is a local part (in every local domain), an address, or @domain
 * (everything in it that has no other entry). Targets are addresses or local
 * parts, which get @default-domain. Programs, files and :include: are not
 * known here and refused. Key: account_key() of the name. Value: canonical
 * addresses with commas between them.
 */
#ifndef LIB_ALIASES_H
#define LIB_ALIASES_H

#include "lib/map_text.h"

/* As users_read(). */
int aliases_read(const struct conf *, struct span text, const char *name,
    map_row_fn *fn, void *arg, struct buf *err);

/* Reads MAP_DIR/aliases (none is an empty one), writes aliases.cdb. */
int aliases_compile(const struct conf *, size_t *count, struct buf *err);

#endif
