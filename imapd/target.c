/*
 * target: the folder that APPEND, COPY or MOVE puts messages into. Clients
 * do that many times in a row: it stays open until they pause. While it is,
 * it knows who changes it (lib/mailbox_state.c); opened for each message it
 * would have to be listed for each.
 */
#include <errno.h>

#include "imapd/session.h"
#include "lib/die.h"
#include "lib/folders.h"
#include "lib/mailbox.h"

enum { PAUSE_MS = 300 };

struct mailbox *
target_open(struct session *s, struct span name, bool own)
{
	struct mailbox *m = own && !s->read_only ? s->box : NULL;
	int fd;

	/* By its name each time: it may be another folder's now. */
	if ((fd = folder_open(folders_of(s), name)) == -1)
		return NULL;
	if (m == NULL || !mailbox_is(m, fd))
		m = s->target;
	if (m != NULL && mailbox_is(m, fd)) {
		fd_close(&fd);
		return m;
	}
	target_close(s);
	s->target = mailbox_open_target(fd);
	return s->target;
}

void
target_close(struct session *s)
{
	if (s->target != NULL)
		mailbox_close(s->target);
	s->target = NULL;
}

void
target_failed(struct session *s)
{
	int saved = errno;

	target_close(s);
	errno = saved;
}

void
target_rest(struct session *s)
{
	if (s->target != NULL && !net_ready(&s->net) &&
	    out_flush(&s->out) == 0 &&
	    net_wait(&s->net, -1, PAUSE_MS) == NET_TIMEOUT)
		target_close(s);
}
