/*
 * account: a row of the users map: who owns a mailbox, where it is.
 * users.cdb (readable by smtpd and queue): address -> account.
 * credentials.cdb (auth alone): login name -> hash and account; the empty key
 * has a hash (alone) of the kind that most accounts have, for auth to spend
 * its time on when a name is unknown.
 *
 * Keys of both, and of aliases.cdb, are whole addresses (or, in aliases.cdb,
 * bare local parts and "@domain") in lower case: account_key(). Nobody gives
 * ann and Ann to different people.
 */
#ifndef LIB_ACCOUNT_H
#define LIB_ACCOUNT_H

#include "lib/buf.h"

struct account {
	uint64_t uid, gid;
	struct span address; /* canonical login and mailbox name */
	struct span user;    /* system account, or empty: virtual */
	struct span root;    /* mail root or home: what a worker may touch */
	struct span mailbox; /* the Maildir, absolute, below root */
	struct span hash;    /* crypt(3); empty in users.cdb */
};

void account_encode(struct buf *, const struct account *);
/*
 * Spans point into the input. -1: damaged, or not what compile writes: paths
 * are absolute and without "..", the mailbox is below the root, no NUL.
 */
int account_decode(struct span, struct account *);

/* Puts the map key for an address or name into key (cleared before). */
void account_key(struct span address, struct buf *key);

/* Absolute, no empty, "." or ".." part, no control character. */
bool account_path_ok(struct span path);
/* Is path strictly below root? Both as account_path_ok() wants them. */
bool account_path_below(struct span path, struct span root);

#endif
