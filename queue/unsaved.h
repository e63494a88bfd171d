/*
 * unsaved: log records that could not be appended to their message's file
 * (disk full, say), while the message is not in memory. Without them, all
 * recipients would be tried again, also those who have the message.
 */
#ifndef QUEUE_UNSAVED_H
#define QUEUE_UNSAVED_H

#include <stdint.h>

#include "lib/buf.h"

/* Keeps a copy, if there is room. qid has none yet. */
void unsaved_put(uint64_t qid, struct span records);
/* Appends those of qid to records, and forgets them. */
void unsaved_take(uint64_t qid, struct buf *records);

#endif
