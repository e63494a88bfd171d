/*
 * litter: a list in memory, oldest first. A start forgets it: what is found
 * then is a message again (twice beats never).
 */
#include "queue/litter.h"

#include <stdlib.h>
#include <string.h>

#include "lib/die.h"
#include "lib/loop.h"
#include "queue/queue.h"
#include "queue/store.h"

enum { STEP = 200 }; /* files a turn of the loop */

static uint64_t *files;
static size_t n, cap;
static struct timer again;

/* store_remove() adds those that still cannot go, at the end. */
static void
on_again(struct timer *t)
{
	uint64_t now[STEP];
	size_t many = n < STEP ? n : STEP;

	memcpy(now, files, many * sizeof(*files));
	n -= many;
	memmove(files, files + many, n * sizeof(*files));
	for (size_t i = 0; i < many; i++)
		store_remove(now[i]);
	if (n > 0)
		loop_timer(t, queue.conf->retry_min * 1000);
}

void
litter_add(uint64_t qid)
{
	if (n == cap) {
		cap = cap == 0 ? 64 : 2 * cap;
		files = xreallocarray(files, cap, sizeof(*files));
	}
	files[n++] = qid;
	again.fn = on_again;
	if (!loop_timer_is_set(&again))
		loop_timer(&again, queue.conf->retry_min * 1000);
}

bool
litter_has(uint64_t qid)
{
	for (size_t i = 0; i < n; i++)
		if (files[i] == qid)
			return true;
	return false;
}
