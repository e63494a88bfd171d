/*
 * penalty: a table of SETS x WAYS rows. A row's key is a keyed hash of what it
 * stands for; a set holds the rows whose key leads there, the one unused
 * longest gives way.
 */
#include "auth/penalty.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "lib/hash.h"
#include "lib/limits.h"

enum {
	SETS = 2048,
	WAYS = 8,
	RECENT = 8, /* passwords remembered a row */
};

struct row {
	uint64_t key; /* 0: free */
	int64_t used; /* seconds; also the start of the current half-life */
	uint32_t count;
	uint32_t nrecent;
	uint32_t wrong; /* bit i: recent[i] is wrong by today's map */
	uint64_t recent[RECENT]; /* keyed hashes, a ring */
};

static struct row table[SETS][WAYS];

/* Hash of several parts, no part able to run into the next. */
static uint64_t
key_of(char kind, struct span a, struct span b)
{
	uint64_t parts[3] = { (uint64_t)kind, hash_keyed(a), hash_keyed(b) };
	uint64_t key = hash_keyed(span_of(parts, sizeof(parts)));

	return key == 0 ? 1 : key;
}

/* "192.0.2.1" is itself, an IPv6 address its /64, anything else itself. */
static uint64_t
network_key(struct span remote)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr six;
	size_t n = 8;

	if (span_has(remote, ':') &&
	    span_copy(text, sizeof(text), remote) == 0 &&
	    inet_pton(AF_INET6, text, &six) == 1) {
		if (IN6_IS_ADDR_V4MAPPED(&six))
			n = sizeof(six);
		return key_of('n', span_of(six.s6_addr, n), SPAN_NONE);
	}
	return key_of('n', remote, SPAN_NONE);
}

static void
age(struct row *r, int64_t now)
{
	int64_t halves;

	if (now <= r->used)
		return;
	halves = (now - r->used) / AUTH_HALF_LIFE;
	if (halves == 0)
		return;
	r->count = halves >= 32 ? 0 : r->count >> halves;
	if (r->count == 0)
		r->nrecent = 0;
	r->used += halves * AUTH_HALF_LIFE;
}

static struct row *
row_find(uint64_t key, int64_t now)
{
	struct row *set = table[key % SETS];

	for (size_t i = 0; i < WAYS; i++)
		if (set[i].key == key) {
			age(&set[i], now);
			return &set[i];
		}
	return NULL;
}

static struct row *
row_get(uint64_t key, int64_t now)
{
	struct row *set = table[key % SETS], *r = row_find(key, now);

	if (r != NULL)
		return r;
	r = &set[0];
	for (size_t i = 0; i < WAYS && r->key != 0; i++)
		if (set[i].key == 0 || set[i].used < r->used)
			r = &set[i];
	*r = (struct row){ .key = key, .used = now };
	return r;
}

static unsigned
count_of(uint64_t key, int64_t now)
{
	const struct row *r = row_find(key, now);

	return r == NULL ? 0 : r->count;
}

/* Where the row has this password; RECENT: nowhere. */
static size_t
recent_find(const struct row *r, uint64_t password)
{
	for (size_t i = 0; i < RECENT && i < r->nrecent; i++)
		if (r->recent[i] == password)
			return i;
	return RECENT;
}

/* Counts the password unless it is one of the last few. */
static unsigned
count_add(uint64_t key, uint64_t password, int64_t now)
{
	struct row *r = row_get(key, now);
	size_t i = recent_find(r, password);

	if (i != RECENT) {
		r->wrong |= 1u << i;
		return r->count;
	}
	i = r->nrecent++ % RECENT;
	r->recent[i] = password;
	r->wrong |= 1u << i;
	if (r->count == 0)
		r->used = now;
	if (r->count < UINT32_MAX)
		r->count++;
	return r->count;
}

/* The pair: one word tried on many names is many guesses. */
static uint64_t
guess_mark(struct span name, struct span password)
{
	return key_of('p', name, password);
}

static uint64_t
known_key(struct span remote, struct span name)
{
	uint64_t network = network_key(remote);

	return key_of('k', span_of(&network, sizeof(network)), name);
}

void
penalty_look(struct span remote, struct span name, int64_t now,
    struct penalty *p)
{
	p->network = count_of(network_key(remote), now);
	p->account = count_of(key_of('a', name, SPAN_NONE), now);
	p->known = count_of(known_key(remote, name), now) != 0;
}

void
penalty_add(struct span remote, struct span name, struct span password,
    int64_t now, struct penalty *p)
{
	uint64_t mark = guess_mark(name, password);

	p->network = count_add(network_key(remote), mark, now);
	p->account = count_add(key_of('a', name, SPAN_NONE), mark, now);
}

void
penalty_good(struct span remote, struct span name, int64_t now)
{
	struct row *r = row_get(known_key(remote, name), now);

	r->count = UINT32_MAX; /* halves away in some eight hours */
	r->used = now;
}

bool
penalty_was_wrong(struct span name, struct span password, int64_t now)
{
	const struct row *r = row_find(key_of('a', name, SPAN_NONE), now);
	size_t i;

	if (r == NULL)
		return false;
	i = recent_find(r, guess_mark(name, password));
	return i != RECENT && (r->wrong >> i & 1) != 0;
}

void
penalty_new_map(void)
{
	for (size_t i = 0; i < SETS; i++)
		for (size_t k = 0; k < WAYS; k++)
			table[i][k].wrong = 0;
}

void
penalty_reset(void)
{
	memset(table, 0, sizeof(table));
}
