/*
 * cmd_append: APPEND, RFC 3501 6.3.11, RFC 4315 3 (APPENDUID). The message
 * goes from the wire into its file piece by piece; what can be refused is
 * refused before "+".
 *
 * Stored with LF lines. A CR that does not belong to a line's end is kept,
 * and so is the CR LF behind it: what FETCH makes CR LF of again is then
 * exactly what came. (A bare LF comes back as CR LF; RFC 5322 has none.)
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "imapd/append.h"
#include "imapd/commands.h"
#include "imapd/deed.h"
#include "imapd/flags.h"
#include "imapd/session.h"
#include "lib/conf.h"
#include "lib/imap_date.h"
#include "lib/limits.h"
#include "lib/mailbox.h"

enum { PIECE = 64 * 1024 };

struct append {
	struct buf name;
	struct span flags;
	int64_t when;
	struct mailbox *box;
	struct mailbox_new *file;
	/* the message */
	struct buf piece;
	bool cr;      /* a CR is held back */
	bool kept_cr; /* the byte written last is a CR */
	bool nul;
	int errnum;   /* of a write; what follows is dropped */
};

/* --- arguments ------------------------------------------------------------ */

/* "folder [(flags)] [date-time] ", up to the literal. */
static const struct imap_reply *
arguments_take(struct session *s, struct span *in, struct append *a)
{
	const struct imap_reply *r = name_take(s, in, &a->name);
	int zone;

	if (r == &A_SYNTAX || imap_sp(in) == -1)
		return &A_SYNTAX;
	if (in->n > 0 && in->p[0] == '(' &&
	    (flags_take(in, false, &a->flags) == -1 || imap_sp(in) == -1))
		return &A_SYNTAX;
	if (in->n > 0 && in->p[0] == '"' &&
	    (imap_date_time(in, &a->when, &zone) == -1 || imap_sp(in) == -1))
		return &A_SYNTAX;
	return in->n > 0 ? &A_SYNTAX : r;
}

static void
append_init(struct append *a)
{
	*a = (struct append){ .when = (int64_t)time(NULL) };
	buf_init(&a->name, PATH_LEN_MAX * 4);
	buf_init(&a->piece, 2 * PIECE);
}

static void
append_fini(struct append *a)
{
	buf_fini(&a->name);
	buf_fini(&a->piece);
	if (a->file != NULL)
		mailbox_new_abort(a->file);
}

bool
append_message_next(struct session *s, size_t n)
{
	struct span in = span_slice(buf_get(&s->command), 0, n), tag;
	const struct imap_reply *r = &A_SYNTAX;
	struct append a;

	if (imap_tag(&in, &tag) == -1 || imap_sp(&in) == -1 ||
	    !imap_word(&in, "APPEND") || imap_sp(&in) == -1)
		return false;
	append_init(&a);
	r = arguments_take(s, &in, &a);
	append_fini(&a);
	buf_clear(&s->scratch);
	return r != &A_SYNTAX;
}

/* --- the message ---------------------------------------------------------- */

static void
piece_write(struct append *a)
{
	if (a->errnum == 0 &&
	    mailbox_new_write(a->file, buf_get(&a->piece)) == -1)
		a->errnum = errno;
	buf_clear(&a->piece);
}

static void
piece_cr(struct append *a)
{
	if (a->cr)
		buf_char(&a->piece, '\r');
	a->kept_cr = a->cr;
	a->cr = false;
}

/* Whole runs between line ends are copied at once. */
static void
message_bytes(struct append *a, struct span s)
{
	size_t n;

	if (span_has(s, '\0'))
		a->nul = true;
	if (a->nul || a->errnum != 0)
		return;
	while (s.n > 0) {
		if (s.p[0] == '\n') {
			if (a->cr && a->kept_cr)
				piece_cr(a);
			a->cr = a->kept_cr = false;
			buf_char(&a->piece, '\n');
			span_take(&s, 1);
			continue;
		}
		if (a->cr)
			piece_cr(a);
		if (s.p[0] == '\r') {
			a->cr = true;
			span_take(&s, 1);
			continue;
		}
		n = span_find(s, '\r');
		n = span_find(span_slice(s, 0, n), '\n');
		buf_span(&a->piece, span_take(&s, n));
		a->kept_cr = false;
	}
	if (a->piece.n >= PIECE)
		piece_write(a);
}

/* -1: s->end is set. */
static int
message_read(struct session *s, struct append *a)
{
	uint64_t left = s->literal.size;
	struct span some;
	enum net_got got;

	if (s->literal.sync) {
		out_continue(&s->out, "go on");
		if (out_flush(&s->out) == -1)
			left = 1; /* the read will say it */
	}
	while (left > 0) {
		got = net_bytes(&s->net, left > PIECE ? PIECE : (size_t)left,
		    &some);
		if (got != NET_LINE) {
			input_ended(s, got);
			return -1;
		}
		message_bytes(a, some);
		left -= some.n;
	}
	piece_cr(a);
	piece_write(a);
	return 0;
}

/* --- the command ---------------------------------------------------------- */

static const struct imap_reply *
append_begin(struct session *s, struct span in, struct append *a)
{
	const struct imap_reply *r;

	if ((r = arguments_take(s, &in, a)) != NULL)
		return r;
	if (s->literal.binary)
		return &A_SYNTAX;
	if (s->literal.size == 0)
		return &A_EMPTY_MESSAGE;
	if (s->literal.size > s->conf->message_size)
		return &A_TOO_BIG;
	if ((a->box = target_open(s, buf_get(&a->name), true)) == NULL)
		return errno == ENOENT ? &A_TRYCREATE : reply_errno(errno);
	if ((a->file = mailbox_new_begin(a->box)) == NULL)
		return reply_errno(errno);
	return NULL;
}

static const struct imap_reply *
append_commit(struct session *s, struct append *a)
{
	const struct imap_reply *r;
	uint64_t keywords;
	uint32_t flags, uid;
	int rc;

	if (a->nul)
		return &A_NUL;
	if (a->errnum != 0)
		return reply_errno(a->errnum);
	r = flags_bits(a->box, a->flags, true, &flags, &keywords);
	if (r != NULL)
		return r;
	rc = mailbox_new_commit(a->file, flags, keywords, a->when, &uid);
	a->file = NULL;
	if (rc == -1) {
		target_failed(s);
		return reply_errno(errno);
	}
	s->appended++;
	deed_append(s, buf_get(&a->name), uid, s->literal.size);
	if (s->box != NULL)
		view_sync(s, true);
	if (s->end != NULL)
		return NULL;
	out_status_begin(&s->out, s->tag, OUT_OK);
	out_code_open(&s->out, "APPENDUID");
	out_num(&s->out, mailbox_uidvalidity(a->box));
	out_num(&s->out, uid);
	out_code_close(&s->out);
	out_status_end(&s->out, "done");
	return NULL;
}

/* It is not wanted; one that does not wait for "+" comes all the same. */
static const struct imap_reply *
append_refuse(struct session *s, const struct imap_reply *r)
{
	if (s->literal.sync)
		return r;
	if (input_drop_literal(s, s->literal.size) == -1)
		return NULL;
	if (input_last_line(s) == -1 && s->end != NULL)
		return NULL;
	return r;
}

const void *
cmd_append(void *arg, struct span in)
{
	const struct imap_reply *r;
	struct session *s = arg;
	struct append a;

	if (!s->literal_waits)
		return &A_SYNTAX;
	in = span_slice(in, 0, in.n - s->literal_text);
	append_init(&a);
	r = append_begin(s, in, &a);
	if (r != NULL)
		r = append_refuse(s, r);
	else if (message_read(s, &a) == -1)
		r = NULL;
	else if (input_last_line(s) == -1)
		r = s->end != NULL ? NULL : &A_SYNTAX;
	else
		r = append_commit(s, &a);
	append_fini(&a);
	return r;
}
