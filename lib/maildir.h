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
	struct span base;   /* before ":2," : what stays when flags change */
	struct span flags;  /* after ":2,"; empty if none */
	bool has_size, has_wsize;
	uint64_t size, wsize;
};

/* Never fails: what is not there is empty. */
void maildir_name_parse(struct span name, struct maildir_name *);

/*
 * Creates path and cur, new, tmp below it where missing, 0700, parents too
 * (below dirfd), directories fsynced. -1 and errno.
 */
int maildir_make(int dirfd, const char *path);

#endif
