/*
 * store: message files, written in a batch and made durable together.
 *
 *	tmp/T.Qq_i.Ppid.host          written, LF lines, CR dropped
 *	fsync each file
 *	rename to new/T.Qq_i.host,S=size,W=wire-size
 *	fsync new/ of each mailbox, once a batch
 *	a word to each mailbox's index, once a batch, if there is one
 *
 * T is when the message arrived, q its queue id, i the recipient's number in
 * its envelope: the final name is made of the message alone. A job that is
 * repeated after a crash therefore meets its own file in new/ (EEXIST), and
 * that is success. The temporary name has the process id in it, so that a
 * repeated job never writes into, or renames, a file that a worker of an
 * earlier life may still be working on.
 *
 * In the steady state one message costs: recvmsg, openat, writev, fsync,
 * renameat2, close, fsync of new/, recvmsg (nothing more waits), sendmsg; six
 * more a batch if the owner reads by IMAP (mailbox_delivered()).
 */
#include "deliver/store.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "deliver/box.h"
#include "lib/buf.h"
#include "lib/die.h"
#include "lib/mailbox.h"
#include "lib/os_file.h"
#include "lib/qid.h"

/* As many files may be open as mailboxes: each may be another one. */
enum { BATCH_MAX = BOX_MAX, HOST_SHOWN = 100 };

struct slot { /* one file of the batch */
	struct box *box;
	int fd;
	struct outcome *out;
	uint64_t size, lines; /* written; LF among them */
	char last;            /* byte written */
	char tmp[NAME_MAX + 1], name[NAME_MAX + 1];
};

static struct slot slots[BATCH_MAX];
static size_t nslot;
static char host[HOST_SHOWN + 1];
static uint64_t pid; /* asked for once: a system call */
static char chunk[STORE_CHUNK], clean[STORE_CHUNK];

void
store_init(const char *h)
{
	size_t i;

	/* "/" and ":" have a meaning in the names of a Maildir. */
	for (i = 0; i < HOST_SHOWN && h[i] != '\0'; i++)
		host[i] = strchr("/:,", h[i]) == NULL ? h[i] : '_';
	host[i] = '\0';
	pid = (uint64_t)getpid();
}

ssize_t
body_read(const struct body *b, uint64_t at, char *p, size_t cap)
{
	uint64_t left = at < b->size ? b->size - at : 0;
	ssize_t n;

	if (left < cap)
		cap = (size_t)left;
	do
		n = pread(b->fd, p, cap, (off_t)(b->offset + at));
	while (n == -1 && errno == EINTR);
	if (n == 0 && cap > 0) {
		errno = EIO;
		return -1;
	}
	return n;
}

static int
writev_all(int fd, struct iovec *iov, int n)
{
	ssize_t done;

	while (n > 0) {
		done = writev(fd, iov, n);
		if (done == -1) {
			if (errno == EINTR)
				continue;
			return -1;
		}
		for (; n > 0 && (size_t)done >= iov->iov_len; iov++, n--)
			done -= (ssize_t)iov->iov_len;
		if (n > 0) {
			iov->iov_base = (char *)iov->iov_base + done;
			iov->iov_len -= (size_t)done;
		}
	}
	return 0;
}

/*
 * Files have LF lines. smtpd lets no CR pass, so this is for messages that
 * came another way, and for the day it has a bug.
 */
static struct span
without_cr(struct span s)
{
	size_t i, n = 0;

	if (s.n == 0 || memchr(s.p, '\r', s.n) == NULL)
		return s;
	assert(s.n <= sizeof(clean));
	for (i = 0; i < s.n; i++)
		if (s.p[i] != '\r')
			clean[n++] = s.p[i];
	return span_of(clean, n);
}

static void
count(struct slot *s, struct span b)
{
	const char *p = b.p, *end = b.p + b.n;

	if (b.n == 0)
		return;
	s->size += b.n;
	s->last = end[-1];
	while ((p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		s->lines++;
		if (++p == end)
			break;
	}
}

/* The trace and the first part go in one call; the last line gets its end. */
static int
write_message(struct slot *s, struct span trace, const struct body *b)
{
	struct span part = without_cr(b->head);
	struct iovec iov[3];
	uint64_t at = b->head.n;
	ssize_t got;
	int n;

	for (;;) {
		n = 0;
		count(s, trace);
		count(s, part);
		iov[n++] = (struct iovec){ (void *)trace.p, trace.n };
		iov[n++] = (struct iovec){ (void *)part.p, part.n };
		if (at >= b->size && s->last != '\n') {
			count(s, SPAN("\n"));
			iov[n++] = (struct iovec){ (void *)"\n", 1 };
		}
		if (writev_all(s->fd, iov, n) == -1)
			return -1;
		if (at >= b->size)
			return 0;
		got = body_read(b, at, chunk, sizeof(chunk));
		if (got == -1)
			return -1;
		at += (uint64_t)got;
		part = without_cr(span_of(chunk, (size_t)got));
		trace = SPAN_NONE;
	}
}

/* "1700000000.Qqid_0." */
static void
name_begin(struct buf *b, const struct outcome *o, int64_t arrived)
{
	char text[QID_TEXT_MAX];

	qid_text(o->qid, text);
	buf_num(b, arrived > 0 ? (uint64_t)arrived : 0);
	buf_str(b, ".Q");
	buf_str(b, text);
	buf_char(b, '_');
	buf_num(b, o->index);
	buf_char(b, '.');
}

static void
make_names(struct slot *s, int64_t arrived)
{
	static struct buf b = { .max = NAME_MAX };

	buf_clear(&b);
	name_begin(&b, s->out, arrived);
	buf_char(&b, 'P');
	buf_num(&b, pid);
	buf_char(&b, '.');
	buf_str(&b, host);
	if (span_copy(s->tmp, sizeof(s->tmp), buf_get(&b)) == -1 || b.bad)
		die("temporary name does not fit");
}

static void
make_final_name(struct slot *s, int64_t arrived)
{
	static struct buf b = { .max = NAME_MAX };

	buf_clear(&b);
	name_begin(&b, s->out, arrived);
	buf_str(&b, host);
	buf_str(&b, ",S=");
	buf_num(&b, s->size);
	buf_str(&b, ",W=");
	buf_num(&b, s->size + s->lines); /* each LF is CR LF on the wire */
	if (span_copy(s->name, sizeof(s->name), buf_get(&b)) == -1 || b.bad)
		die("file name does not fit");
}

/* The temporary file in s->box. -1 and errno. */
static int
open_tmp(struct slot *s)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;

	s->fd = openat(s->box->tmp_fd, s->tmp, flags, 0600);
	if (s->fd == -1 && errno == EEXIST) {
		/* Ours by its name: of a process long gone with our number. */
		(void)unlinkat(s->box->tmp_fd, s->tmp, 0);
		s->fd = openat(s->box->tmp_fd, s->tmp, flags, 0600);
	}
	return s->fd == -1 ? -1 : 0;
}

static int
open_slot(struct slot *s, struct span mailbox)
{
	s->box = box_get(mailbox);
	if (s->box == NULL)
		return -1;
	if (open_tmp(s) == 0)
		return 0;
	if (errno != ENOENT)
		return -1;
	/*
	 * The mailbox was removed while we had it open. What the batch has
	 * so far is settled first: it may lie in the same mailbox.
	 */
	store_commit();
	box_forget(s->box);
	s->box = box_get(mailbox);
	if (s->box == NULL)
		return -1;
	return open_tmp(s);
}

void
store_add(struct span mailbox, int64_t arrived, uint64_t qid, uint32_t index,
    struct span trace, const struct body *body, struct outcome *out)
{
	struct slot next = { .fd = -1, .out = out };

	if (nslot == BATCH_MAX)
		store_commit();
	out->qid = qid;
	out->index = index;
	make_names(&next, arrived);
	if (open_slot(&next, mailbox) == -1) {
		outcome_errno(out, errno, mailbox);
		return;
	}
	if (write_message(&next, trace, body) == -1) {
		outcome_errno(out, errno, mailbox);
		(void)unlinkat(next.box->tmp_fd, next.tmp, 0);
		fd_close(&next.fd);
		return;
	}
	make_final_name(&next, arrived);
	next.box->pinned = true;
	slots[nslot++] = next;
}

/* The file is durable, then gets its name. Decides the outcome if it fails. */
static void
slot_publish(struct slot *s)
{
	struct box *b = s->box;

	if (fsync(s->fd) == -1)
		goto fail;
	if (os_rename_new(b->tmp_fd, s->tmp, b->new_fd, s->name) == -1) {
		if (errno != EEXIST)
			goto fail;
		/* Delivered in an earlier life; the queue did not hear of it. */
		(void)unlinkat(b->tmp_fd, s->tmp, 0);
	}
	fd_close(&s->fd);
	return;
fail:
	outcome_errno(s->out, errno, span_str(b->path));
	(void)unlinkat(b->tmp_fd, s->tmp, 0);
	fd_close(&s->fd);
}

void
store_commit(void)
{
	struct slot *s;
	size_t i;

	/* Only for several: one file's fsync starts its own writing. */
	for (i = 0; nslot > 1 && i < nslot; i++)
		os_writeback(slots[i].fd);
	for (i = 0; i < nslot; i++)
		slot_publish(&slots[i]);
	box_sync(); /* the names must survive, too */
	for (i = 0; i < nslot; i++) {
		s = &slots[i];
		if (s->out->code != 0)
			continue;
		if (s->box->synced != 0) {
			outcome_errno(s->out, s->box->synced,
			    span_str(s->box->path));
		} else {
			outcome_set(s->out, 250, "2.0.0", "delivered");
			if (!s->box->told)
				mailbox_delivered(s->box->dir_fd, s->name);
			s->box->told = true;
		}
	}
	box_unpin();
	nslot = 0;
}
