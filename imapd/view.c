/*
 * view: what the client knows of the open folder, and how it hears of what
 * changed: RFC 3501 5.2, 7.3, 7.4. Numbers change only in view_sync(), never
 * under a command that speaks of them.
 */
#include <errno.h>
#include <string.h>

#include "imapd/flags.h"
#include "imapd/session.h"
#include "imapd/text.h"
#include "lib/log.h"
#include "lib/mailbox.h"
#include "lib/os.h"

enum { MF_ALL = MF_SEEN | MF_ANSWERED | MF_FLAGGED | MF_DELETED | MF_DRAFT };

void
view_flags(struct session *s)
{
	uint64_t known = flags_keywords_known(s->box);
	struct imap_out *o = &s->out;

	out_untagged(o);
	out_atom(o, "FLAGS");
	flags_out(o, s->box, MF_ALL, known, false);
	out_end(o);
	out_status_begin(o, SPAN_NONE, OUT_OK);
	out_code_open(o, "PERMANENTFLAGS");
	if (s->read_only)
		flags_out(o, s->box, 0, 0, false);
	else
		flags_out(o, s->box, MF_ALL, known, true);
	out_code_close(o);
	out_status_end(o, s->read_only ? "nothing can be changed" :
	                                 "flags that stay");
}

void
view_message_flags(struct session *s, uint32_t seq)
{
	const struct mailbox_msg *m = mailbox_msg(s->box, seq);

	out_atom(&s->out, "FLAGS");
	flags_out(&s->out, s->box, m->flags, m->keywords, false);
}

void
view_number(struct session *s, uint32_t n, const char *what)
{
	out_untagged(&s->out);
	out_num(&s->out, n);
	out_atom(&s->out, what);
	out_end(&s->out);
}

static void
on_expunged(void *arg, uint32_t seq, uint32_t uid)
{
	struct session *s = arg;

	text_forget(s, uid);
	view_number(s, seq, "EXPUNGE");
}

static void
on_exists(void *arg, uint32_t count, uint32_t recent)
{
	view_number(arg, count, "EXISTS");
	view_number(arg, recent, "RECENT");
}

static void
on_changed(void *arg, uint32_t seq)
{
	struct session *s = arg;
	struct imap_out *o = &s->out;

	out_untagged(o);
	out_num(o, seq);
	out_atom(o, "FETCH");
	out_open(o);
	if (s->uid) { /* RFC 3501 6.4.8 */
		out_atom(o, "UID");
		out_num(o, mailbox_msg(s->box, seq)->uid);
	}
	view_message_flags(s, seq);
	out_close(o);
	out_end(o);
}

static void
on_keywords(void *arg)
{
	view_flags(arg);
}

/* RFC 2180 3: the folder was removed under us; nothing can be said of it. */
static void
box_is_gone(struct session *s)
{
	session_bye(s, "deleted", "UNAVAILABLE", "the folder was deleted");
}

void
view_sync(struct session *s, bool expunges)
{
	static const struct mailbox_news news = { on_expunged, on_exists,
		on_changed, on_keywords };

	if (mailbox_sync(s->box, expunges, &news, s) == 0)
		return;
	if (errno == ENOENT || errno == ENOTDIR || errno == ESTALE)
		box_is_gone(s);
	else
		log_msg(LL_ERROR, "mailbox", "cannot look at a folder: %s",
		    strerror(errno));
}

void
view_close(struct session *s)
{
	if (s->box == NULL)
		return;
	text_close(s);
	mailbox_close(s->box);
	s->box = NULL;
	s->state = ST_AUTHENTICATED;
	buf_clear(&s->box_name);
	buf_trim(&s->box_name);
	os_memory_trim();
}
