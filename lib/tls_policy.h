/*
 * tls_policy: how much TLS is asked of which servers; the text file
 * MAP_DIR/tls-policy (postern-tls-policy(5)) and its map.
 *
 *	DOMAIN|.SUFFIX|ADDRESS|*  none|may|encrypt|verify  [match=NAME[,NAME]...]
 *
 * Key: the name in lower case, or the address without brackets. Value: the level, a blank, the names.
 */
#ifndef LIB_TLS_POLICY_H
#define LIB_TLS_POLICY_H

#include "lib/map_text.h"

struct map;

enum tls_level {
	TLS_LEVEL_NONE,    /* plain text */
	TLS_LEVEL_MAY,     /* if it can be had */
	TLS_LEVEL_ENCRYPT, /* or not at all; any certificate */
	TLS_LEVEL_VERIFY,  /* or not at all; chain and name */
};

struct tls_policy {
	enum tls_level level;
	struct span match; /* names, commas between; into the map; or empty */
};

map_reader_fn tls_policy_read;
/* Reads MAP_DIR/tls-policy, writes its map. *count: rows. -1: err. */
int tls_policy_compile(const struct conf *, size_t *count, struct buf *err);

/* "none" .. "verify"; -1: none of them. */
int tls_level_parse(struct span word, enum tls_level *);
const char *tls_level_name(enum tls_level);

/*
 * What the map says about the recipients' domain, else about the host, else
 * about "*". For each the name itself goes before its longest suffix. False:
 * nothing. NULL map: nothing. A damaged row counts as "verify".
 */
bool tls_policy_find(struct map *, struct span domain, struct span host,
    struct tls_policy *);

#endif
