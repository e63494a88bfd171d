/*
 * check_owners: who may write to what, in `postern check`. Whoever writes to
 * the configuration, the maps, the programs or the spool is as good as root
 * or as the queue.
 */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/check.h"
#include "lib/die.h"
#include "lib/limits.h"
#include "lib/text.h"
#include "lib/users.h"

enum {
	OWNER_NAME_MAX = 64,
	MAILBOXES_SHOWN = 10,
};

/* A name reads better in chown(1) than a number. */
static void
owner_name(uid_t uid, char *out)
{
	const struct passwd *pw = getpwuid(uid);

	if (pw == NULL || span_copy(out, OWNER_NAME_MAX,
	    span_str(pw->pw_name)) == -1)
		snprintf(out, OWNER_NAME_MAX, "%lu", (unsigned long)uid);
}

bool
check_guard(struct check *k, const char *key, const char *path,
    const struct stat *st, uid_t owner, mode_t deny)
{
	char is[OWNER_NAME_MAX], should[OWNER_NAME_MAX];

	if (st->st_uid != owner) {
		owner_name(st->st_uid, is);
		owner_name(owner, should);
		check_bad(k, "%s %s belongs to %s, not to %s; type: chown %s "
		    "'%s'", key, path, is, should, should, path);
		return false;
	}
	if ((st->st_mode & deny) != 0) {
		check_bad(k, "%s %s has mode %o: others may %s it; type: "
		    "chmod %s '%s'", key, path, st->st_mode & 07777,
		    (st->st_mode & deny & 022) != 0 ? "write to" : "look into",
		    (deny & 055) != 0 ? "go=" : "go-w", path);
		return false;
	}
	return true;
}

bool
check_file(struct check *k, const char *key, const char *path, mode_t deny)
{
	struct stat st;

	if (stat(path, &st) == -1)
		return true; /* whether it must be there, others say */
	return check_guard(k, key, path, &st, st.st_uid == 0 ? 0 : geteuid(),
	    deny);
}

/* --- directories ------------------------------------------------------- */

/* account: who shall own it; NULL: root, or who we are. */
static bool
place(struct check *k, const char *key, const char *path, const char *account,
    mode_t deny)
{
	uid_t owner = geteuid();
	struct stat st;

	if (owner == 0 && account != NULL && check_uid(account, &owner) == -1)
		return false; /* said already */
	if (stat(path, &st) == -1) {
		if (errno == ENOENT)
			check_odd(k, "%s %s is not there yet; postern start "
			    "makes it", key, path);
		else
			check_bad(k, "%s %s: %s", key, path, strerror(errno));
		return false;
	}
	if (!S_ISDIR(st.st_mode)) {
		check_bad(k, "%s %s is not a directory", key, path);
		return false;
	}
	if (account == NULL && st.st_uid == 0)
		owner = 0;
	return check_guard(k, key, path, &st, owner, deny);
}

/* What is in it is made by the system itself, and so need not be there. */
static bool
subplace(struct check *k, const char *key, const char *dir, const char *name,
    const char *account, mode_t deny)
{
	char path[PATH_LEN_MAX];

	return ctl_path(path, dir, name) == -1 || access(path, F_OK) == -1 ||
	    place(k, key, path, account, deny);
}

/* sendmail(8), run by anybody, reads the one and connects in the other. */
static void
open_to_all(struct check *k, const char *key, const char *path, mode_t bits)
{
	struct stat st;

	if (geteuid() == 0 && stat(path, &st) == 0 &&
	    (st.st_mode & bits) != bits)
		check_odd(k, "%s %s has mode %o: sendmail(8) works for its "
		    "owner only; type: chmod a+%s '%s'", key, path,
		    st.st_mode & 07777, S_ISDIR(st.st_mode) ? "rx" : "r",
		    path);
}

void
check_places(struct check *k)
{
	const struct conf *c = k->conf;
	struct span path = span_str(c->path);
	char dir[PATH_LEN_MAX];

	if (check_file(k, "configuration", c->path, 022) &&
	    span_copy(dir, sizeof(dir), span_slice(path, 0,
	    span_rfind(path, '/') + 1)) == 0) {
		open_to_all(k, "configuration", c->path, 0444);
		open_to_all(k, "configuration", dir, 0555);
	}
	if (place(k, "map-dir", c->map_dir, NULL, 022))
		check_ok(k, "map-dir %s", c->map_dir);
	if (place(k, "run-dir", c->run_dir, NULL, 022) &&
	    subplace(k, "run-dir", c->run_dir, "empty", NULL, 022)) {
		open_to_all(k, "run-dir", c->run_dir, 0555);
		check_ok(k, "run-dir %s", c->run_dir);
	}
	if (place(k, "spool-dir", c->spool_dir, c->user_queue, 077) &&
	    subplace(k, "spool-dir", c->spool_dir, "queue", c->user_queue,
		077) &&
	    subplace(k, "spool-dir", c->spool_dir, "corrupt", c->user_queue,
		077))
		check_ok(k, "spool-dir %s", c->spool_dir);
	if (place(k, "mail-root", c->mail_root, c->mail_user, 022))
		check_ok(k, "mail-root %s", c->mail_root);
}

void
check_log(struct check *k)
{
	const struct conf *c = k->conf;
	char dir[PATH_LEN_MAX];
	struct span path = span_str(c->log);
	struct stat st;

	if (conf_syslog(c) != NULL && access(conf_syslog(c), F_OK) == -1)
		check_odd(k, "log syslog: nobody listens at %s, log lines are "
		    "lost; start a syslogd, or set: log = "
		    "/var/log/postern.log", conf_syslog(c));
	if (c->log[0] != '/' || !check_file(k, "log", c->log, 022) ||
	    span_copy(dir, sizeof(dir), span_slice(path, 0,
	    span_rfind(path, '/') + 1)) == -1)
		return;
	if (stat(dir, &st) == -1)
		check_bad(k, "log %s: %s: %s; type: mkdir -p '%s'", c->log,
		    dir, strerror(errno), dir);
	else if (access(dir, W_OK) == -1)
		check_bad(k, "log %s: %s: %s", c->log, dir, strerror(errno));
	else
		check_ok(k, "log %s", c->log);
}

/* --- mailboxes --------------------------------------------------------- */

struct mailboxes {
	struct check *k;
	unsigned seen, bad;
};

/* The Maildir, or what is there of the way to it. */
static int
mailbox_stat(struct span path, char *found, struct stat *st)
{
	for (;;) {
		if (path.n == 0 || span_copy(found, PATH_LEN_MAX, path) == -1)
			return -1;
		if (stat(found, st) == 0)
			return 0;
		if (errno != ENOENT)
			return -1;
		path = span_slice(path, 0, span_rfind(path, '/'));
	}
}

static int
mailbox(void *arg, const struct account *a, size_t line)
{
	struct mailboxes *m = arg;
	char path[PATH_LEN_MAX], is[OWNER_NAME_MAX], should[OWNER_NAME_MAX];
	struct stat st;

	(void)line;
	m->seen++;
	if (mailbox_stat(a->mailbox, path, &st) == -1 ||
	    st.st_uid == (uid_t)a->uid || (st.st_mode & 02) != 0 ||
	    (st.st_gid == (gid_t)a->gid && (st.st_mode & 020) != 0))
		return 0;
	if (m->bad++ >= MAILBOXES_SHOWN)
		return 0;
	owner_name(st.st_uid, is);
	owner_name((uid_t)a->uid, should);
	check_bad(m->k, "mailbox of %.*s: %s belongs to %s, so that %s cannot "
	    "write to it; type: %s %s '%.*s'", SPAN_FMT(a->address), path, is,
	    should, strlen(path) == a->mailbox.n ? "chown -R" :
	    "install -d -m 700 -o", should, SPAN_FMT(a->mailbox));
	return 0;
}

void
check_mailboxes(struct check *k)
{
	struct mailboxes m = { .k = k };
	struct users_owner owner;
	char path[PATH_LEN_MAX];
	struct buf text = { 0 }, err;

	buf_init(&err, 1024 * 1024);
	if (ctl_path(path, k->conf->map_dir, "users") == 0 &&
	    users_owner(k->conf, &owner, &err) == 0 &&
	    text_load(path, TEXT_FILE_MAX, &text, &err) == 0 &&
	    users_read(k->conf, &owner, buf_get(&text), path, mailbox, &m,
		&err) == 0) {
		if (m.bad > MAILBOXES_SHOWN)
			check_bad(k, "and %u mailboxes more", m.bad -
			    MAILBOXES_SHOWN);
		else if (m.bad == 0)
			check_ok(k, "mailboxes: %u", m.seen);
	}
	buf_fini(&text);
	buf_fini(&err);
}
