/*
 * imap_set: sets of message numbers or UIDs (RFC 3501 9 sequence-set). They
 * stay ranges: a set costs what was typed, not what it means.
 */
#ifndef LIB_IMAP_SET_H
#define LIB_IMAP_SET_H

#include "lib/span.h"

/*
 * "*" is UINT32_MAX, the number 4294967295 therefore the one below (no
 * message has either).
 */
struct imap_range {
	uint32_t lo, hi; /* 1 <= lo <= hi */
};
struct imap_set {
	size_t n, cap;
	struct imap_range *range; /* as given; at most IMAP_RANGES_MAX */
	bool saved;               /* "$", RFC 5182; no ranges then */
};
/* Fills *set, which was zeroed or finished. -1: syntax, or too many. */
int imap_set(struct span *in, struct imap_set *);
void imap_set_fini(struct imap_set *); /* frees; empty again */
/*
 * In place: "*" becomes max (the largest number there is), ranges sorted and
 * joined, what is over max dropped (for UIDs; max 0 makes it empty).
 */
void imap_set_resolve(struct imap_set *, uint32_t max);
/* Are all its numbers in 1 .. max? Before resolving; for message numbers. */
bool imap_set_within(const struct imap_set *, uint32_t max);
/* Of a resolved set. */
bool imap_set_has(const struct imap_set *, uint32_t n);

#endif
