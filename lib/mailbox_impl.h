/*
 * mailbox_impl: what the files of lib/mailbox*.c share. The table is the
 * folder as the log tells it; the session's view is its first `count` rows.
 *
 * - rows are sorted by uid and only ever appended to; a row that was expunged
 *   stays, gone, until mailbox_sync() may take it out
 * - what is on disk changes under the lock of the log (index_lock), and
 *   every change goes through the log: index_append() writes, table_apply()
 *   makes it true here, in this session as in every other
 */
#ifndef LIB_MAILBOX_IMPL_H
#define LIB_MAILBOX_IMPL_H

#include <sys/types.h>

#include "lib/mailbox.h"
#include "lib/mailbox_log.h"
#include "lib/mailbox_map.h"
#include "lib/os_watch.h"

enum { MF_STORED = MF_SEEN | MF_ANSWERED | MF_FLAGGED | MF_DELETED | MF_DRAFT };

/* The names in the folder's directory. */
#define LOG_NAME "postern.log"
#define MAP_NAME "postern.map"
#define CACHE_NAME "postern.cache"
#define VALIDITY_NAME "postern.validity"

enum row_bits {
	ROW_IN_NEW = 1,   /* the file is in new/ */
	ROW_RECENT = 2,   /* no session has had it as \Recent */
	ROW_ODD = 4,      /* its name is not base ":2," letters */
	ROW_RENAMED = 8,  /* after name_at was written, to that form */
	/* Nobody has looked at its file: no date; the size is its name's. */
	ROW_FRESH = 16,
	ROW_STORED = 31,  /* those that are on disk */
	ROW_CHANGED = 32, /* flags are not what the client was told */
	ROW_FOUND = 64,   /* a scan has met its file */
	ROW_LOOKED = 128, /* it was looked at; the log does not tell yet */
};

struct row {
	struct mailbox_msg m;
	uint64_t hash;    /* of the base of its file's name */
	uint32_t name_at; /* the name, in the log */
	uint16_t bits;
};

struct table {
	struct row *row;
	uint32_t n, cap;
	uint32_t uidvalidity, uidnext;
	uint64_t modseq;
	char *keyword[MAILBOX_KEYWORDS_MAX];
	unsigned keywords_added; /* since the client was told */
	struct mailbox_state cur, new; /* when the table was true */
	uint64_t synced;         /* the log is durable up to here; its name,
	                          * too, if this is not 0 */
	uint64_t promised;       /* where the last NEW record ends */
	uint64_t events;         /* in cur/, that the log has told of */
	bool delivered;          /* deliver told of something in new/ */
};

void table_init(struct table *);
void table_fini(struct table *);
/* at: where the payload begins in the log. -1: it makes no sense. */
int table_apply(struct table *, const struct mailbox_log_record *,
    uint64_t at);
struct row *table_find(const struct table *, uint32_t uid);
/* First index whose uid is >= uid; n if none. */
uint32_t table_from(const struct table *, uint32_t uid);
struct row *table_add(struct table *);
/* Takes out gone rows from index `from` on. */
void table_compact(struct table *, uint32_t from);

/*
 * May a flag have this name? What is told as an atom must be one, whoever
 * wrote it into the index.
 */
bool keyword_ok(struct span name);

/* Names of files. */
uint64_t name_hash(struct span base);
unsigned name_flags(struct span letters);
/* base ":2," letters of flags, and those of others that are no flags. */
void name_make(struct buf *, struct span base, unsigned flags,
    struct span others);
bool name_odd(struct span name, unsigned flags);
/* A new unique base, without sizes. */
void name_unique(struct buf *);

struct mailbox {
	int dir, cur, new, log;
	bool read_only;
	bool adds; /* read_only, but messages and keywords may be added */
	bool locked;
	bool torn;          /* its end may be half a record of ours */
	uint64_t id;        /* of the log */
	uint64_t at;        /* read up to here */
	uint64_t map_at;    /* what the map covers, 0: no map */
	struct table t;
	uint32_t count;     /* rows the client knows */
	struct buf name, stored; /* scratch: row_name() */
	struct os_watch *watch;
	/* mailbox_state.c: is every change of cur/ known? */
	uint64_t events;    /* in cur/, that the watch has seen */
	uint64_t own;       /* caused by this session, not yet in the log */
	uint64_t skew;      /* t.events + own - events, if none is foreign */
	bool exact;         /* skew means something */
	uint64_t looked;    /* events when the table was last known true */
	bool cur_true;      /* the table was true before the change */
	struct mailbox_cache *cache;
	uint32_t looked_at; /* rows that have become ROW_LOOKED */
};

/* mailbox_index.c */
int index_open(struct mailbox *);
int index_catch_up(struct mailbox *);
int index_lock(struct mailbox *);
void index_unlock(struct mailbox *);
/*
 * Records in b become part of log and table; durable: synced. -1: none is
 * taken any more under this lock.
 */
int index_append(struct mailbox *, struct buf *b, bool durable);
int index_sync(struct mailbox *);
/*
 * Reads to the end. *rest: bytes there that are no whole record (yet). A
 * record that makes no sense counts as applied: damaged is set.
 */
int index_read(struct mailbox *, uint64_t *rest, bool *damaged);
void index_complain(const char *what, const char *why);
/* A record for index_append: begin, put fields, end. */
size_t record_begin(struct mailbox *, struct buf *, enum mailbox_log_type);
void record_end(struct mailbox *, struct buf *, size_t start);
/* A uid more in a record of ranges; one that has grown long gets a second. */
void record_uid(struct mailbox *, struct mailbox_ranges *,
    enum mailbox_log_type, size_t *start, uint32_t uid);
/* A file in tmp/ under a name of its own, and how it becomes `name`. */
int index_create(struct mailbox *, struct buf *tmp);
int index_publish(struct mailbox *, struct buf *tmp, const char *name,
    bool first);
int write_all(int fd, struct span);
/* Bytes [at, at + n), or as many as there are, onto b. */
int read_at(int fd, struct buf *b, uint64_t at, size_t n);

/* mailbox_rotate.c. Under the lock, at its end: a log that has grown long is
 * written anew, a map too. */
void index_tidy(struct mailbox *);
int index_rotate(struct mailbox *);
/*
 * There is no log (first), or none that can be read: a new one, of what the
 * map or this session still knows.
 */
int index_rebuild(struct mailbox *, bool first);

/* The name of the row's file (and whether in new/); NULL: not known. */
const char *row_name(struct mailbox *, const struct row *);
int row_dir(const struct mailbox *, const struct row *);
/* As it is in the log. */
int row_stored_name(struct mailbox *, const struct row *, struct buf *);

/* mailbox_state.c */
enum { DUE_CUR = 1, DUE_NEW = 2 };
/* Which of them may differ from the table? */
unsigned state_due(struct mailbox *);
/*
 * Under the lock, before a change in cur/ and after it: is the table true,
 * and at what state is it true from now on? state_end appends one record.
 */
void state_begin(struct mailbox *);
int state_end(struct mailbox *);
/* The table was found true when the directories were like this. */
int state_found(struct mailbox *, const struct mailbox_state *cur,
    const struct mailbox_state *new);
int state_write(struct mailbox *, const struct mailbox_state *cur,
    const struct mailbox_state *new);
void state_drain(struct mailbox *);
void state_forget(struct mailbox *); /* what the watch saw */
/* A directory as it is now; settled if its next change will show. */
struct mailbox_state state_of(int fd);
bool state_same(const struct mailbox_state *, const struct mailbox_state *);

/* mailbox_scan.c: lists what is due, under the lock; one batch of changes. */
int scan(struct mailbox *, unsigned due);
/* Reads the log, looks at cur/ and new/ where that is due (or forced). */
int refresh(struct mailbox *, unsigned force);

/* mailbox_sync.c: new rows join the view. True if there are any. */
bool sync_learn(struct mailbox *);

/* mailbox_look.c: the log learns what this session has looked at. */
void look_keep(struct mailbox *);

/* mailbox_map.c */
int map_load(struct mailbox *, uint64_t log_size);
/* Without its log: uids, flags, hashes of names. */
int map_recover(struct mailbox *);
int map_write(struct mailbox *);
bool map_due(const struct mailbox *);

/* mailbox_change.c: expunges those of seq that have all flags of only. */
int rows_remove(struct mailbox *, const uint32_t *seq, size_t n,
    uint32_t only);

/* mailbox_validity.c */
uint32_t validity_next(int dirfd);

/* mailbox_cache.c */
void cache_close(struct mailbox *);
void cache_rest(struct mailbox *);
/* Takes an entry, as it is in the file. -1: cut or damaged. */
int mailbox_cache_entry(struct span *in, uint32_t *uid, struct span *rec);

#endif
