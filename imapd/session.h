/*
 * session: one IMAP session after login, RFC 3501 3:
 *
 *	            (login/ had the client up to here)
 *	                          |
 *	                "tag OK ... logged in"
 *	                          v
 *	   +--------------- authenticated <---------------+
 *	   |                      |                       |
 *	   |             SELECT, EXAMINE     CLOSE, UNSELECT, a SELECT that
 *	   |                      v           fails, the folder is gone
 *	   |                  selected -------------------+
 *	   |                      |
 *	   +--> LOGOUT, end of input, silence, too many errors, SIGTERM
 *	                          v
 *	                       (ended)
 *
 * A turn: the command is gathered (input.c), its row found (commands.c), its
 * handler run (cmd_*.c). The handler writes untagged responses to s->out and
 * returns the tagged one, a row of replies.c, or NULL if it has written that
 * as well. Then what happened in the folder is told (view.c), in front of
 * the tagged response.
 */
#ifndef IMAPD_SESSION_H
#define IMAPD_SESSION_H

#include "lib/imap_out.h"
#include "lib/imap_token.h"
#include "lib/net.h"

struct conf;
struct folders;
struct mailbox;
struct text;

enum {
	ST_AUTHENTICATED = 1,
	ST_SELECTED = 2,
	ST_BEFORE = 4, /* never: commands of the login front */
};

/* A tagged response that needs no data. */
struct imap_reply {
	enum out_status status;
	const char *code; /* RFC 5530 and others; NULL: none */
	const char *text;
};

struct session {
	struct net net;
	struct imap_out out;
	const struct conf *conf;
	struct span sid, user;   /* for the log */
	int dir_fd;              /* the Maildir */
	struct folders *folders; /* made at first use: folders_of() */

	/* The command in hand */
	struct buf command;      /* gathered */
	struct buf scratch;      /* its unescaped strings */
	struct span tag;         /* into command; empty: not known */
	struct imap_literal literal; /* APPEND's message, not read yet */
	bool literal_waits;      /* there is one, */
	size_t literal_text;     /* and this long is its "{n}" */
	bool uid;                /* it is a UID command: UIDs are told */
	bool sync_numbers;       /* no EXPUNGE now: FETCH, STORE, SEARCH */
	bool told_all;           /* nothing can be new: SELECT */
	struct buf next;         /* a line that ended IDLE */

	/* The folder in hand */
	unsigned state;
	struct mailbox *box;     /* NULL: none is selected */
	struct buf box_name;     /* UTF-8 */
	bool read_only;          /* EXAMINE */
	struct mailbox *target;  /* the other one, last added to, or NULL */
	struct text *text;       /* the message last read from, kept open */

	const char *end;         /* why the session is over; NULL: it is not */
	unsigned errors;         /* BAD in a row, or nearly so */
	uint64_t commands, fetched, octets, appended; /* for the log */
};

/*
 * Answers the login (tag; empty: PREAUTH), serves until the end. The net is
 * ready, conf and dir_fd are set.
 */
void session_run(struct session *, struct span tag);
void session_fini(struct session *);

/* --- input.c -------------------------------------------------------------- */

enum input { INPUT_COMMAND, INPUT_AGAIN, INPUT_END, INPUT_MORE };
/*
 * Gathers the next command into s->command. AGAIN: what came was no command
 * and has been answered. END: s->end says why. (MORE: within.)
 */
enum input input_gather(struct session *);
/* Reads and forgets what is left of a command. -1: s->end is set. */
int input_drop_literal(struct session *, uint64_t size);
/* The line behind APPEND's message: 0 if it is empty. -1: it is not, or
 * s->end is set. */
int input_last_line(struct session *);
/* Ends the session for what the wire did. */
void input_ended(struct session *, enum net_got);

/* --- answers -------------------------------------------------------------- */

/* The tagged response; counts errors. */
void session_answer(struct session *, const struct imap_reply *);
/* "* BYE [code] text", and the end. */
void session_bye(struct session *, const char *why, const char *code,
    const char *text);
/* A NO for what the system said (errno). */
const struct imap_reply *reply_errno(int errnum);

extern const struct imap_reply A_OK, A_SYNTAX, A_BAD_SET, A_BAD_FLAG,
    A_TOO_BIG, A_EMPTY_MESSAGE, A_NUL, A_MAILBOX_NAME, A_NONEXISTENT,
    A_TRYCREATE, A_EXISTS, A_INBOX, A_READ_ONLY, A_KEYWORDS, A_LIMIT,
    A_EXPUNGED, A_NO_SPACE, A_IN_USE, A_PERMISSION, A_TROUBLE;

/* --- the folder in hand --------------------------------------------------- */

/*
 * Tells the client what happened in the folder. expunges: numbers may
 * change now. A folder that is gone ends the session.
 */
void view_sync(struct session *, bool expunges);
/* Closes the folder, if one is open; nothing is expunged. */
void view_close(struct session *);
/* "* FLAGS (...)" and "* OK [PERMANENTFLAGS (...)] ..." */
void view_flags(struct session *);
/* "* N WHAT" */
void view_number(struct session *, uint32_t n, const char *what);
/* "FLAGS (...)" of a message, as items of a FETCH response. */
void view_message_flags(struct session *, uint32_t seq);

/* --- target.c: where APPEND, COPY and MOVE put messages -------------------- */

/*
 * The folder of that name, the session's until target_rest(). own: it may
 * be the one in hand. NULL and errno.
 */
struct mailbox *target_open(struct session *, struct span name, bool own);
/* After an error it is not kept. */
void target_failed(struct session *);
/* Waits a moment for the client; if nothing comes the target is closed. */
void target_rest(struct session *);
void target_close(struct session *);

/* Numbers of the view, ascending; what a sequence set means. */
struct numbers {
	uint32_t *seq;
	size_t n;
};
/*
 * Takes a set off *in. uid: UIDs (those that are not there are left out);
 * else numbers, which must be there. NULL, or the answer. Fini in any case.
 */
const struct imap_reply *numbers_take(struct session *, struct span *in,
    bool uid, struct numbers *);
void numbers_fini(struct numbers *);

/* --- names of folders ----------------------------------------------------- */

struct folders *folders_of(struct session *);
/*
 * Takes a mailbox name (RFC 3501 9 mailbox, 5.1.3) off *in: UTF-8, into
 * name. NULL, or the answer.
 */
const struct imap_reply *name_take(struct session *, struct span *in,
    struct buf *name);
/* As an astring of a response. */
void name_out(struct session *, struct span utf8);

#endif
