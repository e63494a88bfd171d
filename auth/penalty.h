/*
 * penalty: who guesses passwords. Counts, for each client network (IPv4
 * address, IPv6 /64) and each account name, the different wrong passwords
 * that came lately; counters halve every AUTH_HALF_LIFE seconds. Of a
 * password only a keyed hash is kept, for as long as its counter lives, in
 * this process's memory. The table is bounded: who tries from many places
 * evicts the rows unused longest.
 */
#ifndef AUTH_PENALTY_H
#define AUTH_PENALTY_H

#include "lib/span.h"

struct penalty { /* the outcome for one attempt */
	unsigned network, account; /* different wrong passwords, lately */
	bool known;                /* logged in from there before */
};

/* remote: address text; name: map key of the account, existing or not. */
void penalty_look(struct span remote, struct span name, int64_t now,
    struct penalty *);
/* A wrong password. The counters after it are in *p. */
void penalty_add(struct span remote, struct span name, struct span password,
    int64_t now, struct penalty *p);
/* A right one: this network may use this account though others guess. */
void penalty_good(struct span remote, struct span name, int64_t now);
/*
 * Was it found wrong a moment ago, by this map? Then it need not be hashed:
 * who says the same again and again must not cost a hash each time.
 */
bool penalty_was_wrong(struct span name, struct span password, int64_t now);
/* Passwords have changed, perhaps: what was wrong may be right. */
void penalty_new_map(void);

/* For tests. */
void penalty_reset(void);

#endif
