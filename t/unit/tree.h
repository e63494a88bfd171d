/* tree: a directory made for a test, and all below it, goes. */
#ifndef T_UNIT_TREE_H
#define T_UNIT_TREE_H

#include <ftw.h>
#include <stdio.h>

static inline int
tree_remove_one(
    const char *path, const struct stat *st, int type, struct FTW *w)
{
	(void)st;
	(void)type;
	(void)w;
	return remove(path);
}

static inline void
tree_remove(const char *dir)
{
	(void)nftw(dir, tree_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
