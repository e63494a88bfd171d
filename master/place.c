/*
 * place: directories are checked before they are trusted: whoever may write
 * to the spool or to run-dir could take part in the house.
 */
#include "master/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/die.h"
#include "lib/limits.h"
#include "lib/log.h"
#include "master/child.h"
#include "master/generation.h"
#include "master/house.h"

static int pid_fd = -1;

/* --- directories ------------------------------------------------------- */

/* mkdir -p of what is above path; parents belong to whoever we are. */
static int
parents_make(const char *path)
{
	char part[PATH_LEN_MAX];
	struct span p = span_str(path);
	size_t i;

	for (i = 1; i < p.n; i++) {
		if (p.p[i] != '/')
			continue;
		if (span_copy(part, sizeof(part), span_slice(p, 0, i)) == -1) {
			errno = ENAMETOOLONG;
			return -1;
		}
		if (mkdir(part, 0755) == -1 && errno != EEXIST)
			return -1;
	}
	return 0;
}

static int
dir_new(const char *path, mode_t mode, const struct identity *owner)
{
	if (parents_make(path) == -1)
		return -1;
	if (mkdir(path, mode) == -1)
		return errno == EEXIST ? 0 : -1;
	if (chmod(path, mode) == -1) /* whatever the umask */
		return -1;
	if (owner != NULL && house.privileged &&
	    lchown(path, owner->uid, owner->gid) == -1)
		return -1;
	return 0;
}

/*
 * owner NULL: ours. strict: it must be the owner's. Nobody else may write to
 * it; whether others may read it is the administrator's affair.
 */
static int
dir_make(const char *key, const char *path, mode_t mode,
    const struct identity *owner, bool strict, struct buf *err)
{
	uid_t uid = owner == NULL ? geteuid() : owner->uid;
	struct stat st;

	if (dir_new(path, mode, owner) == -1) {
		buf_fmt(err, "%s: cannot make %s: %s\n", key, path,
		    strerror(errno));
		return -1;
	}
	if (stat(path, &st) == -1 || !S_ISDIR(st.st_mode)) {
		buf_fmt(err, "%s: %s is not a directory\n", key, path);
		return -1;
	}
	if (st.st_uid != uid && strict) {
		buf_fmt(err, "%s: %s belongs to uid %lu; chown it to %lu\n",
		    key, path, (unsigned long)st.st_uid, (unsigned long)uid);
		return -1;
	}
	if ((st.st_mode & 022) != 0) {
		buf_fmt(err, "%s: others may write to %s; chmod go-w it\n", key,
		    path);
		return -1;
	}
	return 0;
}

int
place_dirs(const struct generation *g, struct buf *err)
{
	static const char *const parts[] = { "queue", "corrupt" };
	const struct conf *c = g->conf;
	char empty[PATH_LEN_MAX], part[PATH_LEN_MAX];
	int rc = 0;

	snprintf(empty, sizeof(empty), "%s/empty", c->run_dir);
	rc |= dir_make("run-dir", c->run_dir, 0755, NULL, true, err);
	if (rc == 0) /* nobody, not even root by mistake, puts things there */
		rc |= dir_make("run-dir", empty, 0555, NULL, true, err);
	rc |= dir_make(
	    "spool-dir", c->spool_dir, 0700, &g->id[ROLE_QUEUE], true, err);
	for (size_t i = 0; rc == 0 && i < nitems(parts); i++) {
		snprintf(part, sizeof(part), "%s/%s", c->spool_dir, parts[i]);
		rc |= dir_make(
		    "spool-dir", part, 0700, &g->id[ROLE_QUEUE], true, err);
	}
	/* Whose it is decides only who can make new domains in it. */
	rc |= dir_make("mail-root", c->mail_root, 0700, &g->mail, false, err);
	return rc == 0 ? 0 : -1;
}

/* --- the pid file ------------------------------------------------------ */

static void
pid_path(const struct conf *c, char *out, size_t size)
{
	snprintf(out, size, "%s/master.pid", c->run_dir);
}

int
place_pid_lock(const struct conf *c, struct buf *err)
{
	char path[PATH_LEN_MAX];

	pid_path(c, path, sizeof(path));
	pid_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (pid_fd == -1) {
		buf_fmt(err, "run-dir: cannot open %s: %s\n", path,
		    strerror(errno));
		return -1;
	}
	if (flock(pid_fd, LOCK_EX | LOCK_NB) == -1) {
		buf_fmt(err, "already running: %s is locked\n", path);
		fd_close(&pid_fd);
		return -1;
	}
	return 0;
}

void
place_pid_write(void)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

	if (ftruncate(pid_fd, 0) == -1 ||
	    pwrite(pid_fd, text, (size_t)n, 0) != n ||
	    fchmod(pid_fd, 0644) == -1)
		log_msg(LL_WARN, "start", "cannot write the pid file: %s",
		    strerror(errno));
}

void
place_pid_remove(const struct conf *c)
{
	char path[PATH_LEN_MAX];

	pid_path(c, path, sizeof(path));
	unlink(path); /* while it is locked: nobody else's */
	fd_close(&pid_fd);
}
