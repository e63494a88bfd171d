/*
 * daemon: the beginning of every child. Read the set-up from fd 3, open the
 * log, drop what is dangerous to have, lock the door, say READY.
 *
 * - no byte of a stranger is read before the sandbox is closed
 * - a malformed message of master ends the process: two versions are mixed
 * - the order in `daemon_confine` is the point of this file
 */
#include "lib/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/die.h"
#include "lib/limits.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/maildir.h"
#include "lib/os.h"
#include "lib/os_file.h"
#include "lib/sandbox.h"

enum { MASTER_FD = 3 };

static struct daemon *self;  /* the one of this process */
static struct buf role_text; /* where role_is points */

static bool
is_blocking(enum role role)
{
	return role == ROLE_DELIVER || role == ROLE_POP3D ||
	    role == ROLE_IMAPD;
}

static int
take_fd(struct ipc_msg *m, unsigned i)
{
	int fd = m->fd[i];

	m->fd[i] = -1;
	return fd;
}

static _Noreturn void
malformed(const struct ipc_msg *m)
{
	errno = 0;
	die("malformed message %d from master", (int)m->type);
}

/* --- the set-up -------------------------------------------------------- */

/* A front that gives us its socket had it non-blocking. */
static void
make_blocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags == -1 || ((flags & O_NONBLOCK) != 0 &&
	    fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) == -1))
		die("client socket");
}

static void
setup_role(struct daemon *d, struct ipc_msg *m)
{
	if (role_text.n != 0)
		malformed(m);
	buf_span(&role_text, m->body);
	if (role_text.bad ||
	    ipc_role_decode(buf_get(&role_text), &d->role_is) == -1 ||
	    d->role_is.role != (uint32_t)d->role)
		malformed(m);
	d->index = d->role_is.index;
	d->count = d->role_is.count;
	d->privileged = d->role_is.privileged != 0;
	d->client_fd = take_fd(m, 0);
	if (is_blocking(d->role) && d->client_fd != -1)
		make_blocking(d->client_fd);
}

static struct conf *
conf_take(struct ipc_msg *m)
{
	struct conf *c;
	struct buf err;
	int fd = take_fd(m, 0);

	buf_init(&err, 64 * 1024);
	if (fd == -1)
		malformed(m);
	c = conf_read_fd(fd, "configuration", &err);
	errno = 0;
	if (c == NULL) /* master validated it: two versions are mixed */
		die("cannot read the configuration that master gave: %.200s",
		    err.n > 0 ? buf_cstr(&err) : "");
	buf_fini(&err);
	fd_close(&fd);
	return c;
}

static void
setup_listen(struct daemon *d, struct ipc_msg *m)
{
	struct daemon_listen *l;
	struct ipc_listen in;

	if (d->nlisten == DAEMON_LISTEN_MAX ||
	    ipc_listen_decode(m->body, &in) == -1 || m->fd[0] == -1)
		malformed(m);
	l = &d->listen[d->nlisten++];
	if (span_copy(l->service, sizeof(l->service), in.service) == -1 ||
	    span_copy(l->address, sizeof(l->address), in.address) == -1)
		malformed(m);
	l->fd = take_fd(m, 0);
}

/* A new peer, or the successor of one that died. */
static struct daemon_peer *
setup_peer(struct daemon *d, struct ipc_msg *m)
{
	struct daemon_peer *p;
	struct ipc_peer in;
	size_t i;

	if (ipc_peer_decode(m->body, &in) == -1 || m->fd[0] == -1 ||
	    in.role >= ROLE_COUNT)
		malformed(m);
	for (i = 0; i < d->npeer; i++)
		if ((uint32_t)d->peer[i].role == in.role &&
		    d->peer[i].index == in.index)
			break;
	if (i == DAEMON_PEER_MAX)
		malformed(m);
	p = &d->peer[i];
	if (i == d->npeer)
		d->npeer++;
	else
		fd_close(&p->fd);
	p->role = (enum role)in.role;
	p->index = in.index;
	p->fd = take_fd(m, 0);
	return p;
}

static int *
map_slot(struct daemon *d, struct span name)
{
	if (span_eq(name, SPAN("users")))
		return &d->users_fd;
	if (span_eq(name, SPAN("aliases")))
		return &d->aliases_fd;
	if (span_eq(name, SPAN("credentials")))
		return &d->credentials_fd;
	return NULL;
}

static void
setup_map(struct daemon *d, struct ipc_msg *m)
{
	struct ipc_map in;
	int *slot;

	if (ipc_map_decode(m->body, &in) == -1 ||
	    (slot = map_slot(d, in.name)) == NULL)
		malformed(m);
	fd_close(slot);
	/* malformed() does not return */
	/* cppcheck-suppress nullPointerRedundantCheck */
	*slot = take_fd(m, 0);
}

static void
setup_cert(struct daemon *d, struct ipc_msg *m)
{
	struct ipc_cert in;

	if (d->ncert == DAEMON_CERT_MAX ||
	    ipc_cert_decode(m->body, &in) == -1 || m->fd[0] == -1 ||
	    m->fd[1] == -1)
		malformed(m);
	d->cert[d->ncert].cert_fd = take_fd(m, 0);
	d->cert[d->ncert].key_fd = take_fd(m, 1);
	d->ncert++;
}

static void
setup_dir(struct daemon *d, struct ipc_msg *m)
{
	struct ipc_dir in;

	if (ipc_dir_decode(m->body, &in) == -1 || m->fd[0] == -1)
		malformed(m);
	if (span_eq(in.name, SPAN("spool")) && d->dir_fd == -1)
		d->dir_fd = take_fd(m, 0);
	else if (span_eq(in.name, SPAN("tally")) && d->tally_fd == -1)
		d->tally_fd = take_fd(m, 0);
	else
		malformed(m);
}

/* False after GO. */
static bool
setup_one(struct daemon *d, struct ipc_msg *m)
{
	switch (m->type) {
	case IPC_ROLE:
		setup_role(d, m);
		break;
	case IPC_CONFIG:
		conf_free(d->conf);
		d->conf = conf_take(m);
		break;
	case IPC_LISTEN:
		setup_listen(d, m);
		break;
	case IPC_PEER:
		setup_peer(d, m);
		break;
	case IPC_MAP:
		setup_map(d, m);
		break;
	case IPC_CERT:
		setup_cert(d, m);
		break;
	case IPC_DIR:
		setup_dir(d, m);
		break;
	case IPC_GO:
		return false;
	default:
		malformed(m);
	}
	return true;
}

static void
setup_receive(struct daemon *d)
{
	struct buf scratch;
	struct ipc_msg m;
	bool more = true;
	int got;

	buf_init(&role_text, IPC_PACKET_MAX);
	buf_init(&scratch, IPC_PACKET_MAX);
	while (more) {
		got = ipc_recv(MASTER_FD, d->role, ROLE_MASTER, &scratch, &m,
		    true);
		if (got == 0) /* master went away: nothing to say */
			_exit(EX_TEMPFAIL);
		if (got == -1)
			die("no set-up from master");
		more = setup_one(d, &m);
		ipc_close_fds(&m);
	}
	buf_fini(&scratch);
	errno = 0;
	if (role_text.n == 0 || d->conf == NULL)
		die("incomplete set-up from master");
}

/* --- the drop ---------------------------------------------------------- */

static enum log_level
conf_log_level(const struct conf *c)
{
	static const char *const names[] = { "error", "warn", "info",
		"debug" };

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
static void
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
	if (sandbox_enter(d->role, root == NULL ? -1 : d->dir_fd, root,
		&partial) == -1)
		die("cannot enter the sandbox");
	if (partial[0] != '\0')
		log_msg(LL_WARN, "sandbox", "this kernel has no %s", partial);
}

/* --- afterwards -------------------------------------------------------- */

static void
stop_now(struct daemon *d)
{
	if (d->on_stop != NULL)
		d->on_stop();
	else
		loop_stop();
}

static void
later_map(struct daemon *d, struct ipc_msg *m)
{
	struct ipc_map in;
	char name[32];

	if (ipc_map_decode(m->body, &in) == -1 || map_slot(d, in.name) == NULL)
		malformed(m);
	if (d->on_map != NULL && span_copy(name, sizeof(name), in.name) == 0)
		d->on_map(name, take_fd(m, 0));
}

/* The log file was renamed, or the administrator named another. */
static void
later_dir(struct ipc_msg *m)
{
	struct ipc_dir in;

	if (ipc_dir_decode(m->body, &in) == -1 || m->fd[0] == -1 ||
	    !span_eq(in.name, SPAN("log")))
		malformed(m);
	log_flush();
	if (dup2(m->fd[0], STDERR_FILENO) == -1)
		log_msg(LL_WARN, "log", "cannot change the log");
}

static void
later_conf(struct daemon *d, struct ipc_msg *m)
{
	struct conf *old = d->conf;

	d->conf = conf_take(m);
	log_level(conf_log_level(d->conf));
	if (d->on_conf != NULL)
		d->on_conf();
	conf_free(old);
}

static int
later_one(struct ipc *ipc, struct ipc_msg *m, void *arg)
{
	struct daemon *d = arg;

	switch (m->type) {
	case IPC_PEER:
		if (d->on_peer != NULL)
			d->on_peer(setup_peer(d, m));
		return 0;
	case IPC_MAP:
		later_map(d, m);
		return 0;
	case IPC_CONFIG:
		later_conf(d, m);
		return 0;
	case IPC_DIR:
		later_dir(m);
		return 0;
	case IPC_STOP:
		d->hurry = m->id == STOP_NOW;
		stop_now(d);
		return 0;
	default:
		if (d->on_message == NULL)
			return -1;
		return d->on_message(ipc, m);
	}
}

/* Nobody is left to restart peers: end like after STOP. */
static void
master_gone(struct ipc *ipc, void *arg)
{
	struct daemon *d = arg;

	(void)ipc; /* stays; hooks may still hold it, sends just fail */
	log_msg(LL_WARN, "stop", "master is gone");
	d->hurry = true;
	stop_now(d);
}

static void
signals_ignore(struct daemon *d)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	if (!is_blocking(d->role))
		signal(SIGTERM, SIG_IGN);
}

static void
started_by_master(int argc, char **argv)
{
	struct stat st;

	if (argc == 1 && fstat(MASTER_FD, &st) == 0 && S_ISSOCK(st.st_mode))
		return;
	fprintf(stderr, "%s: is started by Postern's master, not by hand; "
			"see postern(8)\n", argc > 0 ? argv[0] : "postern");
	exit(EX_USAGE);
}

void
daemon_start(struct daemon *d, int argc, char **argv)
{
	char *where;

	started_by_master(argc, argv);
	self = d;
	d->users_fd = d->aliases_fd = d->credentials_fd = -1;
	d->dir_fd = d->tally_fd = d->client_fd = -1;
	d->master_fd = MASTER_FD;
	os_close_from(MASTER_FD + 1);
	umask(077);
	signals_ignore(d);
	log_open("stderr", role_name(d->role), LL_INFO);
	setup_receive(d);
	if ((where = span_dup(d->role_is.log)) == NULL)
		die("incomplete set-up from master");
	log_open(where, role_name(d->role), conf_log_level(d->conf));
	free(where);
	if (!is_blocking(d->role)) {
		loop_init();
		d->master = ipc_new(MASTER_FD, d->role, ROLE_MASTER,
		    later_one, master_gone, d);
	}
	daemon_confine(d);
	if (d->prepare != NULL)
		d->prepare();
	if (ipc_write(MASTER_FD, IPC_READY,
		d->flawed ? READY_FLAWED : READY_WHOLE, SPAN_NONE, -1, -1) == -1)
		_exit(EX_TEMPFAIL); /* master went away */
}

void
daemon_peer_lost(enum role role)
{
	struct ipc_peer msg = { (uint32_t)role, 0 };
	struct buf b;

	buf_init(&b, 64);
	ipc_peer_encode(&b, &msg);
	/* No master, no new peer: on_stop is on its way then. */
	(void)ipc_send(self->master, IPC_PEER_LOST, 0, buf_get(&b), -1, -1);
	buf_fini(&b);
}

struct daemon_peer *
daemon_peer(struct daemon *d, enum role role)
{
	for (size_t i = 0; i < d->npeer; i++)
		if (d->peer[i].role == role)
			return &d->peer[i];
	return NULL;
}
