/*
 * daemon_drop: a child becomes harmless. The order in daemon_confine() is
 * the point of this file.
 */
#include "lib/daemon_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "lib/die.h"
#include "lib/limits.h"
#include "lib/maildir.h"
#include "lib/os.h"
#include "lib/os_file.h"
#include "lib/sandbox.h"

enum log_level
daemon_log_level(const struct conf *c)
{
	static const char *const names[] = { "error", "warn", "info", "debug" };

	for (size_t i = 0; i < nitems(names); i++)
		if (strcmp(c->log_level, names[i]) == 0)
			return (enum log_level)i;
	return LL_INFO;
}

static void
identity_take(const struct ipc_role *r)
{
	uid_t uid = (uid_t)r->uid;
	gid_t gid = (gid_t)r->gid;

	if (uid == 0 || gid == 0 || (uint64_t)uid != r->uid ||
	    (uint64_t)gid != r->gid) {
		errno = 0;
		die("refusing to become user 0 or group 0");
	}
	if (os_capabilities_forbid() == -1)
		die("cannot give up capabilities");
	if (setresgid(gid, gid, gid) == -1)
		die("cannot change to group %lu", (unsigned long)gid);
	if (setresuid(uid, uid, uid) == -1)
		die("cannot change to user %lu", (unsigned long)uid);
	errno = 0;
	if (setuid(0) == 0 || geteuid() == 0) /* trust, but look */
		die("root came back");
}

/* Supplementary groups: a system account's own; else none at all. */
static void
groups_take(const struct ipc_role *r)
{
	char name[256];
	gid_t gid = (gid_t)r->gid;

	if (r->user.n == 0) {
		if (setgroups(1, &gid) == -1)
			die("cannot give up groups");
		return;
	}
	if (span_copy(name, sizeof(name), r->user) == -1) {
		errno = 0;
		die("account name too long");
	}
	if (initgroups(name, gid) == -1)
		die("cannot take the groups of %s", name);
}

static void
root_change(const struct ipc_role *r)
{
	char *path = span_dup(r->chroot);

	if (path == NULL || chroot(path) == -1 || chdir("/") == -1)
		die("cannot change root to %s", path == NULL ? "?" : path);
	free(path);
}

/*
 * The directory below which a deliver process works (all mailboxes of its
 * uid), opened as that user.
 */
static int
owner_root_open(const struct ipc_role *r, const char **path)
{
	char *name = span_dup(r->root);

	if (name == NULL || name[0] != '/') {
		errno = EINVAL;
		die("no directory to work in");
	}
	*path = name; /* lives as long as the process */
	return open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/*
 * The one mailbox of a session; made if its owner has none yet. Virtual
 * users share a uid: this descriptor is the wall between them, so no link
 * may lead out of it. In a home, links are the owner's own affair.
 */
static int
mailbox_open(const struct ipc_role *r, int root_fd)
{
	bool links = r->user.n > 0;
	struct buf rel;
	int fd = -1;

	buf_init(&rel, PATH_LEN_MAX);
	if (maildir_below(r->root, r->mailbox, &rel) == 0) {
		fd = os_opendir_below(root_fd, buf_cstr(&rel), links);
		if (fd == -1 && errno == ENOENT &&
		    maildir_make(root_fd, buf_cstr(&rel), links) == 0)
			fd = os_opendir_below(root_fd, buf_cstr(&rel), links);
	}
	buf_fini(&rel);
	return fd;
}

/*
 * d->dir_fd: the tree a role with files is confined to. Its path. A mailbox
 * or home that cannot be opened is no reason to die in silence: the role
 * starts without any files and tells the client, or the queue, why.
 */
static const char *
dir_open(struct daemon *d)
{
	const char *path;
	int root_fd;

	if (d->role == ROLE_QUEUE) {
		errno = 0;
		if (d->dir_fd == -1)
			die("no spool directory from master");
		/* One manager a spool: wait for the last one to be gone. */
		if (flock(d->dir_fd, LOCK_EX) == -1)
			die("cannot lock the spool");
		return d->conf->spool_dir;
	}
	root_fd = owner_root_open(&d->role_is, &path);
	if (d->role == ROLE_DELIVER || root_fd == -1) {
		d->dir_fd = root_fd;
	} else {
		d->dir_fd = mailbox_open(&d->role_is, root_fd);
		fd_close(&root_fd);
	}
	if (d->dir_fd == -1)
		d->dir_errno = errno;
	else if (fchdir(d->dir_fd) == -1)
		die("cannot enter %s", path);
	return path;
}

/* Order: what needs names, what needs root, what needs the new user. */
void
daemon_confine(struct daemon *d)
{
	const struct ipc_role *r = &d->role_is;
	const char *partial, *root = NULL;

	if (d->before_drop != NULL)
		d->before_drop();
	if (d->privileged) {
		groups_take(r);
		if (r->chroot.n > 0)
			root_change(r);
		identity_take(r);
	}
	if (sandbox_has_files(d->role))
		root = dir_open(d);
	if (d->master == NULL && d->role != ROLE_DELIVER &&
	    os_die_with_parent(SIGTERM) == -1)
		die("cannot ask for master's death");
	if (sandbox_enter(
		d->role, root == NULL ? -1 : d->dir_fd, root, &partial) == -1)
		die("cannot enter the sandbox");
	if (partial[0] != '\0')
		log_msg(LL_WARN, "sandbox", "this kernel has no %s", partial);
}
