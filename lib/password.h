/*
 * password: hashes of crypt(3); the only file that calls it. auth checks,
 * postern(8) makes.
 */
#ifndef LIB_PASSWORD_H
#define LIB_PASSWORD_H

#include "lib/span.h"

enum { PASSWORD_HASH_MAX = 384 };

/*
 * Does password match hash? Costs what the hash costs, whatever the answer;
 * compares in constant time; leaves no copy behind. A password with a NUL
 * byte, or over AUTH_PASSWORD_MAX, matches nothing (at the same cost).
 */
bool password_check(struct span hash, struct span password);

/*
 * A new hash, of the best kind this system has (yescrypt, bcrypt, SHA-512).
 * -1 and errno: not even the last, or the password cannot be hashed.
 */
int password_hash(struct span password, char hash[PASSWORD_HASH_MAX]);

/* Overwrites what a span borrows; the optimiser leaves it in. */
void password_wipe(struct span);

#endif
