/*
 * cmd_fetch: FETCH, UID FETCH, RFC 3501 6.4.5, 7.4.2.
 *
 * - a message is either told whole or not at all: what may be missing (its
 *   file) is opened before the first byte is said
 * - \Seen is set for a handful of messages at once, in front of them, and
 *   told with them
 * - messages that are gone are left out; the end says so (RFC 2180 4.1)
 */
#include <errno.h>
#include <string.h>

#include "imapd/commands.h"
#include "imapd/fetch.h"
#include "imapd/session.h"
#include "lib/limits.h"
#include "lib/log.h"
#include "lib/mailbox.h"
#include "lib/structure.h"

enum { HANDFUL = 64 };

struct fetch {
	struct session *s;
	struct fetch_list list;
	struct numbers which;
	bool needs_file, needs_record, needs_size, needs_look;
	struct structure st; /* of the message that is told, if needed */
	bool some_gone, trouble;
};

static bool
item_needs_record(const struct fetch_item *item)
{
	switch (item->what) {
	case FETCH_ENVELOPE:
	case FETCH_BODY:
	case FETCH_BODYSTRUCTURE:
		return true;
	case FETCH_SECTION: /* all but BODY[] */
		return item->npath > 0 || item->section != SECTION_ALL;
	default:
		return false;
	}
}

static void
fetch_needs(struct fetch *f)
{
	for (size_t i = 0; i < f->list.n; i++) {
		f->needs_file |= f->list.item[i].what == FETCH_SECTION;
		f->needs_size |= f->list.item[i].what == FETCH_SIZE;
		f->needs_look |= f->list.item[i].what == FETCH_INTERNALDATE;
		f->needs_record |= item_needs_record(&f->list.item[i]);
	}
}

/* Of which the flags were changed: bit i is number i of the handful. */
static uint64_t
mark_seen(struct fetch *f, const uint32_t *seq, size_t n)
{
	uint32_t unseen[HANDFUL];
	const struct mailbox_msg *m;
	uint64_t marked = 0;
	size_t i, k = 0, skipped;

	if (!f->list.sees || f->s->read_only)
		return 0;
	for (i = 0; i < n; i++) {
		m = mailbox_msg(f->s->box, seq[i]);
		if (m->gone || (m->flags & MF_SEEN) != 0)
			continue;
		marked |= (uint64_t)1 << i;
		unseen[k++] = seq[i];
	}
	if (k > 0 && mailbox_store(f->s->box, unseen, k, MOP_ADD, MF_SEEN, 0,
	    true, &skipped) == -1) {
		log_msg(LL_WARN, "mailbox", "cannot mark as seen: %s",
		    strerror(errno));
		return 0;
	}
	return marked;
}

/* --- one message ---------------------------------------------------------- */

/* All that can fail because the message is not there. */
static int
message_prepare(struct fetch *f, uint32_t seq)
{
	bool sized;

	if ((f->needs_look || f->needs_size) &&
	    mailbox_look(f->s->box, seq) == -1)
		return -1;
	sized = mailbox_msg(f->s->box, seq)->size_known;
	if (f->needs_file && text_open(f->s, seq) == -1)
		return -1;
	if (!f->needs_record && (!f->needs_size || sized))
		return 0;
	return mailbox_structure(f->s->box, seq, &f->st);
}

static void
size_out(struct fetch *f, const struct mailbox_msg *m)
{
	out_atom(&f->s->out, "RFC822.SIZE");
	out_num(&f->s->out, m->size_known ? m->size : structure_size(&f->st));
}

static void
section_item_out(struct fetch *f, const struct fetch_item *item)
{
	struct fetch_list *l = &f->list;

	if (section_out(f->s, l, item, &f->st) == 0)
		return;
	f->trouble = true;
	out_made(&f->s->out, span_of(l->labels.p + item->label,
	    item->label_n));
	out_nil(&f->s->out);
}

static void
item_out(struct fetch *f, const struct fetch_item *item, uint32_t seq)
{
	const struct mailbox_msg *m = mailbox_msg(f->s->box, seq);
	struct imap_out *o = &f->s->out;

	switch (item->what) {
	case FETCH_FLAGS:
		view_message_flags(f->s, seq);
		break;
	case FETCH_UID:
		out_atom(o, "UID");
		out_num(o, m->uid);
		break;
	case FETCH_INTERNALDATE:
		out_atom(o, "INTERNALDATE");
		out_date_time(o, m->internaldate);
		break;
	case FETCH_SIZE:
		size_out(f, m);
		break;
	case FETCH_ENVELOPE:
		out_atom(o, "ENVELOPE");
		structure_envelope(&f->st, o);
		break;
	case FETCH_BODY:
		out_atom(o, "BODY");
		structure_body(&f->st, false, o);
		break;
	case FETCH_BODYSTRUCTURE:
		out_atom(o, "BODYSTRUCTURE");
		structure_body(&f->st, true, o);
		break;
	case FETCH_SECTION:
		section_item_out(f, item);
		break;
	}
}

static void
message_out(struct fetch *f, uint32_t seq, bool marked)
{
	struct session *s = f->s;
	struct imap_out *o = &s->out;

	if (message_prepare(f, seq) == -1) {
		if (errno == ENOENT)
			f->some_gone = true;
		else
			f->trouble = true;
		return;
	}
	out_untagged(o);
	out_num(o, seq);
	out_atom(o, "FETCH");
	out_open(o);
	if (s->uid && !f->list.uid) { /* RFC 3501 6.4.8 */
		out_atom(o, "UID");
		out_num(o, mailbox_msg(s->box, seq)->uid);
	}
	for (size_t i = 0; i < f->list.n; i++)
		item_out(f, &f->list.item[i], seq);
	if (marked && !f->list.flags)
		view_message_flags(s, seq);
	out_close(o);
	out_end(o);
	s->fetched++;
}

/* --- the command ---------------------------------------------------------- */

static const struct imap_reply *
fetch_run(struct fetch *f)
{
	const uint32_t *seq = f->which.seq;
	size_t at, n;
	uint64_t marked;

	fetch_needs(f);
	for (at = 0; at < f->which.n && !f->s->out.gone; at += n) {
		n = f->which.n - at;
		if (n > HANDFUL)
			n = HANDFUL;
		marked = mark_seen(f, seq + at, n);
		for (size_t i = 0; i < n && !f->s->out.gone; i++)
			message_out(f, seq[at + i], (marked >> i & 1) != 0);
	}
	text_rest(f->s);
	if (f->trouble)
		return &A_TROUBLE;
	return f->some_gone ? &A_EXPUNGED : &A_OK;
}

const void *
cmd_fetch(void *arg, struct span in)
{
	const struct imap_reply *r;
	struct session *s = arg;
	struct fetch f = { .s = s };

	s->sync_numbers = !s->uid;
	fetch_list_init(&f.list);
	r = numbers_take(s, &in, s->uid, &f.which);
	if (r == NULL)
		r = imap_sp(&in) == -1 ? &A_SYNTAX :
		                         fetch_list_take(s, &in, &f.list);
	if (r == NULL && in.n > 0)
		r = &A_SYNTAX;
	if (r == NULL)
		r = fetch_run(&f);
	fetch_list_fini(&f.list);
	numbers_fini(&f.which);
	return r;
}
