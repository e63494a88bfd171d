/*
 * dead: a table without chains. Two addresses may share a row: then the
 * later one is remembered. The hash is keyed, so nobody can choose that.
 */
#include "relay/dead.h"

#include "lib/hash.h"
#include "lib/loop.h"
#include "relay/target.h"

static struct {
	uint64_t hash, until;
} dead[RELAY_DEAD_MAX];

static uint64_t
hash_of(const struct target *t)
{
	return hash_keyed(span_of(&t->ss, t->len));
}

bool
dead_is(const struct target *t)
{
	uint64_t h = hash_of(t);

	return t->len > 0 && dead[h % RELAY_DEAD_MAX].hash == h &&
	    dead[h % RELAY_DEAD_MAX].until > loop_now();
}

void
dead_note(const struct target *t)
{
	uint64_t h = hash_of(t);

	if (t->len == 0) /* a local socket */
		return;
	dead[h % RELAY_DEAD_MAX].hash = h;
	dead[h % RELAY_DEAD_MAX].until = loop_now() + RELAY_DEAD_MS;
}

void
dead_forget(const struct target *t)
{
	uint64_t h = hash_of(t);

	if (dead[h % RELAY_DEAD_MAX].hash == h)
		dead[h % RELAY_DEAD_MAX].until = 0;
}
