/*
 * numbers: what a sequence set means in the folder that is open. UIDs that
 * are not there are no error (RFC 3501 6.4.8), message numbers are.
 */
#include <stdlib.h>

#include "imapd/session.h"
#include "lib/die.h"
#include "lib/imap_set.h"
#include "lib/mailbox.h"

static void
add_range(struct numbers *out, size_t *cap, uint32_t lo, uint32_t hi)
{
	for (uint32_t seq = lo; seq <= hi && seq != 0; seq++) {
		if (out->n == *cap) {
			*cap = *cap == 0 ? 16 : *cap * 2;
			out->seq = xreallocarray(out->seq, *cap,
			    sizeof(*out->seq));
		}
		out->seq[out->n++] = seq;
	}
}

static uint32_t
last_uid(const struct mailbox *box)
{
	uint32_t count = mailbox_count(box);

	return count == 0 ? 0 : mailbox_msg(box, count)->uid;
}

static void
by_uid(struct mailbox *box, struct imap_set *set, struct numbers *out)
{
	uint32_t lo, hi;
	size_t i, cap = 0;

	imap_set_resolve(set, last_uid(box));
	for (i = 0; i < set->n; i++) {
		lo = mailbox_seq_from(box, set->range[i].lo);
		hi = mailbox_seq_from(box, set->range[i].hi);
		if (hi > mailbox_count(box) ||
		    mailbox_msg(box, hi)->uid > set->range[i].hi)
			hi--;
		add_range(out, &cap, lo, hi);
	}
}

/* "1:*" of an empty folder is nothing, not an error: all clients ask it. */
static bool
is_open(const struct imap_set *set)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->range[i].hi != UINT32_MAX)
			return false;
	return true;
}

static const struct imap_reply *
by_number(struct mailbox *box, struct imap_set *set, struct numbers *out)
{
	uint32_t count = mailbox_count(box);
	size_t i, cap = 0;

	if (!imap_set_within(set, count) && !(count == 0 && is_open(set)))
		return &A_BAD_SET;
	imap_set_resolve(set, count);
	for (i = 0; i < set->n; i++)
		add_range(out, &cap, set->range[i].lo, set->range[i].hi);
	return NULL;
}

const struct imap_reply *
numbers_take(struct session *s, struct span *in, bool uid,
    struct numbers *out)
{
	const struct imap_reply *r = NULL;
	struct imap_set set = { .n = 0 };

	*out = (struct numbers){ .n = 0 };
	if (imap_set(in, &set) == -1 || set.saved)
		return &A_SYNTAX;
	if (uid)
		by_uid(s->box, &set, out);
	else
		r = by_number(s->box, &set, out);
	imap_set_fini(&set);
	return r;
}

void
numbers_fini(struct numbers *n)
{
	free(n->seq);
	*n = (struct numbers){ .n = 0 };
}
