/*
 * admit: see admit.h.
 */
#include "queue/admit.h"

#include "lib/log.h"
#include "lib/resolve.h"
#include "queue/allowance.h"
#include "queue/queue.h"
#include "queue/replies.h"
#include "queue/store.h"

enum { ADDRESSES_MAX = 16 * 1024 * 1024 }; /* bytes of final ones */

/* Large; one is in use at a time. */
static struct spool_final finals[SPOOL_FINAL_MAX];
static struct resolved_list list;
static struct buf front = { .max = SPOOL_HEAD + SPOOL_ENVELOPE_MAX };

/*
 * Fills finals from e's recipients: aliases followed, duplicates gone. How
 * many, or 0 and why not. A recipient unknown by now stays: it fails at
 * delivery, and its sender hears of it.
 */
static size_t
resolve(const struct envelope *e, const struct reply **why)
{
	const char *reason = NULL;
	size_t n = 0, before, added;

	list.n = 0;
	buf_clear(&list.mem);
	for (uint32_t i = 0; i < e->nrcpt; i++) {
		if (n == SPOOL_FINAL_MAX) {
			*why = &R_WIDE;
			return 0;
		}
		before = list.n;
		switch (resolve_all(
		    queue.conf, &queue.maps, e->rcpt[i], &list, &reason)) {
		case RESOLVE_ERROR:
			log_begin(LL_ERROR, "resolve");
			log_span("to", e->rcpt[i]);
			log_str("why", reason);
			log_end();
			*why = &R_MAPS;
			return 0;
		case RESOLVE_UNKNOWN:
			finals[n++] = (struct spool_final){ i, e->rcpt[i] };
			continue;
		default:
			added = list.n - before;
			break;
		}
		if (added > SPOOL_FINAL_MAX - n) { /* all of them, or none */
			*why = &R_WIDE;
			return 0;
		}
		for (; added > 0; added--)
			finals[n++] = (struct spool_final){ .from = i };
	}
	return n;
}

/* The list's memory moves while it grows: addresses are taken at the end. */
static void
fill_addresses(size_t n)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		if (finals[i].address.p == NULL)
			finals[i].address = list.rcpt[k++].address;
}

static size_t
recipients(const struct envelope *e, const struct reply **why)
{
	size_t n;

	n = resolve(e, why);
	fill_addresses(n);
	if (n == 0 && *why == NULL)
		*why = &R_MAPS;
	return n;
}

/* size: of the body, as far as it is there. */
static const struct reply *
admit(const struct envelope *e, bool whole, uint64_t size, uint32_t crc,
    struct admitted *out)
{
	const struct reply *why;

	if ((why = allowance_check(e)) != NULL)
		return why;
	if ((out->n = recipients(e, &why)) == 0)
		return why;
	buf_clear(&front);
	spool_front_encode(&front, e, finals, out->n, whole, size, crc);
	if (front.bad)
		return &R_WIDE;
	out->final = finals;
	out->front = buf_get(&front);
	return NULL;
}

const struct reply *
admit_whole(
    const struct envelope *e, uint64_t size, uint32_t crc, struct admitted *out)
{
	if (!store_has_room(size))
		return &R_SPACE;
	return admit(e, true, size, crc, out);
}

const struct reply *
admit_unfinished(
    const struct envelope *e, uint64_t size_hint, struct admitted *out)
{
	if (!store_has_room(size_hint))
		return &R_SPACE;
	return admit(e, false, 0, 0, out);
}

void
admit_init(void)
{
	list.mem.max = ADDRESSES_MAX;
}
