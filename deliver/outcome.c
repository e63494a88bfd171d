/*
 * outcome: what the queue is told, and what the administrator reads.
 *
 * Nothing that a disk or a directory does is the sender's fault, and all of
 * it can be mended: every errno is a temporary failure, RFC 3463 3.3, 3.4.
 */
#include "deliver/store.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "deliver/box.h"
#include "lib/buf.h"
#include "lib/log.h"

static const struct why {
	int errnum, code;
	const char *enhanced, *text;
} whys[] = {
	{ ENOSPC, 452, "4.3.1", "no space left on the device" },
	{ EDQUOT, 452, "4.2.2", "the owner's disk quota is used up" },
	{ EACCES, 451, "4.3.0", "permission denied; it must belong to uid" },
	{ EPERM, 451, "4.3.0", "not permitted; it must belong to uid" },
	{ ELOOP, 451, "4.3.5", "a symbolic link is in the path" },
	{ ENOTDIR, 451, "4.3.5", "the path has a part that is no directory" },
	{ EXDEV, 451, "4.3.5", "the path leads out of the mail root" },
	{ EINVAL, 451, "4.3.5", "this is no path for a mailbox" },
	{ ENAMETOOLONG, 451, "4.3.5", "the path is too long" },
	{ EROFS, 451, "4.3.0", "the file system is read-only" },
	{ EFBIG, 451, "4.3.0", "over the limit for file sizes" },
};

void
outcome_set(struct outcome *out, int code, const char *enhanced,
    const char *text)
{
	out->code = code;
	out->enhanced = enhanced;
	(void)span_copy(out->text, sizeof(out->text), span_str(text));
}

void
outcome_errno(struct outcome *out, int errnum, struct span mailbox)
{
	const struct why *w = NULL;
	struct buf b;
	size_t i;

	for (i = 0; i < nitems(whys) && w == NULL; i++)
		if (whys[i].errnum == errnum)
			w = &whys[i];
	buf_init(&b, sizeof(out->text) - 1);
	buf_str(&b, w == NULL ? strerror(errnum) : w->text);
	if (errnum == EACCES || errnum == EPERM) {
		buf_char(&b, ' ');
		buf_num(&b, (uint64_t)geteuid());
	}
	buf_str(&b, ": ");
	buf_str(&b, box_name(mailbox));
	outcome_set(out, w == NULL ? 451 : w->code,
	    w == NULL ? "4.3.0" : w->enhanced,
	    b.bad || buf_cstr(&b) == NULL ? strerror(errnum) : buf_cstr(&b));
	buf_fini(&b);

	log_begin(LL_WARN, "mailbox");
	log_str("path", box_name(mailbox));
	log_num("code", (uint64_t)out->code);
	log_str("why", out->text);
	log_end();
}
