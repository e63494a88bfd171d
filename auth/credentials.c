/*
 * credentials: look-up and hash.
 */
#include "auth/credentials.h"

#include <errno.h>

#include "auth/penalty.h"
#include "lib/conf.h"
#include "lib/log.h"
#include "lib/map.h"
#include "lib/password.h"
#include "lib/users.h"

/* If the map has none: what `postern user` would make. Of no word. */
#define DUMMY_HASH                                                            \
	"$y$j9T$F5Jx5fExrKuPp53xLKQ..1$"                                      \
	"X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7"

static struct map *map;

void
credentials_open(int fd)
{
	struct map *fresh = NULL;

	if (fd != -1 && (fresh = map_open(fd)) == NULL) {
		log_begin(LL_ERROR, "map");
		log_str("name", "credentials");
		log_err(errno);
		log_end();
		return; /* a damaged map: the old one serves on */
	}
	map_close(map);
	map = fresh;
	penalty_new_map();
	if (map == NULL)
		log_msg(LL_WARN, "map", "no credentials: nobody can log in; "
		    "run `postern map`");
}

bool
credentials_ready(void)
{
	return map != NULL;
}

int
credentials_key(const struct conf *c, struct span name, struct buf *key)
{
	account_key(name, key);
	if (!users_name_ok(name))
		return -1;
	if (!span_has(name, '@')) {
		buf_char(key, '@');
		buf_str(key, c->default_domain);
	}
	return key->bad ? -1 : 0;
}

static struct span
dummy_hash(void)
{
	struct span hash;

	if (map_get(map, SPAN_NONE, &hash) == MAP_FOUND)
		return hash;
	return SPAN(DUMMY_HASH);
}

enum credentials_got
credentials_check(struct span key, bool valid, struct span password,
    struct account *out)
{
	enum map_got got = MAP_NONE;
	struct span value, hash;
	struct account a = { 0 };
	bool same;

	if (map == NULL)
		return CREDENTIALS_ERROR;
	/* The empty key is the dummy's, no name */
	if (valid && key.n != 0)
		got = map_get(map, key, &value);
	if (got == MAP_ERROR ||
	    (got == MAP_FOUND && account_decode(value, &a) == -1))
		return CREDENTIALS_ERROR;
	hash = got == MAP_FOUND ? a.hash : dummy_hash();
	same = password_check(hash, password);
	if (got != MAP_FOUND)
		return CREDENTIALS_UNKNOWN;
	if (!same)
		return CREDENTIALS_WRONG;
	*out = a;
	return CREDENTIALS_OK;
}
