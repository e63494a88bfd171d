/*
 * check_files: accounts, programs and maps of `postern check`.
 */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/check.h"
#include "lib/die.h"
#include "lib/limits.h"
#include "lib/map.h"
#include "lib/map_text.h"
#include "lib/relay_passwords.h"
#include "lib/text.h"
#include "lib/tls_policy.h"

int
check_uid(const char *account, uid_t *uid)
{
	const struct passwd *pw;
	uint64_t n;

	if (span_num(span_str(account), 0, UINT32_MAX - 1, &n) == 0) {
		*uid = (uid_t)n;
		return 0;
	}
	if ((pw = getpwnam(account)) == NULL)
		return -1;
	*uid = pw->pw_uid;
	return 0;
}

void
check_accounts(struct check *k)
{
	const struct conf *c = k->conf;
	const struct {
		const char *key, *account;
	} all[] = { { "user-smtp", c->user_smtp },
		{ "user-login", c->user_login }, { "user-auth", c->user_auth },
		{ "user-dns", c->user_dns },
		{ "user-queue", c->user_queue },
		{ "user-relay", c->user_relay }, { "mail-user", c->mail_user } };
	uid_t uid[nitems(all)];
	unsigned bad = k->bad;

	if (geteuid() != 0)
		return; /* one uid for all */
	for (size_t i = 0; i < nitems(all); i++) {
		uid[i] = 0;
		if (check_uid(all[i].account, &uid[i]) == -1) {
			check_bad(k, "%s: there is no account %s; type: "
			    "useradd --system --no-create-home --shell "
			    "/usr/sbin/nologin %s", all[i].key, all[i].account,
			    all[i].account);
			continue;
		}
		if (uid[i] == 0)
			check_bad(k, "%s: %s is root; set another", all[i].key,
			    all[i].account);
		for (size_t j = 0; j < i; j++)
			if (uid[j] == uid[i] && uid[i] != 0)
				check_bad(k, "%s and %s are the same uid %lu; "
				    "each wants one of its own", all[j].key,
				    all[i].key, (unsigned long)uid[i]);
	}
	if (bad == k->bad)
		check_ok(k, "accounts of the daemons");
}

void
check_programs(struct check *k)
{
	static const char *const names[] = { "master", "smtpd", "queue",
		"deliver", "relay", "login", "auth", "dns", "pop3d",
		"imapd" };
	char path[PATH_LEN_MAX];
	unsigned bad = k->bad;

	check_file(k, "libexec-dir", k->conf->libexec_dir, 022);
	for (size_t i = 0; i < nitems(names); i++) {
		if (ctl_path(path, k->conf->libexec_dir, names[i]) == -1)
			continue; /* no such path could have been configured */
		if (access(path, X_OK) == 0)
			check_file(k, "program", path, 022);
		else if (errno == EACCES && access(path, F_OK) == 0)
			check_bad(k, "program %s cannot be executed; type: "
			    "chmod 755 '%s'", path, path);
		else
			check_bad(k, "libexec-dir: %s: %s; is the path right, "
			    "is Postern installed?", path, strerror(errno));
	}
	if (bad == k->bad)
		check_ok(k, "programs in %s", k->conf->libexec_dir);
}

static bool
is_newer(const struct stat *a, const struct stat *b)
{
	if (a->st_mtim.tv_sec != b->st_mtim.tv_sec)
		return a->st_mtim.tv_sec > b->st_mtim.tv_sec;
	return a->st_mtim.tv_nsec > b->st_mtim.tv_nsec;
}

struct compare {
	struct map *map;
	size_t line; /* of the first row that the map has not, or otherwise */
};

static int
compare_row(void *arg, struct span key, struct span value, size_t line)
{
	struct compare *c = arg;
	struct span is;

	if (map_get(c->map, key, &is) == MAP_FOUND && span_eq(is, value))
		return 0;
	c->line = line;
	return -1;
}

/* The line of the text that the map does not have as it is; 0: none. */
static size_t
differs(struct check *k, struct map *m, const char *source,
    map_reader_fn *read)
{
	struct compare c = { .map = m };
	struct buf text, err;

	buf_init(&text, 0);
	buf_init(&err, 64 * 1024);
	if (read != NULL && access(source, R_OK) == 0 &&
	    text_load(source, TEXT_FILE_MAX, &text, &err) == 0)
		(void)read(k->conf, buf_get(&text), source, compare_row, &c,
		    &err);
	buf_fini(&text);
	buf_fini(&err);
	return c.line;
}

static void
map(struct check *k, const char *text, const char *compiled, bool secret,
    bool needed, map_reader_fn *read)
{
	char source[PATH_LEN_MAX], path[PATH_LEN_MAX];
	struct stat s, m;
	struct map *opened;
	size_t line;
	int fd;

	if (ctl_path(source, k->conf->map_dir, text) == -1 ||
	    ctl_path(path, k->conf->map_dir, compiled) == -1)
		return;
	if (stat(path, &m) == -1) {
		if (errno != ENOENT)
			check_bad(k, "map %s: %s", path, strerror(errno));
		else if (!k->running && access(source, F_OK) == 0)
			check_odd(k, "map %s is not there yet; postern start "
			    "makes it", path);
		else if (needed || access(source, F_OK) == 0)
			check_bad(k, "map %s is missing; type: postern map %s",
			    path, text);
		return;
	}
	if (!check_file(k, "map", path, secret ? 077 : 022))
		return; /* master does not take it */
	if (stat(source, &s) == 0 && is_newer(&s, &m)) {
		check_bad(k, "map %s is older than %s; type: postern map %s",
		    path, source, text);
		return;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1 && errno == EACCES) {
		check_odd(k, "map %s: only its owner can look into it", path);
		return;
	}
	opened = fd == -1 ? NULL : map_open(fd);
	if (opened == NULL)
		check_bad(k, "map %s is damaged (%s); type: postern map %s",
		    path, strerror(errno), text);
	else if ((line = differs(k, opened, source, read)) > 0)
		check_bad(k, "map %s is not what %s says in line %zu; type: "
		    "postern map %s", path, source, line, text);
	else
		check_ok(k, "map %s", path);
	map_close(opened);
}

void
check_maps(struct check *k)
{
	char path[PATH_LEN_MAX];

	map(k, "users", "users.cdb", false, true, NULL);
	map(k, "users", "credentials.cdb", true, true, NULL);
	map(k, "aliases", "aliases.cdb", false, false, NULL);
	map(k, "transport", "transport.cdb", false, false, NULL);
	map(k, "tls-policy", "tls-policy.cdb", false, false, tls_policy_read);
	map(k, "relay-passwords", "relay-passwords.cdb", true, false,
	    relay_passwords_read);
	if (ctl_path(path, k->conf->map_dir, "users") == 0)
		check_file(k, "users", path, 077);
	if (ctl_path(path, k->conf->map_dir, "aliases") == 0)
		check_file(k, "aliases", path, 022);
	if (ctl_path(path, k->conf->map_dir, "tls-policy") == 0 &&
	    access(path, F_OK) == 0)
		check_file(k, "tls-policy", path, 022);
	if (ctl_path(path, k->conf->map_dir, "relay-passwords") == 0 &&
	    access(path, F_OK) == 0)
		check_file(k, "relay-passwords", path, 077);
}
