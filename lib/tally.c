/*
 * tally: the mapping is
 *
 *	struct head	the hash key, made by whoever comes first
 *	column 0	struct column, written by process 0 only
 *	column 1 ...
 *
 * A cell is one 64-bit word, read by others while its owner writes it:
 * minute (32 bits), events of the minute before (16), of this one (16); of
 * TALLY_CONNECTED simply the number. Rates slide: a share of the minute
 * before counts, as much of it as lies within the last 60 seconds.
 */
#include "lib/tally.h"

#include <sys/mman.h>

#include <netinet/in.h>

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include "lib/hash.h"

enum {
	CELLS = 8192, /* of one kind, in one column */
	HASHES = 2,
	COUNT_MAX = 0xffff,
	MINUTE = 60,
};

struct head {
	_Atomic uint64_t key;
	char unused[56];
};

struct column {
	_Atomic uint64_t used; /* 0: nobody wrote here yet */
	_Atomic uint64_t cell[TALLY_KINDS][CELLS];
};

static struct {
	struct head *head; /* NULL: not open, all is zero */
	struct column *column;
	unsigned index, count;
} t;

size_t
tally_size(unsigned count)
{
	return sizeof(struct head) + count * sizeof(struct column);
}

static void
make_key(void)
{
	uint64_t mine, none = 0;

	random_bytes(&mine, sizeof(mine));
	atomic_compare_exchange_strong(&t.head->key, &none, mine | 1);
}

int
tally_open(int fd, unsigned index, unsigned count)
{
	void *p;
	int kind, i;

	assert(index < count);
	p = mmap(
	    NULL, tally_size(count), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return -1;
	if (t.head != NULL)
		munmap(t.head, tally_size(t.count));
	t.head = p;
	t.column = (void *)(t.head + 1);
	t.index = index;
	t.count = count;
	make_key();
	/* A fresh column is zero; to write it would cost its memory. */
	if (atomic_exchange(&t.column[index].used, 1) == 0)
		return 0;
	for (kind = 0; kind < TALLY_KINDS; kind++)
		for (i = 0; i < CELLS; i++)
			atomic_store(&t.column[index].cell[kind][i], 0);
	return 0;
}

struct span
tally_network(const struct sockaddr *sa)
{
	const struct sockaddr_in *v4 = (const void *)sa;
	const struct sockaddr_in6 *v6 = (const void *)sa;
	const unsigned char *ip;

	if (sa->sa_family == AF_INET)
		return span_of(&v4->sin_addr, 4);
	if (sa->sa_family != AF_INET6)
		return SPAN("local");
	ip = v6->sin6_addr.s6_addr;
	if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
		return span_of(ip + 12, 4);
	return span_of(ip, 8);
}

static uint64_t
cell_of(uint64_t minute, uint64_t before, uint64_t now)
{
	return minute << 32 | before << 16 | now;
}

/* The cell as it looks in this minute. */
static uint64_t
slide(uint64_t cell, uint64_t minute)
{
	uint64_t then = cell >> 32;

	if (then == minute)
		return cell;
	if (then + 1 == minute)
		return cell_of(minute, cell & COUNT_MAX, 0);
	return cell_of(minute, 0, 0);
}

static uint64_t
bumped(enum tally_kind kind, uint64_t cell, int delta, int64_t wall)
{
	int64_t n;

	if (kind == TALLY_CONNECTED) {
		n = (int64_t)cell + delta;
		return n < 0 ? 0 : (uint64_t)n;
	}
	cell = slide(cell, (uint64_t)wall / MINUTE);
	n = (int64_t)(cell & COUNT_MAX) + delta;
	if (n < 0)
		n = 0;
	if (n > COUNT_MAX)
		n = COUNT_MAX;
	return (cell & ~(uint64_t)COUNT_MAX) | (uint64_t)n;
}

static uint64_t
value(enum tally_kind kind, uint64_t cell, int64_t wall)
{
	uint64_t left = MINUTE - (uint64_t)wall % MINUTE;

	if (kind == TALLY_CONNECTED)
		return cell;
	cell = slide(cell, (uint64_t)wall / MINUTE);
	return (cell & COUNT_MAX) + (cell >> 16 & COUNT_MAX) * left / MINUTE;
}

/* What all processes together counted in cell i. */
static uint64_t
sum(enum tally_kind kind, size_t i, int64_t wall)
{
	uint64_t n = 0;
	unsigned c;

	for (c = 0; c < t.count; c++)
		n += value(kind, atomic_load(&t.column[c].cell[kind][i]), wall);
	return n;
}

uint32_t
tally_add(enum tally_kind kind, struct span client, int delta, int64_t wall)
{
	uint64_t h, n, least = UINT32_MAX;
	size_t i, k, other = CELLS;
	_Atomic uint64_t *cell;

	if (t.head == NULL)
		return 0;
	h = hash_plain64(client, atomic_load(&t.head->key));
	for (k = 0; k < HASHES; k++, h >>= 32) {
		i = h % CELLS;
		cell = &t.column[t.index].cell[kind][i];
		if (delta != 0 && i != other)
			atomic_store(
			    cell, bumped(kind, atomic_load(cell), delta, wall));
		other = i;
		n = sum(kind, i, wall);
		if (n < least)
			least = n;
	}
	return (uint32_t)least;
}
