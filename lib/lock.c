/*
 * lock: the lock is asked for again and again, at first soon, then seldom. It
 * is held for some milliseconds as a rule, and mostly by nobody.
 */
#include "lib/lock.h"

#include <sys/file.h>

#include <errno.h>
#include <time.h>

#include "lib/die.h"

enum { PAUSE_FIRST = 200 * 1000, PAUSE_MAX = 20 * 1000 * 1000 }; /* ns */

static uint64_t
now_ms(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		die("clock_gettime");
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

int
lock_wait(int fd, uint64_t ms)
{
	struct timespec pause = { .tv_nsec = PAUSE_FIRST };
	uint64_t until = 0;

	while (flock(fd, LOCK_EX | LOCK_NB) == -1) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -1;
		if (until == 0)
			until = now_ms() + ms;
		else if (now_ms() >= until) {
			errno = EAGAIN;
			return -1;
		}
		(void)nanosleep(&pause, NULL);
		if (pause.tv_nsec < PAUSE_MAX)
			pause.tv_nsec *= 2;
	}
	return 0;
}
