/*
 * deed: what a session did to mail, for the log: one line a command that
 * adds, copies, moves or removes, so that "where has my mail gone?" has an
 * answer. Sets are cut where they get long; their count is always whole.
 */
#ifndef IMAPD_DEED_H
#define IMAPD_DEED_H

#include "imapd/session.h"

struct deed {
	size_t n;         /* messages */
	struct buf uids;  /* "3,5:9" */
	struct buf qids;  /* of those that came by deliver: trace knows them */
};

/* Of rows of the view, while they are still there. */
void deed_begin(struct deed *, struct session *, const uint32_t *seq, size_t n);
void deed_end(struct deed *);

/* errnum not 0: it went wrong, perhaps half done. */
void deed_expunge(struct session *, const struct deed *, int errnum);
/* to: the new UIDs, ascending. */
void deed_copy(struct session *, const struct deed *, bool move,
    struct span into, const uint32_t *to, size_t n);
void deed_append(struct session *, struct span folder, uint32_t uid,
    uint64_t size);
/* what: "created", "deleted", "renamed"; into: only then. */
void deed_folder(struct session *, const char *what, struct span folder,
    struct span into);

#endif
