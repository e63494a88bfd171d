/*
 * resolve: what becomes of an address. The same look-up for RCPT (smtpd)
 * and for delivery (queue), so that what is accepted can be delivered.
 * Order, for a local domain: alias of the whole address, alias of the local
 * part, account, the same two without the subaddress, catch-all alias
 * "@domain", postmaster, else unknown. An alias that names its own address
 * ends at the account.
 */
#ifndef LIB_RESOLVE_H
#define LIB_RESOLVE_H

#include "lib/account.h"
#include "lib/map.h"

struct conf;

struct maps { /* the descriptors that master handed out; NULL: not there */
	struct map *users, *aliases;
	struct map *transport; /* of lib/transport.h, not looked at here */
};

/* Takes fd, of the newest map of that name, -1: there is none (lib/map.h). */
void maps_replace(struct maps *, const char *name, int fd);

enum resolve_kind {
	RESOLVE_MAILBOX, /* account is set */
	RESOLVE_ALIAS,   /* targets: a list, see resolve_all() */
	RESOLVE_REMOTE,  /* not a local domain */
	RESOLVE_UNKNOWN, /* 5.1.1 */
	RESOLVE_ERROR,   /* map damaged: temporary */
};

struct resolved {
	enum resolve_kind kind;
	struct account account;
	struct span targets; /* comma-separated canonical addresses */
};

/* One step. Spans point into the maps. */
void resolve_one(const struct conf *, const struct maps *, struct span address,
    struct resolved *);

/* A final recipient. */
struct resolved_rcpt {
	struct span address; /* owned by the list */
	bool local;
	struct account account; /* if local; into the map */
};

struct resolved_list {
	size_t n, cap;
	struct resolved_rcpt *rcpt;
	struct buf mem;
};

/*
 * All the way: aliases expanded, duplicates removed; bounded by
 * ALIAS_DEPTH_MAX, ALIAS_WIDTH_MAX. RESOLVE_MAILBOX: done, list (which may
 * hold others already) filled; an address elsewhere is one with local unset.
 * UNKNOWN: nothing deliverable; ERROR: temporary; the list is then as it was.
 * *why, if why is not NULL, becomes a constant sentence for the log, or NULL:
 * with ERROR the reason ("alias loop"); also if an alias names, beside good
 * ones, an unknown address.
 * A list begins as { 0 }.
 */
enum resolve_kind resolve_all(const struct conf *, const struct maps *,
    struct span address, struct resolved_list *, const char **why);
void resolved_list_fini(struct resolved_list *);

/*
 * The mailbox of a final recipient, as resolve_all() named it: no aliases
 * any more, the subaddress is looked through. MAP_NONE: no such account (it
 * was removed since), MAP_ERROR: temporary.
 */
enum map_got resolve_account(const struct conf *, const struct maps *,
    struct span address, struct account *);

bool resolve_is_local_domain(const struct conf *, struct span domain);

#endif
