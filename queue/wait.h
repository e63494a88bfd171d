/*
 * wait: messages that wait for their next attempt: a queue id, a time, and
 * the tag of the destination that put it off; at most fifty-two bytes each,
 * however many there are. All else is in their files.
 */
#ifndef QUEUE_WAIT_H
#define QUEUE_WAIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * next: s since the epoch; held: until released; tag: small, 0 for none. Who
 * waits already gets the new time, and a tag that is not 0.
 */
void wait_add(uint64_t qid, int64_t next, bool held, uint32_t tag);
/* Takes the first one that is due; 0: none. */
uint64_t wait_take(int64_t now, uint32_t *tag);
/* Up to max with this tag, 0: any, are due now; how many were not yet. */
size_t wait_hurry(uint32_t tag, size_t max, int64_t now);
size_t wait_tagged(uint32_t tag); /* how many have it */
/* When the first one is due; INT64_MAX: nobody waits for a time. */
int64_t wait_first(void);
size_t wait_count(void);

/* The time of qid; -1: it does not wait. */
int64_t wait_find(uint64_t qid, bool *held);
bool wait_drop(uint64_t qid); /* false: it did not wait */
/* The i-th (0 .. wait_count() - 1), in no order. */
uint64_t wait_at(size_t i, int64_t *next, bool *held);

#endif
