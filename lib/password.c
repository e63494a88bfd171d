/*
 * password: hashes of crypt(3).
 */
#include "lib/password.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#if __has_include(<crypt.h>)
#include <crypt.h>
#endif

#include "lib/die.h"
#include "lib/hash.h"
#include "lib/limits.h"

/* In constant time, if the lengths are equal. */
static bool
equal(struct span a, struct span b)
{
	unsigned char diff = 0;

	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		diff |= (unsigned char)(a.p[i] ^ b.p[i]);
	return diff == 0;
}

void
password_wipe(struct span s)
{
	if (s.n != 0)
		explicit_bzero((void *)(uintptr_t)s.p, s.n);
}

bool
password_check(struct span hash, struct span password)
{
	char setting[PASSWORD_HASH_MAX], word[AUTH_PASSWORD_MAX + 1];
	struct crypt_data *data = xcalloc(1, sizeof(*data));
	const char *got;
	bool same = false, fits;

	fits = password.n != 0 &&
	    span_copy(word, sizeof(word), password) == 0;
	if (!fits)
		memcpy(word, "x", 2);
	if (span_copy(setting, sizeof(setting), hash) == 0) {
		got = crypt_r(word, setting, data);
		/* '*' is how crypt(3) says that it failed */
		same = got != NULL && got[0] != '*' && hash.n > 8 &&
		    equal(span_str(got), hash);
	}
	explicit_bzero(word, sizeof(word));
	explicit_bzero(data, sizeof(*data));
	free(data);
	return same && fits;
}

/* 128 random bits in crypt's alphabet, which all kinds but bcrypt share. */
static void
salt_fill(char *salt, size_t n)
{
	static const char digits[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz";

	random_bytes(salt, n);
	for (size_t i = 0; i < n; i++)
		salt[i] = digits[(unsigned char)salt[i] & 63];
}

int
password_hash(struct span password, char hash[PASSWORD_HASH_MAX])
{
	static const struct {
		const char *prefix;
		size_t salt;
		const char *last; /* bcrypt's last digit has but two bits */
	} kinds[] = { { "$y$j9T$", 21, "." }, { "$2b$12$", 21, "." },
		{ "$6$rounds=500000$", 16, "" } };
	char word[AUTH_PASSWORD_MAX + 1], salt[32];
	char setting[PASSWORD_HASH_MAX];
	struct crypt_data *data = xcalloc(1, sizeof(*data));
	const char *got;
	int rc = -1;

	errno = EINVAL;
	if (password.n == 0 || span_copy(word, sizeof(word), password) == -1)
		goto out;
	for (size_t i = 0; i < nitems(kinds) && rc == -1; i++) {
		salt_fill(salt, kinds[i].salt);
		salt[kinds[i].salt] = '\0';
		(void)snprintf(setting, sizeof(setting), "%s%s%s",
		    kinds[i].prefix, salt, kinds[i].last);
		got = crypt_r(word, setting, data);
		if (got != NULL && got[0] != '*' &&
		    strncmp(got, kinds[i].prefix, 3) == 0)
			rc = span_copy(hash, PASSWORD_HASH_MAX,
			    span_str(got));
	}
out:
	explicit_bzero(word, sizeof(word));
	explicit_bzero(data, sizeof(*data));
	free(data);
	return rc;
}
