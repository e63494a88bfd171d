/*
 * pending: questions to a peer that wait for an answer. An answer resumes
 * exactly the one who asked, or finds it gone.
 */
#ifndef LIB_PENDING_H
#define LIB_PENDING_H

#include <stddef.h>
#include <stdint.h>

struct pending_slot {
	void *owner;         /* NULL: free */
	uint32_t generation; /* so that an id does not come back soon */
	uint32_t next;       /* free list: index + 1 */
};

struct pending { /* zeroed is empty */
	struct pending_slot *slot;
	size_t n, cap, waiting;
	uint32_t free;
};

/* At most this many wait at once; beyond: 0, push back. */
enum { PENDING_MAX = 1 << 16 };

/* The id for the question, never 0; 0: too many wait. */
uint32_t pending_add(struct pending *, void *owner);
/* Whose answer is this? Ends the wait. NULL: nobody's (any more). */
void *pending_take(struct pending *, uint32_t id);
/* Any one that still waits, its wait ended; NULL: none. The peer is gone. */
void *pending_take_any(struct pending *);
void pending_fini(struct pending *);

#endif
