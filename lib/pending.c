/*
 * pending: questions to a peer that wait for an answer.
 *
 * An id is generation << 16 | index. Invariant: a slot is on the free list
 * exactly when it has no owner.
 */
#include "lib/pending.h"

#include <assert.h>
#include <stdlib.h>

#include "lib/die.h"

uint32_t
pending_add(struct pending *p, void *owner)
{
	struct pending_slot *s;
	uint32_t i;

	assert(owner != NULL);
	if (p->free != 0) {
		i = p->free - 1;
		p->free = p->slot[i].next;
	} else {
		if (p->n == PENDING_MAX)
			return 0;
		if (p->n == p->cap) {
			p->cap = p->cap != 0 ? p->cap * 2 : 64;
			p->slot =
			    xreallocarray(p->slot, p->cap, sizeof(*p->slot));
		}
		i = (uint32_t)p->n++;
		p->slot[i] = (struct pending_slot){ 0 };
	}
	s = &p->slot[i];
	s->owner = owner;
	s->generation = (s->generation + 1) & 0xffff;
	if (s->generation == 0)
		s->generation = 1;
	p->waiting++;
	return s->generation << 16 | i;
}

static void *
release(struct pending *p, uint32_t i)
{
	struct pending_slot *s = &p->slot[i];
	void *owner = s->owner;

	s->owner = NULL;
	s->next = p->free;
	p->free = i + 1;
	p->waiting--;
	return owner;
}

void *
pending_take(struct pending *p, uint32_t id)
{
	uint32_t i = id & 0xffff;

	if (i >= p->n || p->slot[i].owner == NULL ||
	    p->slot[i].generation != id >> 16)
		return NULL;
	return release(p, i);
}

void *
pending_take_any(struct pending *p)
{
	uint32_t i;

	for (i = 0; p->waiting > 0 && i < p->n; i++)
		if (p->slot[i].owner != NULL)
			return release(p, i);
	return NULL;
}

void
pending_fini(struct pending *p)
{
	free(p->slot);
	*p = (struct pending){ 0 };
}
