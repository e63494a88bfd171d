/* folders_use: what folders are for (RFC 6154). */
#ifndef LIB_FOLDERS_USE_H
#define LIB_FOLDERS_USE_H

#include "lib/folders_impl.h"

enum { FOLDER_USES = 7 };

struct folder_uses {
	struct folder_list by_use[FOLDER_USES];
};

void folder_uses_load(struct folders *, const struct folder_list *,
    struct folder_uses *);
void folder_uses_fini(struct folder_uses *);
unsigned folder_use(const struct folder_uses *, struct span name);
/* Writes the file in an open folder. */
int folder_use_write(int dirfd, unsigned use);

#endif
