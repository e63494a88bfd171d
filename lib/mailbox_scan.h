/*
 * mailbox_scan: one look at cur/ and new/: what mailbox_scan.c, which lists
 * them, and mailbox_found.c, which takes in what is new, share.
 */
#ifndef LIB_MAILBOX_SCAN_H
#define LIB_MAILBOX_SCAN_H

#include "lib/mailbox_impl.h"

enum found_bits {
	FOUND_IN_NEW = 1,
	FOUND_AGAIN = 2, /* its base is that of a row */
	FOUND_FILE = 4,  /* the listing said that it is one */
};

struct found { /* a file that no row has under this name */
	uint64_t time;    /* in its name */
	uint64_t hash;    /* of its base */
	const char *name; /* when they are sorted; terminated */
	uint32_t at;      /* the name, in names */
	uint16_t n;       /* its length */
	uint16_t bits;
};

struct scan {
	struct mailbox *m;
	uint32_t *slot;   /* hash table of row indexes + 1 */
	size_t mask;
	struct found *found;
	size_t nfound, cap;
	struct buf names; /* each terminated */
	struct buf out;   /* records */
	unsigned what;
	bool confirm;     /* second listing: only looks for missing rows */
	bool left;        /* a file could not be taken: no state is true */
};

/* The row of that base; NULL: none. */
struct row *scan_row(const struct scan *, uint64_t hash);

/* mailbox_found.c */
void found_add(struct scan *, struct span name, uint64_t hash, unsigned bits);
/* NEW records for all of them, onto out; their files in place. */
void found_take_all(struct scan *);

#endif
