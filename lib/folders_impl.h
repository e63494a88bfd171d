/*
 * folders_impl: what the files of lib/folder*.c share. Changes to the tree
 * happen under folders_lock(), a flock(2) of the Maildir itself.
 */
#ifndef LIB_FOLDERS_IMPL_H
#define LIB_FOLDERS_IMPL_H

#include "lib/folders.h"

struct folders {
	int fd; /* the Maildir; borrowed */
};

struct folder_list {
	char **name; /* UTF-8, sorted, children after parents */
	size_t n, cap;
};

/* folder_name.c */
bool folder_is_inbox(struct span name);
/* ".a.b" of "a/b"; INBOX is ".". -1: EINVAL, ENAMETOOLONG. */
int folder_disk(struct span name, struct buf *);
/* "a/b" of ".a.b". -1: it is no folder's. */
int folder_from_disk(struct span disk, struct buf *name);
/* Is name below parent? */
bool folder_below(struct span name, struct span parent);

void folder_list_add(struct folder_list *, struct span name);
void folder_list_sort(struct folder_list *); /* and each name once */
bool folder_list_has(const struct folder_list *, struct span name);
void folder_list_fini(struct folder_list *);

/* folders.c: those that are there, INBOX not among them. */
int folders_list(struct folders *, struct folder_list *);
bool folder_exists(struct folders *, const char *disk);
int folders_lock(struct folders *); /* a descriptor; close it to unlock */

/* folders_subscribed.c */
#define SUBSCRIPTIONS "subscriptions"
int folders_subscribed(struct folders *, struct folder_list *);
/* Under folders_lock(). */
int folders_subscriptions_write(struct folders *, const struct folder_list *);

#endif
