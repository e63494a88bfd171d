/*
 * die: the third kind of error, "the world is broken". Logs at error level
 * and ends the process; master starts it again and the mail is on disk.
 */
#ifndef LIB_DIE_H
#define LIB_DIE_H

#include <stddef.h>

/* Appends ": strerror(errno)" if errno is not 0. Exit status EX_SOFTWARE. */
_Noreturn void die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Never NULL: no memory is die(). Arrays check their product. */
void *xmalloc(size_t n);
void *xcalloc(size_t n, size_t size);
void *xreallocarray(void *p, size_t n, size_t size);
char *xstrdup(const char *s);

/* Closes *fd if it is open (>= 0), sets it to -1, keeps errno. */
void fd_close(int *fd);

#endif
