/*
 * folders: the tree of mailboxes of one owner, as Maildir++ has it: INBOX is
 * the Maildir itself, "a/b" the directory ".a.b" in it. Names here are UTF-8
 * with '/' between levels; on disk they are modified UTF-7 (RFC 3501 5.1.3,
 * lib/mutf7.h), as Courier and Dovecot write them. Also subscriptions, and
 * special-use attributes (RFC 6154).
 */
#ifndef LIB_FOLDERS_H
#define LIB_FOLDERS_H

#include "lib/buf.h"

struct folders;

struct folders *folders_new(int maildir_fd); /* borrowed */
void folders_free(struct folders *);

enum folder_attr {
	FA_NOSELECT = 1,  /* only has children */
	FA_CHILDREN = 2,
	FA_SUBSCRIBED = 4,
	FA_MISSING = 8,   /* subscribed, not there */
	FA_MARKED = 16, FA_UNMARKED = 32,
	FA_DRAFTS = 64, FA_SENT = 128, FA_TRASH = 256, FA_JUNK = 512,
	FA_ARCHIVE = 1024, FA_ALL = 2048, FA_FLAGGED = 4096,
};

/* Is it a name that can be: levels, length, no "." at the start of one ...? */
bool folder_name_ok(struct span name);

/* Every folder and, if asked, every subscribed name; sorted; INBOX first. */
int folders_each(struct folders *, bool subscribed,
    void (*fn)(void *arg, struct span name, unsigned attrs), void *arg);
/* Its directory; -1: ENOENT, EACCES ... INBOX in any case of letters. */
int folder_open(struct folders *, struct span name);
/* Parents too. use: an FA_ special-use bit or 0. EEXIST, EINVAL, ... */
int folder_create(struct folders *, struct span name, unsigned use);
/* Children stay (then NOSELECT has no place: their parent is implied). */
int folder_delete(struct folders *, struct span name);
/* With its children; INBOX: its messages move, it stays (RFC 3501 6.3.5). */
int folder_rename(struct folders *, struct span from, struct span to);
int folder_subscribe(struct folders *, struct span name, bool on);
/* If there never was a folder or a subscription: makes these, and subscribes
 * to them and INBOX. */
int folders_first(struct folders *, char *const *name, size_t n);

/* LIST's wildcards (RFC 3501 6.3.8): does name match? INBOX folds case. */
bool folder_matches(struct span name, struct span pattern);

#endif
