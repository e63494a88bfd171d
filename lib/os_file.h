/*
 * os_file: file system calls that systems have under different names, or
 * lack. The portable way is the fallback of each, so callers never ask.
 */
#ifndef LIB_OS_FILE_H
#define LIB_OS_FILE_H

#include <stdbool.h>

/*
 * Opens the directory path ("a/b/c", relative, no "." or "..") below dirfd,
 * close-on-exec. links false: ELOOP or ENOTDIR if any component is a
 * symbolic link. links true: links are followed as long as they stay below
 * dirfd (EXDEV). -1 and errno.
 */
int os_opendir_below(int dirfd, const char *path, bool links);

/* rename(2) that never replaces: EEXIST, and from is still there. */
int os_rename_new(int fromdir, const char *from, int todir, const char *to);

/*
 * A hint: begin to write fd's data out, do not wait. Given to all files of a
 * batch before the first fsync(2), one journal commit serves them all.
 */
void os_writeback(int fd);

#endif
