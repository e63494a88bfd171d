/*
 * known: a table of hashes; who comes later takes the place of who was there.
 */
#include "dns/known.h"

#include <string.h>

#include "lib/hash.h"
#include "lib/loop.h"

enum { PLACES = 16384 };

static struct {
	uint64_t key;   /* 0: free */
	uint64_t until; /* loop_now() */
} known[PLACES];

static uint64_t
key_of(uint32_t type, struct span name)
{
	uint64_t key = hash_keyed(name) + type;

	return key == 0 ? 1 : key;
}

void
known_note(uint32_t type, struct span name, uint32_t ttl)
{
	uint64_t key = key_of(type, name);

	known[key % PLACES].key = key;
	known[key % PLACES].until = loop_now() + (uint64_t)ttl * 1000;
}

bool
known_is(uint32_t type, struct span name)
{
	uint64_t key = key_of(type, name);

	return known[key % PLACES].key == key &&
	    loop_now() < known[key % PLACES].until;
}

void
known_forget_all(void)
{
	memset(known, 0, sizeof(known));
}
