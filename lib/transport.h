/*
 * transport: by which way mail for an address leaves. The text file
 * MAP_DIR/transport (postern-transport(5)) and its map transport.cdb:
 *
 *	PATTERN    TRANSPORT
 *
 * PATTERN is user@domain, domain, .suffix (all names below it) or *; the
 * first one found, in this order and the longest suffix first, decides. The
 * last two are not for local domains. TRANSPORT is
 *
 *	mx                   the MX of the recipient's domain
 *	relay:HOST[:PORT]    the MX of HOST; with brackets, [HOST], HOST itself
 *	lmtp:HOST[:PORT]     LMTP over TCP to HOST itself
 *	lmtp:unix:PATH       LMTP over a socket that `lmtp-sockets` names
 *	local                (in a local domain) the mailboxes here
 *	error:[5.X.Y] TEXT   fails, with this text
 *	discard              is done, and gone
 *
 * Key: account_key() of the pattern. Value: the transport in this spelling.
 */
#ifndef LIB_TRANSPORT_H
#define LIB_TRANSPORT_H

#include "lib/map.h"
#include "lib/map_text.h"

enum transport_kind {
	TRANSPORT_LOCAL,
	TRANSPORT_MX,        /* of host; empty: of the recipient's domain */
	TRANSPORT_HOST,      /* host, or the address that it is */
	TRANSPORT_LMTP,
	TRANSPORT_LMTP_UNIX, /* host is a path */
	TRANSPORT_ERROR,
	TRANSPORT_DISCARD,
};

struct transport {
	enum transport_kind kind;
	struct span host; /* no brackets, no "IPv6:" */
	uint32_t port;    /* 0: the usual one */
	struct span enhanced, text; /* of an error */
};

/* Spans point into the word. -1: it is none; *out is kept. */
int transport_parse(struct span word, struct transport *out);
/* What transport_parse() reads back; hosts in lower case. */
void transport_print(struct buf *, const struct transport *);
/* The next hop's name for people: as above, an MX without port only HOST. */
void transport_name(struct buf *, const struct transport *);

/* HOST, HOST:PORT, [HOST], [HOST]:PORT; HOST is a name or an address (IPv6
 * only in brackets). bracket: it stood in them, or is an address. */
int transport_host_parse(struct span, struct span *host, uint32_t *port,
    bool *bracket);

/*
 * The way for an address that addr_parse() made: the map's row, else for a
 * local domain TRANSPORT_LOCAL, else relayhost, else its MX, or itself if it
 * is an address literal. Spans point into the map, conf and address. -1: the
 * map is damaged; *why is a constant sentence. map may be NULL.
 */
int transport_of(const struct conf *, struct map *, struct span address,
    struct transport *, const char **why);

map_reader_fn transport_read;
/* Reads MAP_DIR/transport (none is an empty one), writes transport.cdb. */
int transport_compile(const struct conf *, size_t *count, struct buf *err);

#endif
