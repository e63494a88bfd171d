/* cmd_status: STATUS, RFC 3501 6.3.10. */
#include <errno.h>

#include "imapd/commands.h"
#include "imapd/session.h"
#include "imapd/status.h"
#include "lib/die.h"
#include "lib/folders.h"
#include "lib/limits.h"
#include "lib/mailbox.h"

#define AT(field) offsetof(struct mailbox_status, field)

static const struct {
	const char *name;
	size_t at;
} items_known[] = {
	{ "MESSAGES", AT(messages) },
	{ "RECENT", AT(recent) },
	{ "UIDNEXT", AT(uidnext) },
	{ "UIDVALIDITY", AT(uidvalidity) },
	{ "UNSEEN", AT(unseen) },
};

static unsigned
item_bit(struct span word)
{
	for (unsigned i = 0; i < nitems(items_known); i++)
		if (span_ieq(word, span_str(items_known[i].name)))
			return 1u << i;
	return 0;
}

int
status_items_take(struct span *in, unsigned *items)
{
	struct span word;
	unsigned bit;

	*items = 0;
	if (!imap_is(in, '('))
		return -1;
	do {
		if (imap_atom(in, &word) == -1 || (bit = item_bit(word)) == 0)
			return -1;
		*items |= bit;
	} while (imap_sp(in) == 0);
	return imap_is(in, ')') ? 0 : -1;
}

const struct imap_reply *
status_out(struct session *s, struct span name, unsigned items)
{
	struct imap_out *o = &s->out;
	struct mailbox_status st;
	const char *base = (const char *)&st;
	int fd, rc;

	if ((fd = folder_open(folders_of(s), name)) == -1)
		return reply_errno(errno);
	rc = mailbox_status(fd, &st);
	fd_close(&fd);
	if (rc == -1)
		return reply_errno(errno);
	out_untagged(o);
	out_atom(o, "STATUS");
	name_out(s, name);
	out_open(o);
	for (unsigned i = 0; i < nitems(items_known); i++) {
		if ((items >> i & 1) == 0)
			continue;
		out_atom(o, items_known[i].name);
		out_num(o, *(const uint32_t *)(const void *)(base +
		               items_known[i].at));
	}
	out_close(o);
	out_end(o);
	return NULL;
}

const void *
cmd_status(void *arg, struct span in)
{
	const struct imap_reply *r;
	struct session *s = arg;
	struct buf name;
	unsigned items;

	buf_init(&name, PATH_LEN_MAX * 4);
	r = name_take(s, &in, &name);
	if (r == NULL && (imap_sp(&in) == -1 ||
	    status_items_take(&in, &items) == -1 || in.n > 0))
		r = &A_SYNTAX;
	if (r == NULL)
		r = status_out(s, buf_get(&name), items);
	buf_fini(&name);
	return r == NULL ? &A_OK : r;
}
