/*
 * wait: who waits, in the order of times, found by id; against a model that
 * is a plain list.
 */
#include "queue/wait.c" /* not in the library: it is the queue's own */

#include <stdio.h>
#include <string.h>

#include "t/unit/tap.h"

#define NOW INT64_C(1800000000)

enum { IDS = 400, STEPS = 40000, TAGS = 5 };

static struct {
	int64_t next;
	bool is, held;
	uint32_t tag;
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
tags_as_model(void)
{
	size_t count[TAGS] = { 0 };

	for (size_t i = 0; i < IDS; i++)
		if (model[i].is)
			count[model[i].tag]++;
	for (uint32_t tag = 0; tag < TAGS; tag++)
		if (wait_tagged(tag) != count[tag])
			return false;
	return true;
}

/* All of a tag that wait for later are due now. */
static bool
hurry(uint32_t tag, int64_t now)
{
	size_t hurried = 0;

	for (size_t i = 0; i < IDS; i++)
		if (model[i].is && !model[i].held && model[i].next > now &&
		    (tag == 0 || model[i].tag == tag)) {
			model[i].next = now;
			hurried++;
		}
	return wait_hurry(tag, SIZE_MAX, now) == hurried;
}

static bool
step(void)
{
	size_t i = dice(IDS);
	uint32_t tag = (uint32_t)dice(TAGS);
	uint64_t qid;
	int64_t now;

	switch (dice(8)) {
	case 0: case 1: case 2: case 3:
		model[i].next = NOW + (int64_t)dice(100);
		model[i].held = dice(10) == 0;
		if (tag != 0 || !model[i].is)
			model[i].tag = tag;
		model[i].is = true;
		wait_add(id_of(i), model[i].next, model[i].held, tag);
		return true;
	case 4: case 5:
		if (wait_drop(id_of(i)) != model[i].is)
			return false;
		model[i].is = false;
		return true;
	default:
		now = NOW + (int64_t)dice(100);
		if (dice(100) == 0)
			return hurry(tag, now);
		if ((qid = wait_take(now, &tag)) == 0)
			return wait_first() > now;
		i = (size_t)((qid - 1) / UINT64_C(0x100000001));
		if (!model[i].is || model[i].held || model[i].next > now ||
		    model[i].tag != tag)
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
			good = good && heap_is_sound() && same_as_model() &&
			    tags_as_model();
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
	uint32_t tag;
	bool held = true;

	ok(wait_first() == INT64_MAX && wait_take(NOW, &tag) == 0,
	    "nobody waits at first");
	wait_add(7, NOW + 10, false, 0);
	ok(wait_first() == NOW + 10 && wait_take(NOW + 9, &tag) == 0,
	    "not before its time");
	wait_add(7, NOW + 5, false, 0);
	ok(wait_count() == 1 && wait_first() == NOW + 5,
	    "who waits already gets a new time");
	wait_add(8, 0, true, 0);
	ok(wait_take(NOW + 5, &tag) == 7 && wait_take(INT64_MAX - 1, &tag) == 0 &&
	    wait_first() == INT64_MAX, "what is held has no time");
	ok(wait_find(8, &held) != -1 && held, "but is there");
	ok(wait_find(9, &held) == -1 && !wait_drop(9), "an unknown id is not");
	ok(wait_drop(8) && wait_count() == 0, "it goes");
	wait_add(1, 0, false, 0);
	wait_add(2, INT64_MAX, false, 0);
	wait_add(3, INT64_MIN / 2, false, 0);
	ok(wait_take(NOW, &tag) != 0 && wait_take(NOW, &tag) != 0 && wait_take(NOW, &tag) == 0,
	    "times out of range are the nearest in it");
	ok(wait_drop(2), "the far one waits");
}

static void
test_hurry(void)
{
	uint32_t tag = 0;
	bool held;

	for (uint64_t i = 1; i <= 10; i++)
		wait_add(i, NOW + 100 + (int64_t)i, i == 10, i % 2 == 0);
	ok(wait_hurry(1, 2, NOW) == 2 && wait_first() == NOW &&
	    wait_take(NOW, &tag) != 0 && wait_take(NOW, &tag) != 0 &&
	    wait_take(NOW, &tag) == 0 && tag == 1, "two of them are due now");
	ok(wait_hurry(1, SIZE_MAX, NOW) == 2 && wait_tagged(1) == 3,
	    "all others that are not held");
	wait_add(10, NOW, true, 0);
	ok(wait_tagged(1) == 3 && wait_find(10, &held) == NOW && held,
	    "a new time keeps the tag");
	ok(wait_hurry(0, SIZE_MAX, NOW) == 5, "all, whatever their tag");
	while (wait_take(NOW, &tag) != 0)
		;
	ok(wait_drop(10) && wait_tagged(1) == 0 && wait_tagged(0) == 0 &&
	    wait_tagged(1000) == 0, "and none is left");
}

static void
test_many(void)
{
	bool held, good = true;
	uint32_t tag;

	for (uint64_t i = 0; i < 200000; i++)
		wait_add(i << 10 | (i & 7), NOW + (int64_t)(i * 7919 % 86400),
		    false, 0);
	for (uint64_t i = 0; i < 200000; i += 1000)
		good = good && wait_find(i << 10 | (i & 7), &held) != -1;
	ok(good && heap_is_sound(), "two hundred thousand, each is found");
	for (int64_t at = NOW, last = 0; wait_count() > 0; last = at) {
		at = wait_first();
		good = good && at >= last && wait_take(at, &tag) != UINT64_MAX;
	}
	ok(good, "and they come in order");
	ok(sizeof(struct row) == 24, "a row is twenty-four bytes");
}

int
main(void)
{
	test_times();
	test_model();
	test_hurry();
	test_many();
	free(heap);
	free(slots);
	free(tagged);
	return done();
}
