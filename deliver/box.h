/*
 * box: the mailboxes this worker wrote to lately, their directories open.
 * Bounded: BOX_MAX; the one used longest ago makes room.
 */
#ifndef DELIVER_BOX_H
#define DELIVER_BOX_H

#include "lib/span.h"

#include <sys/types.h>

enum { BOX_MAX = 32 };

struct box {
	char *path;       /* below root; NULL: free */
	int dir_fd, new_fd, tmp_fd;
	dev_t dev;        /* of new/, to see whether it is still the same */
	ino_t ino;
	int64_t checked;  /* s, monotonic: when that was last looked at */
	uint64_t used;    /* the larger, the later */
	bool pinned;      /* part of the batch that is being written */
	bool told;        /* of this batch: its index knows */
	int synced;       /* of this batch: 0, or errno of fsync(new/) */
};

/*
 * fd, root: the tree the owner's mailboxes lie in; both are kept. If fd is
 * -1 every box_get() fails with errnum. links: symbolic links inside the
 * tree are the owner's own affair (system accounts); else they are refused,
 * for owners of virtual mailboxes share one uid.
 */
void box_init(int fd, int errnum, struct span root, bool links);

/*
 * The mailbox, opened, created if it is missing. It stays open until the next
 * call, or while the caller has it pinned; fewer than BOX_MAX may be pinned
 * when this is called. NULL and errno.
 */
struct box *box_get(struct span mailbox);
void box_unpin(void); /* all */
/* What is known about b was wrong: close it. */
void box_forget(struct box *b);
/* fsync(new/) of every pinned mailbox; each keeps its result in synced. */
void box_sync(void);

/* "/var/vmail/example.org/ann/Maildir", for messages. */
const char *box_name(struct span mailbox);

#endif
