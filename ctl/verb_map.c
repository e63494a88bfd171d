/*
 * verb_map: compiles maps and tells master, who hands them to the daemons.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "ctl/ctl.h"
#include "ctl/maps.h"
#include "lib/aliases.h"
#include "lib/limits.h"
#include "lib/transport.h"
#include "lib/relay_passwords.h"
#include "lib/tls_policy.h"
#include "lib/users.h"

static const struct {
	const char *name;
	int (*compile)(const struct conf *, size_t *, struct buf *);
} maps[] = {
	{ "users", users_compile },
	{ "aliases", aliases_compile },
	{ "transport", transport_compile },
	{ "tls-policy", tls_policy_compile },
	{ "relay-passwords", relay_passwords_compile },
};

int
maps_compile(const struct ctl *c, const char *name, bool quiet)
{
	static char verb[] = "map";
	char word[32];
	char *args[] = { verb, word, NULL };
	size_t i, count = 0;
	struct buf err;
	int rc = EX_OK;

	for (i = 0; i < nitems(maps) && strcmp(maps[i].name, name) != 0; i++)
		;
	if (i == nitems(maps))
		return ctl_usage("there is no map \"%s\"; there are users, "
		    "aliases, transport, tls-policy and relay-passwords", name);
	buf_init(&err, 1024 * 1024);
	if (maps[i].compile(c->conf, &count, &err) == -1)
		rc = EX_DATAERR;
	else if (!quiet)
		printf("%s: %zu %s\n", name, count,
		    count == 1 ? "entry" : "entries");
	fflush(stdout);
	if (err.n != 0)
		fwrite(err.p, 1, err.n, stderr);
	buf_fini(&err);
	if (rc == EX_OK && span_copy(word, sizeof(word), span_str(name)) == 0 &&
	    talk_is_up(c))
		rc = talk(c, ROLE_MASTER, 2, args, NULL, false);
	return rc;
}

struct map_file {
	const char *text, *compiled;
};

enum map_age { MAP_FRESH, MAP_OLD, MAP_MISSING };

static enum map_age
map_age(const struct conf *c, const struct map_file *f)
{
	char path[PATH_LEN_MAX];
	struct stat text, map;

	if (ctl_path(path, c->map_dir, f->text) == -1 ||
	    stat(path, &text) == -1)
		return MAP_FRESH; /* made elsewhere, or nobody is here yet */
	if (ctl_path(path, c->map_dir, f->compiled) == -1 ||
	    stat(path, &map) == -1)
		return MAP_MISSING;
	if (text.st_mtim.tv_sec == map.st_mtim.tv_sec)
		return text.st_mtim.tv_nsec > map.st_mtim.tv_nsec ? MAP_OLD :
			MAP_FRESH;
	return text.st_mtim.tv_sec > map.st_mtim.tv_sec ? MAP_OLD : MAP_FRESH;
}

int
maps_renew(const struct ctl *c)
{
	static const struct map_file files[] = {
		{ "users", "users.cdb" },
		{ "users", "credentials.cdb" },
		{ "aliases", "aliases.cdb" },
		{ "transport", "transport.cdb" },
		{ "tls-policy", "tls-policy.cdb" },
		{ "relay-passwords", "relay-passwords.cdb" },
	};
	enum map_age age;
	int rc;

	for (size_t i = 0; i < nitems(files); i++) {
		age = map_age(c->conf, &files[i]);
		if (age == MAP_FRESH)
			continue;
		rc = maps_compile(c, files[i].text, true);
		if (rc != EX_OK && age == MAP_MISSING)
			return rc;
	}
	return EX_OK;
}

int
verb_map(struct ctl *c, int argc, char **argv)
{
	int rc = EX_OK, one;

	for (int i = 1; i < argc; i++)
		if ((one = maps_compile(c, argv[i], false)) != EX_OK)
			rc = one;
	for (size_t i = 0; argc == 1 && i < nitems(maps); i++)
		if ((one = maps_compile(c, maps[i].name, false)) != EX_OK)
			rc = one;
	return rc;
}
