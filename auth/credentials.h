/*
 * credentials: is this name with this password somebody? An answer costs the
 * same whether the name exists or not.
 */
#ifndef AUTH_CREDENTIALS_H
#define AUTH_CREDENTIALS_H

#include "lib/account.h"

struct conf;

enum credentials_got {
	CREDENTIALS_OK,      /* account is set, spans into the map */
	CREDENTIALS_WRONG,   /* wrong password */
	CREDENTIALS_UNKNOWN, /* no such name; outside the same as WRONG */
	CREDENTIALS_ERROR,   /* no map, or it is damaged */
};

/* Takes fd of credentials.cdb; -1: there is none. */
void credentials_open(int fd);
bool credentials_ready(void);

/*
 * The map key of a name as a client gave it: default domain added, lower
 * case. -1: it cannot be a name (NUL, odd characters, too long); key is then
 * what may stand for it in counters.
 */
int credentials_key(const struct conf *, struct span name, struct buf *key);

enum credentials_got credentials_check(struct span key, bool valid,
    struct span password, struct account *);

#endif
