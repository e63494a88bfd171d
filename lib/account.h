/*
 * account: a row of the users map: who owns a mailbox, where it is.
 * users.cdb (readable by smtpd and queue): address -> account.
 * credentials.cdb (auth alone): login name -> hash and account.
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
int account_decode(struct span, struct account *);

#endif
