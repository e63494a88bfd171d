/*
 * hash: keyed (SipHash-1-3) for tables whose keys strangers choose; the key
 * is random per process. hash_plain64 is for names that must stay the same
 * for ever (POP3 UIDLs); it is not keyed.
 */
#ifndef LIB_HASH_H
#define LIB_HASH_H

#include "lib/span.h"

uint64_t hash_keyed(struct span);
uint64_t hash_plain64(struct span, uint64_t seed);
void random_bytes(void *p, size_t n); /* getrandom, arc4random_buf */

#endif
