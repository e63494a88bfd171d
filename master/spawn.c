/*
 * spawn: the only place with fork(2) and execve(2).
 *
 * A child starts with: 0 and 1 /dev/null, 2 the log, 3 the channel; every
 * other descriptor is close-on-exec. What it is to be comes over the
 * channel, in the order of setup_*() here, ended by GO.
 */
#include "master/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/die.h"
#include "lib/limits.h"
#include "lib/log.h"
#include "master/child.h"
#include "master/generation.h"
#include "master/house.h"
#include "master/listen.h"
#include "master/maps.h"
#include "master/tickets.h"
#include "master/topology.h"

/* --- the process ------------------------------------------------------- */

static char *const *
environment(void)
{
	static char *none[] = { NULL, NULL, NULL };
#ifdef SANITIZED
	static char text[2][512];
	static const char *const names[] = { "ASAN_OPTIONS", "UBSAN_OPTIONS" };
	size_t n = 0;

	for (size_t i = 0; i < nitems(names); i++)
		if (getenv(names[i]) != NULL) {
			snprintf(text[n], sizeof(text[n]), "%s=%s", names[i],
			    getenv(names[i]));
			none[n] = text[n];
			n++;
		}
#endif
	return none;
}

/* In the child. Only what is safe between fork and exec. */
static _Noreturn void
become(const char *path, int channel)
{
	static const int signals[] = { SIGPIPE, SIGHUP, SIGINT, SIGTERM,
		SIGCHLD, SIGUSR1, SIGUSR2, SIGALRM, SIGQUIT };
	char *argv[] = { (char *)(uintptr_t)path, NULL };
	sigset_t none;
	int null;

	for (size_t i = 0; i < nitems(signals); i++)
		signal(signals[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null == -1 || dup2(null, 0) == -1 || dup2(null, 1) == -1)
		_exit(126);
	if (channel == 3 ? fcntl(3, F_SETFD, 0) == -1 : dup2(channel, 3) == -1)
		_exit(126);
	if (chdir("/") == -1)
		_exit(126);
	execve(path, argv, environment());
	_exit(127);
}

static struct child *
fork_exec(enum role role, const struct conf *conf)
{
	char path[PATH_LEN_MAX];
	struct buf b;
	int pair[2] = { -1, -1 };
	sigset_t all, old;
	pid_t pid;

	buf_init(&b, sizeof(path));
	buf_fmt(&b, "%s/%s", conf->libexec_dir, role_name(role));
	if (span_copy(path, sizeof(path), buf_get(&b)) == -1)
		b.bad = true;
	buf_fini(&b);
	if (path[0] == '\0' || ipc_pair(pair) == -1)
		goto fail;
	log_flush(); /* or the child would write the lines again */
	/* Until exec, our signal handlers must not run in the child. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	if ((pid = fork()) == 0)
		become(path, pair[1]);
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (pid == -1)
		goto fail;
	fd_close(&pair[1]);
	return child_new(role, pid, pair[0]);
fail:
	log_begin(LL_ERROR, "spawn");
	log_str("role", role_name(role));
	log_err(errno);
	log_end();
	fd_close(&pair[0]);
	fd_close(&pair[1]);
	return NULL;
}

/* --- the set-up -------------------------------------------------------- */

static void
role_fill(struct child *c, struct ipc_role *is, const struct conf *conf)
{
	is->role = (uint32_t)c->role;
	is->privileged = house.privileged;
	is->log = conf_syslog(conf) != NULL ? SPAN("syslog") : SPAN("stderr");
	c->uid = (uid_t)is->uid;
	c->gid = (gid_t)is->gid;
	c->chrooted = is->privileged != 0 && is->chroot.n > 0;
}

static void
setup_role(
    struct child *c, struct ipc_role *is, const struct conf *conf, int fd)
{
	struct buf b;

	buf_init(&b, IPC_PACKET_MAX);
	role_fill(c, is, conf);
	ipc_role_encode(&b, is);
	child_send(c, IPC_ROLE, 0, &b, fd, -1);
	buf_fini(&b);
}

static void
setup_listen(struct child *c, const struct topology_row *row, bool next)
{
	struct ipc_listen msg;
	struct buf b;

	buf_init(&b, 1024);
	for (struct listener *l = listeners; l != NULL; l = l->next_one) {
		if (!topology_has_service(row, l->service) ||
		    !(next ? l->next : l->now))
			continue;
		buf_clear(&b);
		msg.service = span_str(l->service);
		msg.address = span_str(l->bound);
		ipc_listen_encode(&b, &msg);
		child_send(c, IPC_LISTEN, 0, &b, l->fd, -1);
	}
	buf_fini(&b);
}

/* What was begun cannot be completed: it ends before it has started. */
static void
spawn_failed(struct child *c, const char *why)
{
	log_begin(LL_ERROR, "spawn");
	log_str("role", role_name(c->role));
	log_str("what", why);
	log_err(errno);
	log_end();
	kill(c->pid, SIGKILL);
}

static void
setup_cert(struct child *c, const struct generation *g)
{
	struct ipc_cert msg = { span_str(g->conf->tls_certificate) };
	struct buf b;
	int cert, key;

	if (g->cert_fd == -1)
		return;
	/* Copies: the offset of a file is shared by all who share it. */
	cert = generation_copy(g->cert_fd);
	key = generation_copy(g->key_fd);
	buf_init(&b, 4096);
	ipc_cert_encode(&b, &msg);
	if (cert != -1 && key != -1)
		child_send(c, IPC_CERT, 0, &b, cert, key);
	else /* it shall not serve without; its seat is filled again */
		spawn_failed(c, "cannot copy the certificate");
	buf_fini(&b);
	fd_close(&cert);
	fd_close(&key);
}

static void
send_dir(struct child *c, struct span name, int fd)
{
	struct ipc_dir msg = { name };
	struct buf b;

	buf_init(&b, 64);
	ipc_dir_encode(&b, &msg);
	child_send(c, IPC_DIR, 0, &b, fd, -1);
	buf_fini(&b);
}

static void
setup_spool(struct child *c, const struct conf *conf)
{
	int fd = open(conf->spool_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd == -1)
		spawn_failed(c, "cannot open spool-dir");
	else
		send_dir(c, SPAN("spool"), fd);
	fd_close(&fd);
}

static void
send_peer(struct child *to, const struct child *other, int fd)
{
	struct ipc_peer msg = { (uint32_t)other->role, other->index };
	struct buf b;

	buf_init(&b, 64);
	ipc_peer_encode(&b, &msg);
	child_send(to, IPC_PEER, 0, &b, fd, -1);
	buf_fini(&b);
}

static void
peers_join(struct child *c, struct child *o)
{
	int pair[2];

	if (ipc_pair(pair) == -1) {
		log_msg(LL_ERROR, "spawn", "no channel: %s", strerror(errno));
		return;
	}
	send_peer(c, o, pair[0]);
	send_peer(o, c, pair[1]);
	fd_close(&pair[0]);
	fd_close(&pair[1]);
}

/* A channel between c and each living process that is its peer. */
static void
setup_peers(struct child *c)
{
	for (struct child *o = children; o != NULL; o = o->next)
		if (o != c && o->ipc != NULL &&
		    topology_are_peers(c->role, o->role))
			peers_join(c, o);
}

void
spawn_peers_again(struct child *c, enum role role, uint64_t since)
{
	for (struct child *o = children; o != NULL; o = o->next) {
		if (o->role != role || o->ipc == NULL || o->since >= since)
			continue;
		log_begin(LL_WARN, "channel");
		log_str("role", role_name(c->role));
		log_num("pid", (uint64_t)c->pid);
		log_str("why", "lost; a new one is made");
		log_end();
		peers_join(c, o);
	}
}

static void
setup_all(struct child *c, const struct topology_row *row, struct generation *g)
{
	child_send(c, IPC_CONFIG, 0, NULL, g->conf_fd, -1);
	setup_listen(c, row, g == house.next);
	if ((row->gives & GIVES_CERT) != 0)
		setup_cert(c, g);
	if ((row->gives & GIVES_TICKETS) != 0)
		tickets_give(c);
	if ((row->gives & GIVES_TALLY) != 0)
		send_dir(c, SPAN("tally"), g->tally_fd[row->role]);
	if ((row->gives & GIVES_SPOOL) != 0)
		setup_spool(c, g->conf);
	maps_give(c, row);
	setup_peers(c);
	child_send(c, IPC_GO, 0, NULL, -1, -1);
}

struct child *
spawn_seat(struct seat *s)
{
	const struct topology_row *row = topology_row(s->role);
	struct ipc_role is = { .index = s->index, .count = s->count };
	struct child *c = fork_exec(s->role, s->gen->conf);
	struct buf chroot;

	if (c == NULL)
		return NULL;
	c->seat = s;
	c->index = s->index;
	c->generation = s->gen->number;
	buf_init(&chroot, PATH_LEN_MAX);
	buf_fmt(&chroot, "%s/empty", s->gen->conf->run_dir);
	is.uid = s->gen->id[s->role].uid;
	is.gid = s->gen->id[s->role].gid;
	is.chroot = row->chroot ? buf_get(&chroot) : SPAN_NONE;
	setup_role(c, &is, s->gen->conf, -1);
	buf_fini(&chroot);
	setup_all(c, row, s->gen);
	return c;
}

struct child *
spawn_stem(struct seat *s)
{
	struct child *c = fork_exec(s->role, s->gen->conf);

	if (c == NULL)
		return NULL;
	c->seat = s;
	c->stem = true;
	c->generation = s->gen->number;
	c->uid = geteuid();
	c->gid = getegid();
	child_send(c, IPC_CONFIG, 0, NULL, s->gen->conf_fd, -1);
	child_send(c, IPC_STEM, 0, NULL, -1, -1);
	return c;
}

void
spawn_owner_role(struct child *c, struct ipc_role *is)
{
	c->generation = house.now->number;
	c->user = is->user.n > 0 ? span_dup(is->user) : NULL;
	c->root = span_dup(is->root);
	c->login = is->login.n > 0 ? span_dup(is->login) : NULL;
	c->client = is->remote.n > 0 ? span_dup(is->remote) : NULL;
	c->sid = is->sid.n > 0 ? span_dup(is->sid) : NULL;
	is->count = 1;
	role_fill(c, is, house.now->conf);
}

struct child *
spawn_owner(enum role role, struct ipc_role *is, int fd)
{
	struct child *c = fork_exec(role, house.now->conf);

	if (c == NULL)
		return NULL;
	spawn_owner_role(c, is);
	setup_role(c, is, house.now->conf, fd);
	setup_all(c, topology_row(role), house.now);
	return c;
}
