/*
 * mailbox_table: the folder as its log tells it.
 *
 * A record either makes sense as a whole or changes nothing that matters:
 * uids that are not there are passed over (they were expunged), so that a
 * log from which something was lost can still be followed.
 */
#include "lib/mailbox_impl.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/chars.h"
#include "lib/die.h"
#include "lib/imap_token.h"
#include "lib/ipc.h"
#include "lib/limits.h"
#include "lib/maildir.h"

void
table_init(struct table *t)
{
	*t = (struct table){ .uidnext = 1, .modseq = 1 };
}

void
table_fini(struct table *t)
{
	for (unsigned i = 0; i < MAILBOX_KEYWORDS_MAX; i++)
		free(t->keyword[i]);
	free(t->row);
	table_init(t);
}

uint32_t
table_from(const struct table *t, uint32_t uid)
{
	uint32_t low = 0, high = t->n, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (t->row[mid].m.uid < uid)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct row *
table_find(const struct table *t, uint32_t uid)
{
	uint32_t i = table_from(t, uid);

	return i < t->n && t->row[i].m.uid == uid ? &t->row[i] : NULL;
}

struct row *
table_add(struct table *t)
{
	if (t->n == t->cap) {
		t->cap = t->cap < 16 ? 16 : t->cap + t->cap / 2;
		t->row = xreallocarray(t->row, t->cap, sizeof(*t->row));
	}
	t->row[t->n] = (struct row){ 0 };
	return &t->row[t->n++];
}

void
table_compact(struct table *t, uint32_t from)
{
	uint32_t i, n;

	while (from < t->n && !t->row[from].m.gone)
		from++;
	for (i = n = from; i < t->n; i++)
		if (!t->row[i].m.gone)
			t->row[n++] = t->row[i];
	if (from < t->n)
		t->n = n;
}

/*
 * A name that is not known begins with a NUL; its hash follows
 * (lib/mailbox_log.c).
 */
static uint64_t
hash_of(struct span name)
{
	struct span base, flags;
	uint64_t hash;

	if (name.p[0] == '\0') {
		span_take(&name, 1);
		return get_u64(&name, &hash) == 0 ? hash : 0;
	}
	maildir_name_split(name, &base, &flags);
	return name_hash(base);
}

static void
row_place(struct row *r, struct span name, uint64_t at)
{
	r->hash = hash_of(name);
	r->name_at = (uint32_t)at;
	r->bits &= (uint16_t) ~(ROW_RENAMED | ROW_ODD);
	if (name_odd(name, r->m.flags & MF_STORED))
		r->bits |= ROW_ODD;
}

static int
apply_new(struct table *t, const struct mailbox_log_record *rec, uint64_t at)
{
	struct span in = rec->payload;
	struct mailbox_log_new m;
	struct row *r;
	uint64_t entry;

	while (in.n > 0) {
		entry = at + (rec->payload.n - in.n);
		if (mailbox_log_new_get(&in, &m) == -1 ||
		    (t->n > 0 && m.uid <= t->row[t->n - 1].m.uid) ||
		    m.uid == UINT32_MAX || entry > UINT32_MAX / 2 ||
		    t->n >= MAILDIR_MESSAGES_MAX)
			return -1;
		r = table_add(t);
		r->m.uid = m.uid;
		r->m.flags = m.flags & MF_STORED;
		r->m.keywords = m.keywords;
		r->m.modseq = m.modseq;
		r->m.internaldate = m.date;
		r->m.size = m.size_known ? m.size : 0;
		r->m.size_known = m.size_known;
		row_place(r, m.name, entry + m.name_at);
		r->bits = (uint16_t)(r->bits |
		    (m.bits & (ROW_IN_NEW | ROW_RECENT | ROW_FRESH)));
		if (t->uidnext <= m.uid)
			t->uidnext = m.uid + 1;
		if (t->modseq < m.modseq)
			t->modseq = m.modseq;
	}
	t->promised = at + rec->payload.n;
	return 0;
}

struct flags_change {
	uint16_t off, on;
	uint64_t kw_off, kw_on;
};

static void
row_change(struct row *r, const struct flags_change *c, uint64_t modseq)
{
	uint32_t flags = r->m.flags;
	uint64_t keywords = r->m.keywords;

	r->m.flags = (flags & ~(uint32_t)(c->off & MF_STORED)) |
	    (c->on & MF_STORED);
	r->m.keywords = (keywords & ~c->kw_off) | c->kw_on;
	if (r->m.flags != flags)
		r->bits |= ROW_RENAMED | ROW_CHANGED;
	if (r->m.keywords != keywords)
		r->bits |= ROW_CHANGED;
	r->m.modseq = modseq;
}

/* The rows of all ranges of in: fn each. */
static int
each_in(struct table *t, struct span in, uint64_t modseq, const void *arg,
    void (*fn)(struct row *, const void *arg, uint64_t modseq))
{
	uint32_t first, last, i;

	while (in.n > 0) {
		if (mailbox_range_get(&in, &first, &last) == -1)
			return -1;
		for (i = table_from(t, first);
		     i < t->n && t->row[i].m.uid <= last; i++)
			if (!t->row[i].m.gone)
				fn(&t->row[i], arg, modseq);
	}
	return 0;
}

static void
each_change(struct row *r, const void *arg, uint64_t modseq)
{
	row_change(r, arg, modseq);
}

static int
apply_flags(struct table *t, const struct mailbox_log_record *rec)
{
	struct span in = rec->payload;
	struct flags_change c;

	if (get_u16(&in, &c.off) == -1 || get_u16(&in, &c.on) == -1 ||
	    get_u64(&in, &c.kw_off) == -1 || get_u64(&in, &c.kw_on) == -1)
		return -1;
	return each_in(t, in, rec->modseq, &c, each_change);
}

static void
each_gone(struct row *r, const void *arg, uint64_t modseq)
{
	(void)arg;
	r->m.gone = true;
	r->m.modseq = modseq;
}

static void
each_taken(struct row *r, const void *arg, uint64_t modseq)
{
	(void)arg;
	(void)modseq;
	if ((r->bits & ROW_IN_NEW) != 0)
		r->bits |= ROW_RENAMED;
	r->bits &= (uint16_t) ~(ROW_IN_NEW | ROW_RECENT);
}

bool
keyword_ok(struct span name)
{
	struct span rest = name, atom;

	return name.n <= IMAP_KEYWORD_MAX && imap_atom(&rest, &atom) == 0 &&
	    rest.n == 0;
}

static int
apply_keyword(struct table *t, const struct mailbox_log_record *rec)
{
	struct span in = rec->payload;
	char *name;
	uint8_t bit;

	if (get_u8(&in, &bit) == -1 || bit >= MAILBOX_KEYWORDS_MAX ||
	    !keyword_ok(in) || (name = span_dup(in)) == NULL)
		return -1;
	free(t->keyword[bit]);
	t->keyword[bit] = name;
	t->keywords_added++;
	return 0;
}

static int
apply_name(struct table *t, const struct mailbox_log_record *rec, uint64_t at)
{
	struct span in = rec->payload, name;
	struct maildir_name parts;
	uint32_t uid, flags;
	struct row *r;
	uint8_t bits;

	if (get_u32(&in, &uid) == -1 || get_u8(&in, &bits) == -1)
		return -1;
	at += rec->payload.n - in.n;
	if (mailbox_log_name_get(&in, &name) == -1 || in.n != 0 ||
	    at > UINT32_MAX)
		return -1;
	r = table_find(t, uid);
	if (r == NULL || r->m.gone)
		return 0;
	maildir_name_parse(name, &parts);
	flags = name_flags(parts.flags);
	if ((r->m.flags & MF_STORED) != flags) {
		r->m.flags = (r->m.flags & MF_RECENT) | flags;
		r->m.modseq = rec->modseq;
		r->bits |= ROW_CHANGED;
	}
	row_place(r, name, at);
	if ((bits & ROW_IN_NEW) == 0)
		r->bits &= (uint16_t)~ROW_IN_NEW;
	else
		r->bits |= ROW_IN_NEW;
	return 0;
}

static int
apply_looked(struct table *t, const struct mailbox_log_record *rec)
{
	struct span in = rec->payload;
	struct row *r;
	uint32_t uid;
	uint64_t date;
	uint8_t known;

	while (in.n > 0) {
		if (get_u32(&in, &uid) == -1 || get_u8(&in, &known) == -1 ||
		    get_u64(&in, &date) == -1)
			return -1;
		r = table_find(t, uid);
		if (r == NULL || r->m.gone)
			continue;
		r->m.internaldate = (int64_t)date;
		if (known == 0 && (r->bits & ROW_FRESH) != 0) {
			r->m.size_known = false;
			r->m.size = 0;
		}
		r->bits &= (uint16_t) ~(ROW_FRESH | ROW_LOOKED);
	}
	return 0;
}

static int
apply_state(struct table *t, const struct mailbox_log_record *rec)
{
	struct mailbox_state cur, new;
	struct span in = rec->payload;
	uint64_t synced;
	uint32_t events;

	if (mailbox_state_get(&in, &cur) == -1 ||
	    mailbox_state_get(&in, &new) == -1 ||
	    get_u64(&in, &synced) == -1 || get_u32(&in, &events) == -1)
		return -1;
	t->cur = cur;
	t->new = new;
	t->delivered = false;
	if (synced > t->synced)
		t->synced = synced;
	t->events += events;
	return 0;
}

int
table_apply(struct table *t, const struct mailbox_log_record *rec, uint64_t at)
{
	int rc = 0;

	switch (rec->type) {
	case MLOG_NEW:
		rc = apply_new(t, rec, at);
		break;
	case MLOG_FLAGS:
		rc = apply_flags(t, rec);
		break;
	case MLOG_EXPUNGE:
		rc = each_in(t, rec->payload, rec->modseq, NULL, each_gone);
		break;
	case MLOG_KEYWORD:
		rc = apply_keyword(t, rec);
		break;
	case MLOG_TAKEN:
		rc = each_in(t, rec->payload, rec->modseq, NULL, each_taken);
		break;
	case MLOG_NAME:
		rc = apply_name(t, rec, at);
		break;
	case MLOG_STATE:
		rc = apply_state(t, rec);
		break;
	case MLOG_DELIVERED:
		t->delivered = true;
		break;
	case MLOG_LOOKED:
		rc = apply_looked(t, rec);
		break;
	case MLOG_UIDNEXT:
		break;
	default: /* of a later version, which must not need us to know it */
		break;
	}
	if (rec->uidnext > t->uidnext)
		t->uidnext = rec->uidnext;
	if (rec->modseq > t->modseq)
		t->modseq = rec->modseq;
	return rc;
}
