/*
 * maildir: Maildirs, as deliver and pop3d (and later imapd) need them. The
 * files have LF lines, flags in their names, and ",S=size,W=size" (as
 * stored; as CR LF octets). Everything is relative to an open directory;
 * links are not followed in the last component.
 */
#ifndef LIB_MAILDIR_H
#define LIB_MAILDIR_H

#include "lib/buf.h"

struct maildir_name { /* "1700.qid_0.host,S=12,W=13:2,FS" */
	struct span unique; /* before ',' or ':' */
	struct span base;   /* before ':' : what stays when flags change */
	struct span flags;  /* after ":2,"; empty if none */
	bool has_size, has_wsize;
	uint64_t size, wsize;
};

/* Never fails: what is not there is empty. */
void maildir_name_parse(struct span name, struct maildir_name *);
/* Of it no more than base and flags. */
void maildir_name_split(struct span name, struct span *base,
    struct span *flags);

/*
 * The name's leading number, seconds since the epoch: when it arrived. 0 if
 * there is none.
 */
uint64_t maildir_name_time(struct span name);

/*
 * For the log: adds the queue id with which deliver made the name, if it did,
 * to a list of at most LOG_VALUE_MAX bytes; " ..." when there is no room.
 */
void maildir_qids_add(struct buf *list, struct span name);

/*
 * The path of a Maildir relative to root, for os_opendir_below(): an
 * absolute mailbox must lie below root, a relative one is taken as it is.
 * No ".", "..", or empty component passes. -1: EXDEV outside, EINVAL bad,
 * ENAMETOOLONG.
 */
int maildir_below(struct span root, struct span mailbox, struct buf *out);

/*
 * Creates path (as maildir_below made it) and cur, new, tmp in it where
 * missing, 0700, parents too (below dirfd), directories fsynced. links: a
 * symbolic link may stand for an existing directory. -1 and errno.
 */
int maildir_make(int dirfd, const char *path, bool links);

/*
 * Removes what crashed deliveries left in dirfd's tmp/: regular files older
 * than MAILDIR_TMP_AGE. Best effort.
 */
void maildir_sweep(int dirfd, int64_t now);

#endif
