/*
 * os_watch: tells when directories or a file change: inotify(7), kqueue(2);
 * elsewhere there is none, and the caller looks now and then.
 */
#ifndef LIB_OS_WATCH_H
#define LIB_OS_WATCH_H

#include <stdbool.h>
#include <stdint.h>

struct os_watch;

enum { OS_WATCH_MAX = 4 };

/*
 * Names are of directories or files in dirfd: entries of the former come,
 * go or change names; the latter grow. NULL: the system has no more of
 * these, or none at all.
 */
struct os_watch *os_watch_new(int dirfd, const char *const *names, unsigned n);
void os_watch_free(struct os_watch *);
int os_watch_fd(const struct os_watch *);
/* A file's name is another file now. */
void os_watch_again(struct os_watch *, int dirfd, unsigned which);
/*
 * Empties it: adds what was seen to count[0 .. n). exact: every entry that
 * came, went or was renamed (twice) has been counted since the last call.
 */
void os_watch_drain(struct os_watch *, uint64_t *count, bool *exact);
/* How many of them one user may have; 0: nobody says. */
unsigned os_watch_limit(void);

#endif
