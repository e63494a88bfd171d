/*
 * relay_passwords: who we are to smarthosts; the text file
 * MAP_DIR/relay-passwords (postern-relay-passwords(5)) and its map, both for
 * nobody else's eyes.
 *
 *	HOST|HOST:PORT|[ADDRESS]|[ADDRESS]:PORT  USER  PASSWORD
 *
 * The password is the rest of the line. Key: the host in lower case, an
 * address in brackets; ":PORT" after it if there is one. Value: USER, NUL, PASSWORD.
 */
#ifndef LIB_RELAY_PASSWORDS_H
#define LIB_RELAY_PASSWORDS_H

#include "lib/map_text.h"

struct map;

map_reader_fn relay_passwords_read;
/*
 * Reads MAP_DIR/relay-passwords, writes its map. *count: rows. -1: err; also
 * if others may read the file.
 */
int relay_passwords_compile(const struct conf *, size_t *count,
    struct buf *err);

struct relay_password { /* into the map */
	struct span user, password;
};

/* With the port first, then without. False: none. NULL map: none. */
bool relay_password_find(struct map *, struct span host, unsigned port,
    struct relay_password *);

#endif
