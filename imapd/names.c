/*
 * names: names of folders on the wire are modified UTF-7 (RFC 3501 5.1.3),
 * everywhere else UTF-8.
 */
#include "imapd/session.h"
#include "lib/folders.h"
#include "lib/limits.h"
#include "lib/mutf7.h"

struct folders *
folders_of(struct session *s)
{
	if (s->folders == NULL)
		s->folders = folders_new(s->dir_fd);
	return s->folders;
}

const struct imap_reply *
name_take(struct session *s, struct span *in, struct buf *name)
{
	struct span wire;

	if (imap_astring(in, &s->scratch, &wire) == -1)
		return &A_SYNTAX;
	/* Thunderbird: a separator at the end, for "will have children". */
	if (wire.n > 1 && wire.p[wire.n - 1] == '/')
		wire.n--;
	buf_clear(name);
	if (mutf7_decode(wire, name) == -1 || name->bad ||
	    !folder_name_ok(buf_get(name)))
		return &A_MAILBOX_NAME;
	return NULL;
}

void
name_out(struct session *s, struct span utf8)
{
	struct buf wire;

	buf_init(&wire, PATH_LEN_MAX * 4);
	if (mutf7_encode(utf8, &wire) == 0)
		out_astring(&s->out, buf_get(&wire));
	else
		out_astring(&s->out, utf8);
	buf_fini(&wire);
}
