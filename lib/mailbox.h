/*
 * mailbox: one open folder: a Maildir and its index, and this session's view
 * of them. The view (numbers 1 .. n) changes only in mailbox_sync(), when the
 * caller may tell its client. Several sessions, deliveries and foreign
 * programs may work on the same folder at once.
 *
 * On disk, beside cur/ new/ tmp/ (postern-mailbox(5)):
 *	log    append-only transactions, each with a checksum: new uid, flags,
 *	       expunge, keyword names; writers hold a short lock
 *	map    compacted state, fixed-size rows sorted by uid, mapped for
 *	       reading, replaced by rename; knows its place in the log and the
 *	       state of cur/ and new/ at which it was true
 *	cache  lib/structure.h records by uid, append-only, rebuilt at will
 * The index can be lost: flags come back from the file names, UIDs get a new
 * UIDVALIDITY.
 */
#ifndef LIB_MAILBOX_H
#define LIB_MAILBOX_H

#include "lib/buf.h"

struct mailbox;
struct structure;

enum mailbox_flag {
	MF_SEEN = 1, MF_ANSWERED = 2, MF_FLAGGED = 4, MF_DELETED = 8,
	MF_DRAFT = 16,
	MF_RECENT = 32, /* this session's; never stored */
};
enum { MAILBOX_KEYWORDS_MAX = 64 }; /* of one folder; bit i is keyword i */

struct mailbox_msg { /* a row of the view; ask again after any other call */
	uint32_t uid;
	uint32_t flags;
	uint64_t keywords;
	uint64_t modseq;
	/* These three: after mailbox_look(). */
	int64_t internaldate; /* s since the epoch */
	uint64_t size;        /* RFC822.SIZE, CR LF octets; 0 with known unset */
	bool size_known;
	bool gone;            /* expunged elsewhere, not told yet */
};

/*
 * dirfd: the folder's directory, open (taken). read_only: EXAMINE; nothing
 * of the Maildir or of \Recent is changed (the index may be). NULL and
 * errno. An unchanged folder costs one mmap and some stats.
 */
struct mailbox *mailbox_open(int dirfd, bool read_only);
/*
 * The same to put messages into it (APPEND, COPY, MOVE): what is there keeps
 * its \Recent for who selects the folder.
 */
struct mailbox *mailbox_open_target(int dirfd);
void mailbox_close(struct mailbox *);
/* Is that directory, under whatever name it was opened, this folder? */
bool mailbox_is(const struct mailbox *, int dirfd);

uint32_t mailbox_uidvalidity(const struct mailbox *);
uint32_t mailbox_uidnext(const struct mailbox *);
uint64_t mailbox_modseq(const struct mailbox *);     /* HIGHESTMODSEQ */
uint32_t mailbox_count(const struct mailbox *);
uint32_t mailbox_recent(const struct mailbox *);
/* seq: 1 .. count. */
const struct mailbox_msg *mailbox_msg(const struct mailbox *, uint32_t seq);
/* First number whose uid is >= uid; count + 1 if none. */
uint32_t mailbox_seq_from(const struct mailbox *, uint32_t uid);

/* Keyword names, valid until the next sync; "" if bit is not in use. */
const char *mailbox_keyword(const struct mailbox *, unsigned bit);
/* The bit of a name (any case); make: a new one if there is room. -1. */
int mailbox_keyword_bit(struct mailbox *, struct span name, bool make);

/*
 * Learns what happened elsewhere (and in this session's own calls). With
 * expunges false, vanished messages stay in the view, marked gone. Calls, in
 * an order that a client can follow: expunged (from high numbers to low),
 * then exists if the count grew, then changed for each row whose flags are
 * not what the client was told. keywords: names were added.
 */
struct mailbox_news {
	void (*expunged)(void *arg, uint32_t seq, uint32_t uid);
	void (*exists)(void *arg, uint32_t count, uint32_t recent);
	void (*changed)(void *arg, uint32_t seq);
	void (*keywords)(void *arg);
};
int mailbox_sync(struct mailbox *, bool expunges, const struct mailbox_news *,
    void *arg);

/*
 * STORE on rows of the view (sorted numbers). All or as far as it goes: -1
 * and errno if the log cannot be written. Rows of the view are up to date
 * afterwards; silent: sync will not report this change to this session.
 * Rows that are gone are skipped and counted in *skipped.
 */
enum mailbox_op { MOP_SET, MOP_ADD, MOP_REMOVE };
int mailbox_store(struct mailbox *, const uint32_t *seq, size_t n,
    enum mailbox_op, uint32_t flags, uint64_t keywords, bool silent,
    size_t *skipped);
/* Removes the files of those with \Deleted among seq; sync tells. */
int mailbox_expunge(struct mailbox *, const uint32_t *seq, size_t n);

/* What its file was called when we saw it last; until the next call. */
struct span mailbox_name(struct mailbox *, uint32_t seq);
/*
 * Date and size of the row: of a message that a scan found nobody has looked
 * at the file yet. What mailbox_structure() gave stays valid. -1 and errno;
 * ENOENT: it is gone.
 */
int mailbox_look(struct mailbox *, uint32_t seq);
/*
 * The message's file, open for reading; found again if another program has
 * renamed it. -1: ENOENT: it is gone (sync will say so).
 */
int mailbox_file(struct mailbox *, uint32_t seq);
/*
 * The record of lib/structure.h, opened; made and kept at first use. Its size
 * is also put into the view. Valid until the next call but mailbox_msg(). -1
 * and errno.
 */
int mailbox_structure(struct mailbox *, uint32_t seq, struct structure *);

/*
 * APPEND: a file in tmp/ to be written (LF lines), then made durable and
 * visible with flags and date. *uid is its UID. -1 and errno (nothing is
 * left). abort: forgets it; so does commit, in any case.
 */
struct mailbox_new;
struct mailbox_new *mailbox_new_begin(struct mailbox *);
int mailbox_new_write(struct mailbox_new *, struct span);
int mailbox_new_commit(struct mailbox_new *, uint32_t flags,
    uint64_t keywords, int64_t internaldate, uint32_t *uid);
void mailbox_new_abort(struct mailbox_new *);
/*
 * COPY, MOVE: rows of the view of from into to (by link(2) where the file
 * system can). All or nothing. from_uid, to_uid: n each, filled in the order
 * of seq; rows that were gone have 0. move: from's are removed after to's
 * are durable.
 */
int mailbox_copy(struct mailbox *from, const uint32_t *seq, size_t n,
    struct mailbox *to, bool move, uint32_t *from_uid, uint32_t *to_uid);

/*
 * Readable when the folder may have changed (inotify, kqueue; -1: look every
 * second instead). mailbox_sync() empties it.
 */
int mailbox_watch_fd(struct mailbox *);

/* STATUS without a session's view: cheap if the map is true. */
struct mailbox_status {
	uint32_t messages, recent, uidnext, uidvalidity, unseen, deleted;
	uint64_t modseq, size;
};
int mailbox_status(int dirfd, struct mailbox_status *);

/*
 * deliver: a message has been put into new/ under this name. Best effort:
 * without it sessions find the file themselves. One append.
 */
void mailbox_delivered(int dirfd, const char *name);

#endif
