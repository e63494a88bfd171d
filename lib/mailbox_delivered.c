/*
 * mailbox_delivered: deliver's word to the index. Nothing depends on it:
 * sessions look at new/ themselves. It is what tells of two deliveries within
 * one tick of the file system's clock, and wakes who watches the log alone.
 *
 * It waits for nobody: who holds the lock looks at new/ anyway.
 */
#include "lib/mailbox_impl.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/die.h"
#include "lib/limits.h"

void
mailbox_delivered(int dirfd, const char *name)
{
	char bytes[MAILBOX_LOG_HEAD];
	struct mailbox_log_head head;
	struct stat st;
	struct buf b;
	size_t start;
	int fd;

	fd = openat(dirfd, LOG_NAME,
	    O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd == -1) /* nobody has read this folder by IMAP yet */
		return;
	buf_init(&b, 512);
	if (strlen(name) > 255 || flock(fd, LOCK_EX | LOCK_NB) == -1 ||
	    fstat(fd, &st) == -1 || st.st_nlink == 0 ||
	    st.st_size > MAILBOX_LOG_MAX ||
	    pread(fd, bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes) ||
	    mailbox_log_head_decode(span_of(bytes, sizeof(bytes)), &head) == -1)
		goto out;
	start = mailbox_log_begin(&b, MLOG_DELIVERED, 0, 0);
	mailbox_log_name_put(&b, span_str(name));
	mailbox_log_end(&b, start, head.id, (uint64_t)st.st_size);
	(void)!write(fd, b.p, b.n);
out:
	fd_close(&fd);
	buf_fini(&b);
}
