/*
 * verb_user: accounts in MAP_DIR/users, edited in place of an editor: under a
 * lock on the directory, checked as a whole before the old file gives way,
 * written to users.new, fsync, rename, fsync. Comments and order stay.
 */
#include <errno.h>
#include <fcntl.h>
#include <bsd/readpassphrase.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "ctl/maps.h"
#include "lib/chars.h"
#include "lib/die.h"
#include "lib/limits.h"
#include "lib/password.h"
#include "lib/text.h"
#include "lib/users.h"

struct edit {
	struct ctl *ctl;
	char path[PATH_LEN_MAX], tmp[PATH_LEN_MAX];
	int dir;         /* locked */
	struct buf old, fresh, key;
	const char *name;
	char hash[PASSWORD_HASH_MAX];
	bool has_hash;   /* from the command line */
	int nopt;
	char **opt;      /* key=value */
};

/* The line that is about e->name: [from, to) in e->old. */
static bool
line_find(struct edit *e, struct span *before, struct span *line)
{
	struct span all = buf_get(&e->old), rest = all, one;
	struct buf key;
	bool found = false;

	buf_init(&key, MAP_KEY_MAX);
	while (!found && rest.n != 0) {
		*before = span_slice(all, 0, all.n - rest.n);
		one = span_line(&rest);
		*line = span_slice(all, before->n, all.n - rest.n);
		one = span_trim(one);
		found = one.n != 0 && one.p[0] != '#' &&
		    users_line_key(e->ctl->conf, one, &key) == 0 &&
		    span_eq(buf_get(&key), buf_get(&e->key));
	}
	buf_fini(&key);
	return found;
}

static int
password_from_tty(char *word, size_t size)
{
	char again[AUTH_PASSWORD_MAX + 1];
	int rc = EX_OK;

	if (readpassphrase("Password: ", word, size, RPP_REQUIRE_TTY) ==
		NULL ||
	    readpassphrase("Again: ", again, sizeof(again),
		RPP_REQUIRE_TTY) == NULL)
		rc = ctl_fail(EX_NOINPUT, "no password was typed");
	else if (strcmp(word, again) != 0)
		rc = ctl_fail(EX_DATAERR, "these are two different passwords");
	explicit_bzero(again, sizeof(again));
	return rc;
}

/* Byte by byte: what stands behind the first line is somebody else's. */
static int
password_from_stdin(char *word, size_t size)
{
	size_t n = 0;
	ssize_t got;
	char c = 0;

	while ((got = read(STDIN_FILENO, &c, 1)) == 1 && c != '\n') {
		if (n + 1 >= size || c == '\0') {
			return ctl_fail(EX_DATAERR, "the password is longer "
			    "than %d bytes, or holds a NUL",
			    AUTH_PASSWORD_MAX);
		}
		word[n++] = c;
	}
	word[n] = '\0';
	return got == -1 ? ctl_fail(EX_NOINPUT, "standard input: %s",
	    strerror(errno)) : EX_OK;
}

static int
password_ask(struct edit *e)
{
	char word[AUTH_PASSWORD_MAX + 1] = "";
	int rc;

	if (e->has_hash)
		return EX_OK;
	rc = isatty(STDIN_FILENO) ? password_from_tty(word, sizeof(word))
				  : password_from_stdin(word, sizeof(word));
	if (rc == EX_OK && word[0] == '\0')
		rc = ctl_fail(EX_DATAERR, "an empty password lets nobody in; "
		    "--no-login says so plainly");
	if (rc == EX_OK && password_hash(span_str(word), e->hash) == -1)
		rc = ctl_fail(EX_OSERR, "crypt(3) knows none of yescrypt, "
		    "bcrypt, SHA-512");
	explicit_bzero(word, sizeof(word));
	return rc;
}

/* The lock ends with the process. */
static int
edit_begin(struct edit *e)
{
	const char *dir = e->ctl->conf->map_dir;
	struct buf err;
	int rc = EX_OK;

	if (ctl_path(e->path, dir, "users") == -1 ||
	    ctl_path(e->tmp, dir, "users.new") == -1)
		return ctl_fail(EX_CONFIG, "%s: too long", dir);
	e->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (e->dir == -1 || flock(e->dir, LOCK_EX) == -1)
		return ctl_fail(EX_OSFILE, "%s: %s", dir, strerror(errno));
	buf_init(&err, 4096);
	if (access(e->path, F_OK) == -1 && errno == ENOENT)
		buf_init(&e->old, TEXT_FILE_MAX); /* the first user */
	else if (text_load(e->path, TEXT_FILE_MAX, &e->old, &err) == -1)
		rc = ctl_fail(EX_NOINPUT, "%s",
		    err.n > 0 ? buf_cstr(&err) : "unreadable");
	buf_fini(&err);
	return rc;
}

static int
nothing(void *arg, const struct account *a, size_t line)
{
	(void)arg;
	(void)a;
	(void)line;
	return 0;
}

/* Would the new text compile? */
static int
edit_check(struct edit *e)
{
	struct users_owner owner;
	struct buf err;
	int rc = EX_OK;

	buf_init(&err, 1024 * 1024);
	if (users_owner(e->ctl->conf, &owner, &err) == -1 ||
	    users_read(e->ctl->conf, &owner, buf_get(&e->fresh), e->path,
		nothing, NULL, &err) == -1) {
		fwrite(err.p, 1, err.n, stderr);
		rc = ctl_fail(EX_DATAERR, "%s was not changed", e->path);
	}
	buf_fini(&err);
	return rc;
}

static int
write_all(int fd, struct span s)
{
	ssize_t n;

	while (s.n != 0) {
		n = write(fd, s.p, s.n);
		if (n == -1 && errno != EINTR)
			return -1;
		if (n > 0)
			(void)span_take(&s, (size_t)n);
	}
	return 0;
}

static int
edit_commit(struct edit *e)
{
	struct stat st;
	int fd, rc = -1;
	bool known = stat(e->path, &st) == 0;

	(void)unlink(e->tmp); /* left by a crash; we hold the lock */
	fd = open(e->tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	    0600);
	if (fd == -1)
		goto out;
	if (known && (fchmod(fd, st.st_mode & 0777) == -1 ||
	    (geteuid() == 0 && fchown(fd, st.st_uid, st.st_gid) == -1)))
		goto out;
	if (write_all(fd, buf_get(&e->fresh)) == -1 || fsync(fd) == -1 ||
	    rename(e->tmp, e->path) == -1 || fsync(e->dir) == -1)
		goto out;
	rc = 0;
out:
	if (rc == -1) {
		rc = ctl_fail(EX_CANTCREAT, "%s: %s", e->tmp, strerror(errno));
		(void)unlink(e->tmp);
	}
	fd_close(&fd);
	return rc;
}

static int
edit_finish(struct edit *e)
{
	int rc;

	if (e->fresh.bad)
		return ctl_fail(EX_DATAERR, "the file would be too large");
	if ((rc = edit_check(e)) != EX_OK || (rc = edit_commit(e)) != EX_OK)
		return rc;
	return maps_compile(e->ctl, "users", true);
}

static void
option_append(struct edit *e, const char *option)
{
	struct span value = span_str(option), key = span_cut(&value, '=');

	buf_char(&e->fresh, ' ');
	buf_span(&e->fresh, key);
	buf_char(&e->fresh, '=');
	if (span_has(value, ' ') || span_has(value, '\t')) {
		buf_char(&e->fresh, '"');
		buf_span(&e->fresh, value);
		buf_char(&e->fresh, '"');
	} else {
		buf_span(&e->fresh, value);
	}
}

static int
user_add(struct edit *e)
{
	struct span before, line, old = buf_get(&e->old);

	if (line_find(e, &before, &line))
		return ctl_fail(EX_DATAERR, "%s is already there; type: "
		    "postern user passwd %s", e->name, e->name);
	buf_span(&e->fresh, old);
	if (old.n != 0 && old.p[old.n - 1] != '\n')
		buf_char(&e->fresh, '\n');
	buf_span(&e->fresh, buf_get(&e->key));
	buf_char(&e->fresh, ' ');
	buf_str(&e->fresh, e->hash);
	for (int i = 0; i < e->nopt; i++)
		option_append(e, e->opt[i]);
	buf_char(&e->fresh, '\n');
	return edit_finish(e);
}

/* Replaces the second word of the line; all else stays as it was. */
static int
user_passwd(struct edit *e)
{
	struct span before, line, rest, login, old = buf_get(&e->old);

	if (!line_find(e, &before, &line))
		return ctl_fail(EX_NOUSER, "%s is not in %s; type: postern "
		    "user add %s", e->name, e->path, e->name);
	rest = line;
	login = span_word(&rest);
	(void)span_word(&rest);
	buf_span(&e->fresh, before);
	buf_span(&e->fresh, login);
	buf_char(&e->fresh, ' ');
	buf_str(&e->fresh, e->hash);
	if (rest.n != 0 && rest.p[0] != '\n' && rest.p[0] != '\r')
		buf_char(&e->fresh, ' ');
	buf_span(&e->fresh, rest);
	if (rest.n == 0) /* span_word() took the line's end with the hash */
		buf_char(&e->fresh, '\n');
	buf_span(&e->fresh, span_slice(old, before.n + line.n, old.n));
	return edit_finish(e);
}

static int
user_delete(struct edit *e)
{
	struct span before, line, old = buf_get(&e->old);

	if (!line_find(e, &before, &line))
		return ctl_fail(EX_NOUSER, "%s is not in %s", e->name,
		    e->path);
	buf_span(&e->fresh, before);
	buf_span(&e->fresh, span_slice(old, before.n + line.n, old.n));
	return edit_finish(e);
}

static int
row_print(void *arg, const struct account *a, size_t line)
{
	(void)arg;
	printf("%-32.*s %-8s %.*s\n", SPAN_FMT(a->address),
	    line == 0 ? "system"
		      : span_eq(a->hash, SPAN("!")) ? "no-login" : "login",
	    SPAN_FMT(a->mailbox));
	return 0;
}

static int
user_list(struct edit *e)
{
	struct users_owner owner;
	struct buf err;
	int rc = EX_OK;

	buf_init(&err, 1024 * 1024);
	if (users_owner(e->ctl->conf, &owner, &err) == -1 ||
	    users_read(e->ctl->conf, &owner, buf_get(&e->old), e->path,
		row_print, NULL, &err) == -1)
		rc = EX_DATAERR;
	fflush(stdout);
	if (err.n != 0)
		fwrite(err.p, 1, err.n, stderr);
	buf_fini(&err);
	return rc;
}

static int
hash_given(struct edit *e, const char *hash)
{
	if (!users_hash_ok(span_str(hash)) ||
	    span_copy(e->hash, sizeof(e->hash), span_str(hash)) == -1)
		return ctl_fail(EX_DATAERR, "--hash: not a hash of crypt(3) "
		    "that Postern takes: yescrypt, bcrypt, SHA-512");
	e->has_hash = true;
	return EX_OK;
}

/* What follows "user add NAME". */
static int
args_read(struct edit *e, int argc, char **argv)
{
	int rc = EX_OK;

	for (int i = 0; i < argc && rc == EX_OK; i++) {
		if (strcmp(argv[i], "--no-login") == 0) {
			rc = hash_given(e, "!");
		} else if (strcmp(argv[i], "--hash") == 0 && i + 1 < argc) {
			rc = hash_given(e, argv[++i]);
		} else if (argv[i][0] != '-' && strchr(argv[i], '=') != NULL &&
		    strpbrk(argv[i], "\"\r\n") == NULL) {
			e->opt = &argv[i];
			e->nopt = argc - i;
			break;
		} else {
			rc = ctl_usage("user: what is \"%s\"?", argv[i]);
		}
	}
	for (int i = 0; i < e->nopt && rc == EX_OK; i++)
		if (strchr(e->opt[i], '=') == NULL ||
		    strpbrk(e->opt[i], "\"\r\n") != NULL)
			rc = ctl_usage("user: what is \"%s\"?", e->opt[i]);
	return rc;
}

int
verb_user(struct ctl *c, int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*fn)(struct edit *);
		bool named, password, options;
	} acts[] = { { "add", user_add, true, true, true },
		{ "passwd", user_passwd, true, true, false },
		{ "delete", user_delete, true, false, false },
		{ "list", user_list, false, false, false } };
	struct edit e = { .ctl = c, .dir = -1 };
	size_t i;
	int rc;

	for (i = 0; i < nitems(acts); i++)
		if (argc > 1 && strcmp(argv[1], acts[i].name) == 0)
			break;
	if (i == nitems(acts) || (argc > 2) != acts[i].named)
		return ctl_usage("user: add NAME, passwd NAME, delete NAME or "
		    "list");
	buf_init(&e.fresh, TEXT_FILE_MAX);
	buf_init(&e.key, MAP_KEY_MAX);
	e.name = acts[i].named ? argv[2] : "";
	if (acts[i].named && (strpbrk(e.name, " \t\r\n") != NULL ||
	    users_line_key(c->conf, span_str(e.name), &e.key) == -1))
		rc = ctl_fail(EX_DATAERR, "\"%s\" cannot be a login; write an "
		    "address such as ann@%s", e.name, c->conf->default_domain);
	else if ((rc = args_read(&e, argc - 3, argv + 3)) == EX_OK &&
	    e.nopt > 0 && !acts[i].options)
		rc = ctl_usage("user %s: no key=value here; edit the file",
		    argv[1]);
	if (rc == EX_OK && acts[i].password)
		rc = password_ask(&e);
	if (rc == EX_OK && (rc = edit_begin(&e)) == EX_OK)
		rc = acts[i].fn(&e);
	fd_close(&e.dir);
	password_wipe(buf_get(&e.old)); /* hashes */
	buf_fini(&e.old);
	buf_fini(&e.fresh);
	buf_fini(&e.key);
	return rc;
}
