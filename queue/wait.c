/*
 * wait: a binary heap by time, and an index by queue id. Times are seconds
 * after the first of January 2020 in 31 bits (until 2088); the top bit says
 * held, and sorts behind all.
 *
 * The index is an open hash table with linear probing of places in the heap;
 * it is at most half full, and has no tombstones: rows move up when one goes.
 * Invariants: slot[heap[i].slot] == i + 1 for each row; 0 is a free slot.
 */
#include "queue/wait.h"

#include <stdlib.h>
#include <string.h>

#include "lib/die.h"
#include "lib/hash.h"

#define EPOCH 1577836800
#define HELD 0x80000000u

struct row { /* packed: a million of them is the point */
	uint64_t qid;
	uint32_t at;
	uint32_t slot; /* in the index */
	uint32_t tag;
};

static struct row *heap;
static uint32_t *slots;
static size_t n, cap, nslots; /* nslots: a power of two, or 0 */
static uint32_t *tagged;      /* rows of each tag */
static size_t ntagged;

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

/* --- the index --------------------------------------------------------- */

static size_t
home(uint64_t qid)
{
	return hash_plain64(span_of(&qid, sizeof(qid)), 0) & (nslots - 1);
}

/* The slot of qid, or the free one where it would be. */
static size_t
slot_of(uint64_t qid)
{
	size_t s = home(qid);

	while (slots[s] != 0 && heap[slots[s] - 1].qid != qid)
		s = (s + 1) & (nslots - 1);
	return s;
}

static void
index_grow(void)
{
	free(slots);
	nslots = nslots == 0 ? 512 : 2 * nslots;
	slots = xcalloc(nslots, sizeof(*slots));
	for (size_t i = 0; i < n; i++) {
		heap[i].slot = (uint32_t)slot_of(heap[i].qid);
		slots[heap[i].slot] = (uint32_t)i + 1;
	}
}

/* Frees slot s, and closes the gap: no row may stand behind a free slot. */
static void
index_drop(size_t s)
{
	size_t next = s, from, mask = nslots - 1;

	for (;;) {
		slots[s] = 0;
		do {
			next = (next + 1) & mask;
			if (slots[next] == 0)
				return;
			from = home(heap[slots[next] - 1].qid);
			/* It may stay if its home is in (s, next]. */
		} while (((next - from) & mask) < ((next - s) & mask));
		slots[s] = slots[next];
		heap[slots[s] - 1].slot = (uint32_t)s;
		s = next;
	}
}

/* --- the heap ---------------------------------------------------------- */

static void
put(size_t i, struct row r)
{
	heap[i] = r;
	slots[r.slot] = (uint32_t)i + 1;
}

static void
sift_up(size_t i, struct row r)
{
	while (i > 0 && heap[(i - 1) / 2].at > r.at) {
		put(i, heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	put(i, r);
}

static void
sift_down(size_t i, struct row r)
{
	size_t child;

	while ((child = 2 * i + 1) < n) {
		if (child + 1 < n && heap[child + 1].at < heap[child].at)
			child++;
		if (heap[child].at >= r.at)
			break;
		put(i, heap[child]);
		i = child;
	}
	put(i, r);
}

static void
sift(size_t i, struct row r)
{
	if (i > 0 && heap[(i - 1) / 2].at > r.at)
		sift_up(i, r);
	else
		sift_down(i, r);
}

static size_t
find(uint64_t qid)
{
	size_t s;

	if (nslots == 0 || slots[s = slot_of(qid)] == 0)
		return n;
	return slots[s] - 1;
}

static void
tag_count(uint32_t tag, int change)
{
	size_t more;

	if (tag >= ntagged) {
		more = tag + 1 > 2 * ntagged ? tag + 1 : 2 * ntagged;
		tagged = xreallocarray(tagged, more, sizeof(*tagged));
		memset(tagged + ntagged, 0, (more - ntagged) * sizeof(*tagged));
		ntagged = more;
	}
	tagged[tag] += (uint32_t)change;
}

size_t
wait_tagged(uint32_t tag)
{
	return tag < ntagged ? tagged[tag] : 0;
}

/* It is there already: it has another time now. */
static void
renew(size_t i, struct row r)
{
	r.slot = heap[i].slot;
	if (r.tag == 0)
		r.tag = heap[i].tag;
	tag_count(heap[i].tag, -1);
	tag_count(r.tag, 1);
	sift(i, r);
}

void
wait_add(uint64_t qid, int64_t next, bool held, uint32_t tag)
{
	struct row r = { .qid = qid, .at = pack(next, held), .tag = tag };
	size_t i = find(qid);

	if (i < n) {
		renew(i, r);
		return;
	}
	if (n == cap) {
		cap = cap == 0 ? 256 : cap + cap / 2;
		heap = xreallocarray(heap, cap, sizeof(*heap));
	}
	if (2 * (n + 1) > nslots)
		index_grow();
	r.slot = (uint32_t)slot_of(qid);
	tag_count(tag, 1);
	sift_up(n++, r);
}

static void
drop_at(size_t i)
{
	tag_count(heap[i].tag, -1);
	index_drop(heap[i].slot);
	if (i < --n)
		sift(i, heap[n]);
}

uint64_t
wait_take(int64_t now, uint32_t *tag)
{
	uint64_t qid;

	if (wait_first() > now)
		return 0;
	qid = heap[0].qid;
	*tag = heap[0].tag;
	drop_at(0);
	return qid;
}

/* What moves down as a row goes up has been looked at: one pass is enough. */
size_t
wait_hurry(uint32_t tag, size_t max, int64_t now)
{
	uint32_t at = pack(now, false);
	size_t done = 0;
	struct row r;

	for (size_t i = 0; i < n && done < max; i++) {
		r = heap[i];
		if ((tag != 0 && r.tag != tag) || r.at <= at ||
		    (r.at & HELD) != 0)
			continue;
		r.at = at;
		sift_up(i, r);
		done++;
	}
	return done;
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
