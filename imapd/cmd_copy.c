/*
 * cmd_copy: COPY and MOVE, by number and by UID. RFC 3501 6.4.7, RFC 4315 3
 * (COPYUID), RFC 6851. All or nothing.
 */
#include <errno.h>
#include <stdlib.h>

#include "imapd/commands.h"
#include "imapd/deed.h"
#include "imapd/session.h"
#include "lib/die.h"
#include "lib/limits.h"
#include "lib/mailbox.h"

/* Drops the pairs of messages that were gone. */
static size_t
pairs_pack(uint32_t *from, uint32_t *to, size_t n)
{
	size_t i, kept = 0;

	for (i = 0; i < n; i++) {
		if (to[i] == 0)
			continue;
		from[kept] = from[i];
		to[kept++] = to[i];
	}
	return kept;
}

static void
say_copyuid(struct session *s, struct span tag, uint32_t validity,
    const uint32_t *from, const uint32_t *to, size_t n)
{
	struct imap_out *o = &s->out;

	out_status_begin(o, tag, OUT_OK);
	if (n > 0) {
		out_code_open(o, "COPYUID");
		out_num(o, validity);
		out_set(o, from, n);
		out_set(o, to, n);
		out_code_close(o);
	}
	out_status_end(o, tag.n > 0 ? "done" : "where they are now");
}

/* NULL: answered. */
static const struct imap_reply *
copy_to(struct session *s, struct mailbox *to, struct span name,
    const struct numbers *which, bool move)
{
	uint32_t *from_uid = xcalloc(which->n, sizeof(*from_uid));
	uint32_t *to_uid = xcalloc(which->n, sizeof(*to_uid));
	const struct imap_reply *r = NULL;
	struct deed deed;
	uint32_t validity;
	size_t n;

	deed_begin(&deed, s, which->seq, which->n);
	if (mailbox_copy(s->box, which->seq, which->n, to, move, from_uid,
		to_uid) == -1) {
		r = errno == ENOENT ? &A_EXPUNGED : reply_errno(errno);
		target_close(s);
		goto out;
	}
	validity = mailbox_uidvalidity(to);
	n = pairs_pack(from_uid, to_uid, which->n);
	deed_copy(s, &deed, move, name, to_uid, n);
	if (move && n > 0) /* RFC 6851 4.3: in front of the EXPUNGEs */
		say_copyuid(s, SPAN_NONE, validity, from_uid, to_uid, n);
	view_sync(s, true);
	if (s->end == NULL)
		say_copyuid(s, s->tag, validity, from_uid, to_uid,
		    move ? 0 : n);
out:
	deed_end(&deed);
	free(from_uid);
	free(to_uid);
	return r;
}

static const struct imap_reply *
copy(struct session *s, struct span in, bool move)
{
	const struct imap_reply *r;
	struct mailbox *to = NULL;
	struct numbers which;
	struct buf name;

	buf_init(&name, PATH_LEN_MAX * 4);
	r = numbers_take(s, &in, s->uid, &which);
	if (r == NULL)
		r = imap_sp(&in) == -1 ? &A_SYNTAX : name_take(s, &in, &name);
	if (r == NULL && in.n > 0)
		r = &A_SYNTAX;
	if (r == NULL && move && s->read_only)
		r = &A_READ_ONLY;
	if (r == NULL && which.n == 0)
		r = &A_OK;
	if (r == NULL && (to = target_open(s, buf_get(&name), false)) == NULL)
		r = errno == ENOENT ? &A_TRYCREATE : reply_errno(errno);
	if (r == NULL)
		r = copy_to(s, to, buf_get(&name), &which, move);
	numbers_fini(&which);
	buf_fini(&name);
	return r;
}

const void *
cmd_copy(void *arg, struct span in)
{
	return copy(arg, in, false);
}

const void *
cmd_move(void *arg, struct span in)
{
	return copy(arg, in, true);
}
