/*
 * litter: files that are to go, but whose removal failed (a disk that is
 * read-only for a while, say). It is tried again every retry-min seconds.
 * Until then nobody may take one for a message: it was delivered, or its
 * sender was told to come again.
 */
#ifndef QUEUE_LITTER_H
#define QUEUE_LITTER_H

#include <stdbool.h>
#include <stdint.h>

void litter_add(uint64_t qid);
bool litter_has(uint64_t qid);

#endif
