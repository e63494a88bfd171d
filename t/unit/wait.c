/*
 * wait: who waits, in the order of times, found by id; against a model that
 * is a plain list.
 */
#include "queue/wait.c" /* not in the library: it is the queue's own */

#include <stdio.h>
#include <string.h>

#include "t/unit/tap.h"

#define NOW INT64_C(1800000000)

enum { IDS = 400, STEPS = 40000 };

static struct {
	int64_t next;
	bool is, held;
} model[IDS];

static uint64_t seed = 1;

static uint64_t
dice(uint64_t sides)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (seed >> 33) % sides;
}

/* Ids that fall on each other in the index, too: few low bits differ. */
static uint64_t
id_of(size_t i)
{
	return 1 + i * UINT64_C(0x100000001);
}

static bool
heap_is_sound(void)
{
	size_t used = 0;

	for (size_t i = 0; i < n; i++) {
		if (i > 0 && heap[(i - 1) / 2].at > heap[i].at)
			return false;
		if (slots[heap[i].slot] != i + 1 ||
		    slot_of(heap[i].qid) != heap[i].slot)
			return false;
	}
	for (size_t s = 0; s < nslots; s++)
		used += slots[s] != 0;
	return used == n;
}

static bool
same_as_model(void)
{
	size_t count = 0;
	int64_t next, first = INT64_MAX;
	bool held = false;

	for (size_t i = 0; i < IDS; i++) {
		next = wait_find(id_of(i), &held);
		if ((next != -1) != model[i].is)
			return false;
		if (!model[i].is)
			continue;
		count++;
		if (next != model[i].next || held != model[i].held)
			return false;
		if (!held && next < first)
			first = next;
	}
	return count == wait_count() && first == wait_first();
}

static bool
step(void)
{
	size_t i = dice(IDS);
	uint64_t qid;
	int64_t now;

	switch (dice(8)) {
	case 0: case 1: case 2: case 3:
		model[i].next = NOW + (int64_t)dice(100);
		model[i].held = dice(10) == 0;
		model[i].is = true;
		wait_add(id_of(i), model[i].next, model[i].held);
		return true;
	case 4: case 5:
		if (wait_drop(id_of(i)) != model[i].is)
			return false;
		model[i].is = false;
		return true;
	default:
		now = NOW + (int64_t)dice(100);
		if ((qid = wait_take(now)) == 0)
			return wait_first() > now;
		i = (size_t)((qid - 1) / UINT64_C(0x100000001));
		if (!model[i].is || model[i].held || model[i].next > now)
			return false;
		model[i].is = false;
		return true;
	}
}

static void
test_model(void)
{
	bool good = true;

	for (int k = 0; k < STEPS && good; k++) {
		good = step();
		if (k % 100 == 0)
			good = good && heap_is_sound() && same_as_model();
	}
	ok(good, "adds, drops and takes in any order are a model's");
	while (wait_count() > 0) {
		int64_t next;
		bool held;
		(void)wait_drop(wait_at(dice(wait_count()), &next, &held));
		good = good && heap_is_sound();
	}
	ok(good, "and it empties");
}

static void
test_times(void)
{
	bool held = true;

	ok(wait_first() == INT64_MAX && wait_take(NOW) == 0,
	    "nobody waits at first");
	wait_add(7, NOW + 10, false);
	ok(wait_first() == NOW + 10 && wait_take(NOW + 9) == 0,
	    "not before its time");
	wait_add(7, NOW + 5, false);
	ok(wait_count() == 1 && wait_first() == NOW + 5,
	    "who waits already gets a new time");
	wait_add(8, 0, true);
	ok(wait_take(NOW + 5) == 7 && wait_take(INT64_MAX - 1) == 0 &&
	    wait_first() == INT64_MAX, "what is held has no time");
	ok(wait_find(8, &held) != -1 && held, "but is there");
	ok(wait_find(9, &held) == -1 && !wait_drop(9), "an unknown id is not");
	ok(wait_drop(8) && wait_count() == 0, "it goes");
	wait_add(1, 0, false);
	wait_add(2, INT64_MAX, false);
	wait_add(3, INT64_MIN / 2, false);
	ok(wait_take(NOW) != 0 && wait_take(NOW) != 0 && wait_take(NOW) == 0,
	    "times out of range are the nearest in it");
	ok(wait_drop(2), "the far one waits");
}

static void
test_many(void)
{
	bool held, good = true;

	for (uint64_t i = 0; i < 200000; i++)
		wait_add(i << 10 | (i & 7), NOW + (int64_t)(i * 7919 % 86400),
		    false);
	for (uint64_t i = 0; i < 200000; i += 1000)
		good = good && wait_find(i << 10 | (i & 7), &held) != -1;
	ok(good && heap_is_sound(), "two hundred thousand, each is found");
	for (int64_t at = NOW, last = 0; wait_count() > 0; last = at) {
		at = wait_first();
		good = good && at >= last && wait_take(at) != UINT64_MAX;
	}
	ok(good, "and they come in order");
	ok(sizeof(struct row) == 16, "a row is sixteen bytes");
}

int
main(void)
{
	test_times();
	test_model();
	test_many();
	free(heap);
	free(slots);
	return done();
}
