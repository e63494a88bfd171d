/*
 * mailbox_found: files that a scan met and no row has become messages.
 *
 * - they get their uids in the order of their names' times
 * - they are not looked at: a stat(2) each is most of what the first SELECT
 *   of a large folder would cost. Size and flags are those of the name, the
 *   rest is for mailbox_look()
 * - in a session that may write, what is in new/ moves to cur/; a second
 *   file of one base gets a name of its own
 */
#include "lib/mailbox_scan.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/die.h"
#include "lib/limits.h"
#include "lib/maildir.h"
#include "lib/os_file.h"

void
found_add(struct scan *s, struct span name, uint64_t hash, unsigned bits)
{
	size_t at = s->names.n;
	struct found *f;

	if (s->nfound >= MAILDIR_MESSAGES_MAX - s->m->t.n)
		return; /* the end of the list will have to wait */
	buf_span(&s->names, name);
	buf_char(&s->names, '\0');
	if (s->names.bad)
		return;
	if (s->nfound == s->cap) {
		s->cap = s->cap == 0 ? 16 : s->cap * 2;
		s->found = xreallocarray(s->found, s->cap, sizeof(*f));
	}
	f = &s->found[s->nfound++];
	*f = (struct found){ .at = (uint32_t)at, .n = (uint16_t)name.n,
		.hash = hash, .bits = (uint16_t)bits,
		.time = maildir_name_time(name) };
}

static struct span
found_name(const struct found *f)
{
	return span_of(f->name, f->n);
}

static int
found_order(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return strcmp(x->name, y->name);
}

static void
found_sort(struct scan *s)
{
	for (size_t i = 0; i < s->nfound; i++)
		s->found[i].name = s->names.p + s->found[i].at;
	if (s->nfound > 1)
		qsort(s->found, s->nfound, sizeof(*s->found), found_order);
}

/* A second file of one base: a rename that was met twice, or really two. */
static bool
is_another(struct scan *s, const struct found *f, const struct stat *st)
{
	struct stat known;
	struct row *r;

	r = scan_row(s, f->hash);
	if (r == NULL || row_name(s->m, r) == NULL ||
	    fstatat(row_dir(s->m, r), buf_cstr(&s->m->name), &known,
		AT_SYMLINK_NOFOLLOW) == -1)
		return false; /* the next scan will see */
	return known.st_ino != st->st_ino || known.st_dev != st->st_dev;
}

/*
 * Only where the listing did not tell enough. False: it is gone or no file;
 * or it is for the next scan to tell what it is.
 */
static bool
found_is_message(struct scan *s, const struct found *f)
{
	bool again = (f->bits & FOUND_AGAIN) != 0;
	struct stat st;

	if (!again && (f->bits & FOUND_FILE) != 0)
		return true;
	if (fstatat((f->bits & FOUND_IN_NEW) != 0 ? s->m->new : s->m->cur,
		f->name, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
	    !S_ISREG(st.st_mode))
		return false;
	if (again && !is_another(s, f, &st)) {
		s->left = true;
		return false;
	}
	return true;
}

/*
 * cur/ under a name that is its own: where it is now, or a new one. A file
 * in new/ moves to cur/ if this session may write. -1: it is gone, or cannot
 * be taken now.
 */
static int
found_place(struct scan *s, const struct found *f,
    const struct maildir_name *parts, struct buf *name)
{
	bool in_new = (f->bits & FOUND_IN_NEW) != 0;
	bool again = (f->bits & FOUND_AGAIN) != 0;
	struct mailbox *m = s->m;
	const char *to;

	if (m->read_only || (!in_new && !again)) {
		if (again)
			return -1;
		buf_span(name, found_name(f));
		return 0;
	}
	if (again) {
		name_unique(name);
		buf_span(name, span_slice(parts->base, parts->unique.n,
			parts->base.n));
		if (name->n > 200)
			return -1;
	} else {
		buf_span(name, parts->base);
	}
	buf_str(name, ":2,");
	buf_span(name, parts->flags);
	to = name->n > NAME_MAX ? NULL : buf_cstr(name);
	if (to == NULL || os_rename_new(in_new ? m->new : m->cur, f->name,
		m->cur, to) == -1)
		return -1;
	m->own += in_new ? 1 : 2;
	return 0;
}

/* name: scratch. */
static void
found_take(struct scan *s, const struct found *f, uint32_t *uid,
    struct buf *name)
{
	struct mailbox_log_new e = { 0 };
	struct maildir_name parts;

	if (!found_is_message(s, f))
		return;
	maildir_name_parse(found_name(f), &parts);
	buf_clear(name);
	if (*uid >= UINT32_MAX - 1 || found_place(s, f, &parts, name) == -1) {
		s->left = true;
		return;
	}
	e.uid = (*uid)++;
	e.flags = (uint16_t)name_flags(parts.flags);
	e.bits = ROW_FRESH;
	if ((f->bits & FOUND_IN_NEW) != 0)
		e.bits |= s->m->read_only ? ROW_IN_NEW : ROW_RECENT;
	e.size_known = parts.has_wsize;
	e.size = e.size_known ? parts.wsize : 0;
	e.modseq = s->m->t.modseq + 1;
	e.name = buf_get(name);
	mailbox_log_new_put(&s->out, &e);
}

static bool
same_base(const struct found *a, const struct found *b)
{
	struct span x, y, flags;

	if (a->hash != b->hash)
		return false;
	maildir_name_split(found_name(a), &x, &flags);
	maildir_name_split(found_name(b), &y, &flags);
	return span_eq(x, y);
}

/* Of two new files with one base the second waits for the next scan. */
void
found_take_all(struct scan *s)
{
	uint32_t uid = s->m->t.uidnext;
	struct buf name;
	size_t i, start;

	buf_init(&name, 2 * NAME_MAX);
	found_sort(s);
	for (i = 0; i < s->nfound;) {
		start = record_begin(s->m, &s->out, MLOG_NEW);
		for (; i < s->nfound &&
		     s->out.n - start < MAILBOX_LOG_RECORD_MAX / 2;
		     i++) {
			if (i > 0 && same_base(&s->found[i - 1], &s->found[i]))
				s->left = true;
			else
				found_take(s, &s->found[i], &uid, &name);
		}
		record_end(s->m, &s->out, start);
	}
	buf_fini(&name);
}
