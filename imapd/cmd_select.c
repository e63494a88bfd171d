/* cmd_select: SELECT, EXAMINE, CLOSE, UNSELECT, CHECK, EXPUNGE. */
#include <errno.h>
#include <stdlib.h>

#include "imapd/commands.h"
#include "imapd/deed.h"
#include "imapd/session.h"
#include "lib/die.h"
#include "lib/folders.h"
#include "lib/mailbox.h"

static void
say_code(struct session *s, const char *code, uint64_t n, const char *text)
{
	out_status_begin(&s->out, SPAN_NONE, OUT_OK);
	out_code_open(&s->out, code);
	out_num(&s->out, n);
	out_code_close(&s->out);
	out_status_end(&s->out, text);
}

static uint32_t
first_unseen(const struct mailbox *box)
{
	uint32_t n = mailbox_count(box);

	for (uint32_t seq = 1; seq <= n; seq++)
		if ((mailbox_msg(box, seq)->flags & MF_SEEN) == 0)
			return seq;
	return 0;
}

/* RFC 3501 6.3.1, all of it. */
static void
say_folder(struct session *s)
{
	uint32_t unseen = first_unseen(s->box);

	view_flags(s);
	view_number(s, mailbox_count(s->box), "EXISTS");
	view_number(s, mailbox_recent(s->box), "RECENT");
	if (unseen != 0)
		say_code(s, "UNSEEN", unseen, "first unseen message");
	say_code(s, "UIDVALIDITY", mailbox_uidvalidity(s->box), "UIDs valid");
	say_code(s, "UIDNEXT", mailbox_uidnext(s->box), "next UID");
}

static const struct imap_reply *
select_folder(struct session *s, struct span in, bool read_only)
{
	static const struct imap_reply rw = { OUT_OK, "READ-WRITE", "open" };
	static const struct imap_reply ro = { OUT_OK, "READ-ONLY", "open" };
	const struct imap_reply *r;
	struct buf name;
	int fd;

	buf_init(&name, s->box_name.max);
	r = name_take(s, &in, &name);
	if (r == &A_SYNTAX || in.n > 0) {
		buf_fini(&name);
		return &A_SYNTAX;
	}
	view_close(s); /* also if the rest fails: RFC 3501 6.3.1 */
	buf_fini(&s->box_name);
	s->box_name = name;
	if (r != NULL)
		return r;
	if ((fd = folder_open(folders_of(s), buf_get(&s->box_name))) == -1)
		return reply_errno(errno);
	if ((s->box = mailbox_open(fd, read_only)) == NULL)
		return reply_errno(errno);
	s->read_only = read_only;
	s->state = ST_SELECTED;
	say_folder(s);
	s->told_all = true;
	return read_only ? &ro : &rw;
}

const void *
cmd_select(void *arg, struct span in)
{
	return select_folder(arg, in, false);
}

const void *
cmd_examine(void *arg, struct span in)
{
	return select_folder(arg, in, true);
}

const void *
cmd_unselect(void *arg, struct span in)
{
	(void)in;
	view_close(arg);
	return &A_OK;
}

/* Those with \Deleted, among these numbers (NULL: among all). */
static const struct imap_reply *
expunge(struct session *s, const struct numbers *among)
{
	size_t i, n = 0, all;
	uint32_t *seq, at;
	struct deed deed;
	int rc;

	all = among != NULL ? among->n : mailbox_count(s->box);
	if (all == 0)
		return &A_OK;
	seq = xreallocarray(NULL, all, sizeof(*seq));
	for (i = 0; i < all; i++) {
		at = among != NULL ? among->seq[i] : (uint32_t)i + 1;
		if (mailbox_msg(s->box, at)->flags & MF_DELETED)
			seq[n++] = at;
	}
	deed_begin(&deed, s, seq, n);
	rc = n == 0 || mailbox_expunge(s->box, seq, n) == 0 ? 0 : errno;
	deed_expunge(s, &deed, rc);
	deed_end(&deed);
	free(seq);
	return rc == 0 ? &A_OK : reply_errno(rc);
}

const void *
cmd_expunge(void *arg, struct span in)
{
	struct session *s = arg;

	(void)in;
	if (s->read_only)
		return &A_READ_ONLY;
	return expunge(s, NULL);
}

const void *
cmd_uid_expunge(void *arg, struct span in)
{
	const struct imap_reply *r;
	struct session *s = arg;
	struct numbers among;

	if ((r = numbers_take(s, &in, true, &among)) != NULL)
		return r;
	if (in.n > 0)
		r = &A_SYNTAX;
	else
		r = s->read_only ? &A_READ_ONLY : expunge(s, &among);
	numbers_fini(&among);
	return r;
}

/* RFC 3501 6.4.2: as EXPUNGE, but in silence; EXAMINE removes nothing. */
const void *
cmd_close(void *arg, struct span in)
{
	const struct imap_reply *r = &A_OK;
	struct session *s = arg;

	(void)in;
	if (!s->read_only)
		r = expunge(s, NULL);
	view_close(s);
	return r;
}

/* RFC 3501 6.4.1: nothing is held back, so this is NOOP. */
const void *
cmd_check(void *arg, struct span in)
{
	(void)arg;
	(void)in;
	return &A_OK;
}
