/*
 * lock: flock(2) on a file that others of the same user can open, too: who
 * holds it may be stopped, or mean ill, so nobody waits for ever.
 */
#ifndef LIB_LOCK_H
#define LIB_LOCK_H

#include <stdint.h>

/*
 * An exclusive lock, given up with LOCK_UN or the descriptor. -1: EAGAIN,
 * somebody has had it all the time; others as flock(2).
 */
int lock_wait(int fd, uint64_t ms);

#endif
