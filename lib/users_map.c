/*
 * users_map: MAP_DIR/users compiled to users.cdb and credentials.cdb. The
 * credentials are committed last: a login that works always has a mailbox.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/conf.h"
#include "lib/die.h"
#include "lib/limits.h"
#include "lib/map.h"
#include "lib/password.h"
#include "lib/text.h"
#include "lib/users.h"

struct maker {
	struct map_writer *users, *credentials;
	struct buf key, value;
	struct buf usual; /* a hash of the kind that most have */
	size_t votes;
	size_t count;
};

/* What decides the cost of a hash: "$6$rounds=1000", "$2b$12", "$y$j9T". */
static struct span
hash_kind(struct span hash)
{
	struct span rest = span_slice(hash, 1, hash.n);

	if (!span_starts(hash, SPAN("$2"))) {
		hash = span_slice(hash, 0, span_rfind(hash, '$'));
		return span_slice(hash, 0, span_rfind(hash, '$'));
	}
	(void)span_cut(&rest, '$');
	(void)span_cut(&rest, '$');
	return span_slice(hash, 0, hash.n - rest.n);
}

/* The majority vote of Boyer and Moore: one candidate, one counter. */
static void
usual_vote(struct maker *m, struct span hash)
{
	if (m->votes == 0) {
		buf_clear(&m->usual);
		buf_span(&m->usual, hash);
	}
	if (span_eq(hash_kind(buf_get(&m->usual)), hash_kind(hash)))
		m->votes++;
	else
		m->votes--;
}

static int
put(struct map_writer *w, struct maker *m, const struct account *a)
{
	buf_clear(&m->value);
	account_encode(&m->value, a);
	if (m->value.bad || m->key.bad) {
		errno = E2BIG;
		return -1;
	}
	return map_put(w, buf_get(&m->key), buf_get(&m->value));
}

static int
maker_add(void *arg, const struct account *a, size_t line)
{
	struct maker *m = arg;
	struct account bare = *a;

	(void)line;
	bare.hash = SPAN_NONE;
	account_key(a->address, &m->key);
	if (put(m->users, m, &bare) == -1)
		return -1;
	m->count++;
	if (span_eq(a->hash, SPAN("!")))
		return 0;
	usual_vote(m, a->hash);
	return put(m->credentials, m, a);
}

static int
map_path(const struct conf *c, const char *name, char *path, size_t size)
{
	int n = snprintf(path, size, "%s/%s", c->map_dir, name);

	return n < 0 || (size_t)n >= size ? -1 : 0;
}

static struct map_writer *
begin(const struct conf *c, const char *name, unsigned mode, struct buf *err)
{
	char path[PATH_LEN_MAX];
	struct map_writer *w = NULL;

	errno = ENAMETOOLONG;
	if (map_path(c, name, path, sizeof(path)) == 0)
		w = map_create(path, mode);
	if (w == NULL) {
		buf_safe(err, span_str(c->map_dir));
		buf_fmt(err, "/%s: cannot be written: %s\n", name,
		    errno == EWOULDBLOCK ? "somebody else is writing it; try "
					   "again" : strerror(errno));
	}
	return w;
}

static int
commit(const struct conf *c, const char *name, struct map_writer **w,
    struct buf *err)
{
	int rc = map_commit(*w);

	*w = NULL;
	if (rc == -1) {
		buf_safe(err, span_str(c->map_dir));
		buf_fmt(err, "/%s: cannot be written: %s; the old map stays\n",
		    name, strerror(errno));
	}
	return rc;
}

int
users_compile(const struct conf *c, size_t *count, struct buf *err)
{
	struct users_owner owner;
	struct maker m = { 0 };
	char path[PATH_LEN_MAX] = "";
	size_t told = err->n;
	struct buf text;
	int rc = -1;

	buf_init(&text, 0);
	buf_init(&m.key, MAP_KEY_MAX);
	buf_init(&m.value, MAP_VALUE_MAX);
	buf_init(&m.usual, PASSWORD_HASH_MAX);
	if (users_owner(c, &owner, err) == -1 ||
	    map_path(c, "users", path, sizeof(path)) == -1 ||
	    text_load(path, TEXT_FILE_MAX, &text, err) == -1 ||
	    (m.users = begin(c, "users.cdb", 0644, err)) == NULL ||
	    (m.credentials = begin(c, "credentials.cdb", 0600, err)) == NULL)
		goto out;
	if (users_read(c, &owner, buf_get(&text), path, maker_add, &m,
		err) == -1)
		goto out;
	if (m.usual.n != 0 && map_put(m.credentials, SPAN_NONE,
	    buf_get(&m.usual)) == -1)
		goto out; /* commit would say so; the old maps stay */
	if (commit(c, "users.cdb", &m.users, err) == -1 ||
	    commit(c, "credentials.cdb", &m.credentials, err) == -1)
		goto out;
	*count = m.count;
	rc = 0;
out:
	map_abort(m.users);
	map_abort(m.credentials);
	buf_fini(&text);
	buf_fini(&m.key);
	buf_fini(&m.value);
	buf_fini(&m.usual);
	if (rc == -1 && err->n == told)
		buf_fmt(err, "%s: the maps cannot be written: %s\n", path,
		    strerror(errno));
	return rc;
}
