/* cmd_store: STORE, UID STORE, RFC 3501 6.4.6. */
#include <errno.h>

#include "imapd/commands.h"
#include "imapd/flags.h"
#include "imapd/session.h"
#include "lib/mailbox.h"

struct store {
	struct numbers which;
	enum mailbox_op op;
	bool silent;
	struct span list;
};

/* Behind the set: "[+-]FLAGS[.SILENT] flags". */
static int
take_store(struct span *in, struct store *st)
{
	struct span word;

	st->op = MOP_SET;
	if (imap_is(in, '+'))
		st->op = MOP_ADD;
	else if (imap_is(in, '-'))
		st->op = MOP_REMOVE;
	if (imap_atom(in, &word) == -1 || imap_sp(in) == -1)
		return -1;
	st->silent = span_ieq(word, SPAN("FLAGS.SILENT"));
	if (!st->silent && !span_ieq(word, SPAN("FLAGS")))
		return -1;
	return flags_take(in, true, &st->list) == 0 && in->n == 0 ? 0 : -1;
}

/* "The new value is returned as if a FETCH of those flags was done." */
static void
say_flags(struct session *s, const struct numbers *which)
{
	struct imap_out *o = &s->out;
	const struct mailbox_msg *m;

	for (size_t i = 0; i < which->n; i++) {
		m = mailbox_msg(s->box, which->seq[i]);
		if (m->gone)
			continue;
		out_untagged(o);
		out_num(o, which->seq[i]);
		out_atom(o, "FETCH");
		out_open(o);
		if (s->uid) {
			out_atom(o, "UID");
			out_num(o, m->uid);
		}
		view_message_flags(s, which->seq[i]);
		out_close(o);
		out_end(o);
	}
}

static const struct imap_reply *
store(struct session *s, const struct store *st)
{
	const struct imap_reply *r;
	uint64_t keywords, known;
	size_t skipped = 0;
	uint32_t flags;
	int rc;

	if (s->read_only)
		return &A_READ_ONLY;
	known = flags_keywords_known(s->box);
	r = flags_bits(s->box, st->list, st->op != MOP_REMOVE, &flags,
	    &keywords);
	if (r != NULL)
		return r;
	if (st->which.n == 0)
		return &A_OK;
	rc = mailbox_store(s->box, st->which.seq, st->which.n, st->op, flags,
	    keywords, true, &skipped);
	if (rc == -1)
		r = reply_errno(errno);
	else if (skipped > 0 && !s->uid)
		r = &A_EXPUNGED; /* RFC 2180 4.2.1; a UID is no error */
	else
		r = &A_OK;
	if (flags_keywords_known(s->box) != known)
		view_sync(s, false); /* their names, before they are used */
	/* After a NO the client cannot know which were changed: 4.2.3. */
	if (!st->silent || r != &A_OK)
		say_flags(s, &st->which);
	return r;
}

const void *
cmd_store(void *arg, struct span in)
{
	const struct imap_reply *r;
	struct session *s = arg;
	struct store st;

	s->sync_numbers = !s->uid;
	r = numbers_take(s, &in, s->uid, &st.which);
	if (r == NULL && (imap_sp(&in) == -1 || take_store(&in, &st) == -1))
		r = &A_SYNTAX;
	if (r == NULL)
		r = store(s, &st);
	numbers_fini(&st.which);
	return r;
}
