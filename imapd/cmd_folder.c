/* cmd_folder: CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE. */
#include <errno.h>

#include "imapd/commands.h"
#include "imapd/deed.h"
#include "imapd/session.h"
#include "imapd/use.h"
#include "lib/folders.h"
#include "lib/limits.h"

static bool
is_inbox(struct span name)
{
	return span_ieq(name, SPAN("INBOX"));
}

/* One name and nothing more. */
static const struct imap_reply *
only_name(struct session *s, struct span in, struct buf *name)
{
	const struct imap_reply *r = name_take(s, &in, name);

	if (r == NULL && in.n > 0)
		r = &A_SYNTAX;
	return r;
}

/* RFC 6154 3: "(USE (\Sent))"; one use a folder. */
static const struct imap_reply *
use_take(struct span *in, unsigned *use)
{
	static const struct imap_reply useattr = { OUT_NO, "USEATTR",
		"no such special use" };
	struct span flag;

	if (!imap_is(in, '(') || !imap_word(in, "USE") ||
	    imap_sp(in) == -1 || !imap_is(in, '('))
		return &A_SYNTAX;
	while (imap_flag(in, &flag) == 0) {
		if (*use != 0 || (*use = use_bit(flag)) == 0)
			return &useattr;
		if (imap_sp(in) == -1)
			break;
	}
	if (!imap_is(in, ')') || !imap_is(in, ')') || in->n > 0)
		return &A_SYNTAX;
	return NULL;
}

const void *
cmd_create(void *arg, struct span in)
{
	const struct imap_reply *r;
	struct session *s = arg;
	unsigned use = 0;
	struct buf name;

	buf_init(&name, PATH_LEN_MAX * 4);
	r = name_take(s, &in, &name);
	if (r == NULL && imap_sp(&in) == 0)
		r = use_take(&in, &use);
	else if (r == NULL && in.n > 0)
		r = &A_SYNTAX;
	if (r == NULL)
		r = folder_create(folders_of(s), buf_get(&name), use) == 0 ?
		    &A_OK : reply_errno(errno);
	if (r == &A_OK)
		deed_folder(s, "created", buf_get(&name), SPAN_NONE);
	buf_fini(&name);
	return r;
}

/* It was the one that is open here: RFC 7162 3.2.11 has the word for it. */
static void
lose_folder(struct session *s, struct span name)
{
	if (s->box == NULL || !span_eq(buf_get(&s->box_name), name))
		return;
	view_close(s);
	out_status(&s->out, SPAN_NONE, OUT_OK, "CLOSED",
	    "the folder is closed");
}

const void *
cmd_delete(void *arg, struct span in)
{
	const struct imap_reply *r;
	struct session *s = arg;
	struct buf name;

	buf_init(&name, PATH_LEN_MAX * 4);
	r = only_name(s, in, &name);
	if (r == NULL && is_inbox(buf_get(&name)))
		r = &A_INBOX;
	if (r == NULL)
		r = folder_delete(folders_of(s), buf_get(&name)) == 0 ?
		    &A_OK : reply_errno(errno);
	if (r == &A_OK) {
		deed_folder(s, "deleted", buf_get(&name), SPAN_NONE);
		lose_folder(s, buf_get(&name));
	}
	buf_fini(&name);
	return r;
}

const void *
cmd_rename(void *arg, struct span in)
{
	const struct imap_reply *r;
	struct session *s = arg;
	struct buf from, to;

	buf_init(&from, PATH_LEN_MAX * 4);
	buf_init(&to, PATH_LEN_MAX * 4);
	r = name_take(s, &in, &from);
	if (r == NULL)
		r = imap_sp(&in) == -1 ? &A_SYNTAX : only_name(s, in, &to);
	if (r == NULL)
		r = folder_rename(folders_of(s), buf_get(&from),
		        buf_get(&to)) == 0 ? &A_OK : reply_errno(errno);
	if (r == &A_OK) {
		deed_folder(s, "renamed", buf_get(&from), buf_get(&to));
		if (!is_inbox(buf_get(&from)))
			lose_folder(s, buf_get(&from));
	}
	buf_fini(&from);
	buf_fini(&to);
	return r;
}

/* RFC 3501 6.3.6: a name need not be there to be subscribed. */
static const struct imap_reply *
subscribe(struct session *s, struct span in, bool on)
{
	const struct imap_reply *r;
	struct buf name;

	buf_init(&name, PATH_LEN_MAX * 4);
	r = only_name(s, in, &name);
	if (r == NULL)
		r = folder_subscribe(folders_of(s), buf_get(&name), on) == 0 ?
		    &A_OK : reply_errno(errno);
	buf_fini(&name);
	return r;
}

const void *
cmd_subscribe(void *arg, struct span in)
{
	return subscribe(arg, in, true);
}

const void *
cmd_unsubscribe(void *arg, struct span in)
{
	return subscribe(arg, in, false);
}
