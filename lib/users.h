/*
 * users: the text file MAP_DIR/users (postern-users(5)) and its two maps:
 * users.cdb, address -> account without hash, and credentials.cdb, login ->
 * account with hash.
 *
 *	LOGIN HASH [uid=N gid=N] [mail=MAILDIR] [system=ACCOUNT]
 *
 * LOGIN is an address, or a local part that gets @default-domain. HASH is of
 * crypt(3), or "!": no login. A value in double quotes may hold blanks. With
 * system-domains, accounts of the system join at the end.
 */
#ifndef LIB_USERS_H
#define LIB_USERS_H

#include "lib/account.h"

struct conf;

struct users_owner { /* of virtual mailboxes */
	uint64_t uid, gid;
	bool fixed; /* unprivileged: everything belongs to this uid */
};

/* From mail-user, or who we are if not root. -1: err got a line. */
int users_owner(const struct conf *, struct users_owner *, struct buf *err);

/* Called for each account; line is 0 for those of the system. */
typedef int users_fn(void *arg, const struct account *, size_t line);

/*
 * Reads text. fn may return -1 to stop. -1: err got lines "NAME:LINE:
 * reason; remedy" (fn may have been called before), or fn did.
 */
int users_read(const struct conf *, const struct users_owner *,
    struct span text, const char *name, users_fn *fn, void *arg,
    struct buf *err);

/* The login at the front of a line, as its map key. -1: none. */
int users_line_key(const struct conf *, struct span line, struct buf *key);
/* May this be a login name, an address? Whitelist of characters. */
bool users_name_ok(struct span name);
/* Is this a crypt(3) hash that we take, or "!"? */
bool users_hash_ok(struct span hash);

/* Reads MAP_DIR/users, writes both maps. *count: accounts. -1: err. */
int users_compile(const struct conf *, size_t *count, struct buf *err);

#endif
