/*
 * replies: the tagged responses that carry no data. Codes: RFC 3501 7.1,
 * 5530, 7889. BAD is for what is no command, NO for what cannot be done.
 */
#include "imapd/session.h"

#include <errno.h>

#define ROW(name, status, code, text) \
	const struct imap_reply name = { OUT_##status, code, text }

ROW(A_OK, OK, NULL, "done");

/* Its text is the usage of the command, if there is one. */
ROW(A_SYNTAX, BAD, NULL, "wrong arguments");
ROW(A_BAD_SET, BAD, NULL, "no such message number");
ROW(A_BAD_FLAG, BAD, NULL, "no such flag");
ROW(A_TOO_BIG, NO, "TOOBIG", "the message is too large");
ROW(A_EMPTY_MESSAGE, NO, "CANNOT", "a message has at least one byte");
ROW(A_NUL, NO, "CANNOT", "a message cannot have NUL bytes");

ROW(A_MAILBOX_NAME, NO, "CANNOT", "a folder cannot have that name");
ROW(A_NONEXISTENT, NO, "NONEXISTENT", "no such folder");
ROW(A_TRYCREATE, NO, "TRYCREATE", "no such folder; it can be created");
ROW(A_EXISTS, NO, "ALREADYEXISTS", "there is such a folder already");
ROW(A_INBOX, NO, "CANNOT", "INBOX stays");
ROW(A_READ_ONLY, NO, NULL, "the folder is open read-only (EXAMINE)");
ROW(A_KEYWORDS, NO, "LIMIT", "the folder has no room for more keywords");
ROW(A_LIMIT, NO, "LIMIT", "that is too much for one command");
ROW(A_EXPUNGED, NO, "EXPUNGEISSUED", "some of these messages are gone");
ROW(A_NO_SPACE, NO, "OVERQUOTA", "no space left");
ROW(A_IN_USE, NO, "INUSE", "busy; try again");
ROW(A_PERMISSION, NO, "NOPERM", "not permitted");
ROW(A_TROUBLE, NO, "SERVERBUG", "the mailbox is in trouble");

const struct imap_reply *
reply_errno(int errnum)
{
	static const struct {
		int errnum;
		const struct imap_reply *reply;
	} rows[] = {
		{ ENOENT, &A_NONEXISTENT },
		{ EEXIST, &A_EXISTS },
		{ ENOTEMPTY, &A_EXISTS },
		{ EINVAL, &A_MAILBOX_NAME },
		{ ENAMETOOLONG, &A_MAILBOX_NAME },
		{ EILSEQ, &A_MAILBOX_NAME },
		{ E2BIG, &A_LIMIT },
		{ EMFILE, &A_LIMIT },
		{ EFBIG, &A_TOO_BIG },
		{ ENOSPC, &A_NO_SPACE },
		{ EDQUOT, &A_NO_SPACE },
		{ EAGAIN, &A_IN_USE },
		{ EBUSY, &A_IN_USE },
		{ EACCES, &A_PERMISSION },
		{ EPERM, &A_PERMISSION },
		{ EROFS, &A_PERMISSION },
	};

	for (size_t i = 0; i < nitems(rows); i++)
		if (rows[i].errnum == errnum)
			return rows[i].reply;
	return &A_TROUBLE;
}
