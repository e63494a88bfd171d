/* mailbox_map: a table as the bytes of a map, and back; for its fuzz target. */
#ifndef LIB_MAILBOX_MAP_H
#define LIB_MAILBOX_MAP_H

#include "lib/buf.h"

struct table;

void mailbox_map_encode(struct buf *, const struct table *, uint64_t id,
    uint64_t at);
/* -1: damaged; the table is then to be freed. */
int mailbox_map_decode(struct span, struct table *, uint64_t *id,
    uint64_t *at);

#endif
