/*
 * mailbox_sync: what the client is told, in an order that it can follow:
 * sequence numbers are right at every step. Nothing else changes the view.
 */
#include "lib/mailbox_impl.h"

#include <errno.h>
#include <string.h>

static void
tell_expunged(struct mailbox *m, const struct mailbox_news *news, void *arg)
{
	uint32_t i, n = 0;

	for (i = m->count; i > 0; i--) {
		if (!m->t.row[i - 1].m.gone)
			continue;
		n++;
		if (news != NULL && news->expunged != NULL)
			news->expunged(arg, i, m->t.row[i - 1].m.uid);
	}
	if (n == 0)
		return;
	table_compact(&m->t, 0);
	m->count -= n;
}

bool
sync_learn(struct mailbox *m)
{
	uint32_t before = m->count;
	struct row *r;

	table_compact(&m->t, m->count);
	for (; m->count < m->t.n; m->count++) {
		r = &m->t.row[m->count];
		r->bits &= (uint16_t)~ROW_CHANGED;
		if (m->read_only && (r->bits & (ROW_IN_NEW | ROW_RECENT)) != 0)
			r->m.flags |= MF_RECENT;
	}
	return m->count > before;
}

static void
tell_changed(struct mailbox *m, const struct mailbox_news *news, void *arg)
{
	struct row *r;

	for (uint32_t i = 0; i < m->count; i++) {
		r = &m->t.row[i];
		if ((r->bits & ROW_CHANGED) == 0 || r->m.gone)
			continue;
		r->bits &= (uint16_t)~ROW_CHANGED;
		if (news != NULL && news->changed != NULL)
			news->changed(arg, i + 1);
	}
}

int
mailbox_sync(struct mailbox *m, bool expunges, const struct mailbox_news *news,
    void *arg)
{
	cache_rest(m);
	if (refresh(m, 0) == -1) {
		int saved = errno;

		state_drain(m); /* or who waits for the watch never would */
		errno = saved;
		return -1;
	}
	if (expunges)
		tell_expunged(m, news, arg);
	if (sync_learn(m) && news != NULL && news->exists != NULL)
		news->exists(arg, m->count, mailbox_recent(m));
	if (m->t.keywords_added > 0 && news != NULL && news->keywords != NULL)
		news->keywords(arg);
	m->t.keywords_added = 0;
	tell_changed(m, news, arg);
	return 0;
}
