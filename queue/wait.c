/*
 * wait: a binary heap by time. Times are seconds after the first of January
 * 2020 in 31 bits (until 2088); the top bit says held, and sorts behind all.
 */
#include "queue/wait.h"

#include "lib/die.h"

#define EPOCH 1577836800
#define HELD 0x80000000u

struct row { /* packed: a million of them is the point */
	uint64_t qid;
	uint32_t at;
};

static struct row *heap;
static size_t n, cap;

static uint32_t
pack(int64_t next, bool held)
{
	int64_t at = next - EPOCH;

	if (at < 0)
		at = 0;
	if (at > (int64_t)(HELD - 1))
		at = (int64_t)(HELD - 1);
	return (uint32_t)at | (held ? HELD : 0);
}

static int64_t
unpack(uint32_t at, bool *held)
{
	*held = (at & HELD) != 0;
	return (int64_t)(at & ~HELD) + EPOCH;
}

static void
sift_up(size_t i)
{
	struct row r = heap[i];

	while (i > 0 && heap[(i - 1) / 2].at > r.at) {
		heap[i] = heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	heap[i] = r;
}

static void
sift_down(size_t i)
{
	struct row r = heap[i];
	size_t child;

	while ((child = 2 * i + 1) < n) {
		if (child + 1 < n && heap[child + 1].at < heap[child].at)
			child++;
		if (heap[child].at >= r.at)
			break;
		heap[i] = heap[child];
		i = child;
	}
	heap[i] = r;
}

void
wait_add(uint64_t qid, int64_t next, bool held)
{
	if (n == cap) {
		cap = cap == 0 ? 256 : cap + cap / 2;
		heap = xreallocarray(heap, cap, sizeof(*heap));
	}
	heap[n] = (struct row){ qid, pack(next, held) };
	sift_up(n++);
}

static void
drop_at(size_t i)
{
	heap[i] = heap[--n];
	if (i < n) {
		sift_down(i);
		sift_up(i);
	}
}

uint64_t
wait_take(int64_t now)
{
	uint64_t qid;

	if (wait_first() > now)
		return 0;
	qid = heap[0].qid;
	drop_at(0);
	return qid;
}

int64_t
wait_first(void)
{
	int64_t at;
	bool held;

	if (n == 0)
		return INT64_MAX;
	at = unpack(heap[0].at, &held);
	return held ? INT64_MAX : at;
}

size_t
wait_count(void)
{
	return n;
}

static size_t
find(uint64_t qid)
{
	size_t i = 0;

	while (i < n && heap[i].qid != qid)
		i++;
	return i;
}

int64_t
wait_find(uint64_t qid, bool *held)
{
	size_t i = find(qid);

	return i == n ? -1 : unpack(heap[i].at, held);
}

bool
wait_drop(uint64_t qid)
{
	size_t i = find(qid);

	if (i == n)
		return false;
	drop_at(i);
	return true;
}

uint64_t
wait_at(size_t i, int64_t *next, bool *held)
{
	*next = unpack(heap[i].at, held);
	return heap[i].qid;
}
