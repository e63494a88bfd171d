/* turns: the loop, so many times round; each lasts at most ms. */
#ifndef T_UNIT_TURNS_H
#define T_UNIT_TURNS_H

#include "lib/loop.h"

static inline void
turns_stop(struct timer *t)
{
	(void)t;
	loop_stop();
}

static inline void
turns(int n, unsigned ms)
{
	struct timer t = { .fn = turns_stop };

	while (n-- > 0) {
		loop_timer(&t, ms);
		loop_run();
	}
}

#endif
