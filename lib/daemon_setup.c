/*
 * daemon_setup: what master tells a child before it may start, and single
 * messages of the same kinds later. A malformed one ends the process: two
 * versions are mixed.
 */
#include "lib/daemon_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/die.h"

static struct buf role_text; /* where role_is points */

bool
daemon_is_blocking(enum role role)
{
	return role == ROLE_DELIVER || role == ROLE_POP3D || role == ROLE_IMAPD;
}

int
daemon_take_fd(struct ipc_msg *m, unsigned i)
{
	int fd = m->fd[i];

	m->fd[i] = -1;
	return fd;
}

_Noreturn void
daemon_malformed(const struct ipc_msg *m)
{
	errno = 0;
	die("malformed message %d from master", (int)m->type);
}

/* A front that gives us its socket had it non-blocking. */
static void
make_blocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags == -1 ||
	    ((flags & O_NONBLOCK) != 0 &&
		fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) == -1))
		die("client socket");
}

void
daemon_take_role(struct daemon *d, struct ipc_msg *m, unsigned client)
{
	if (role_text.n != 0)
		daemon_malformed(m);
	buf_span(&role_text, m->body);
	if (role_text.bad ||
	    ipc_role_decode(buf_get(&role_text), &d->role_is) == -1 ||
	    d->role_is.role != (uint32_t)d->role)
		daemon_malformed(m);
	d->index = d->role_is.index;
	d->count = d->role_is.count;
	d->privileged = d->role_is.privileged != 0;
	d->client_fd = daemon_take_fd(m, client);
	if (daemon_is_blocking(d->role) && d->client_fd != -1)
		make_blocking(d->client_fd);
}

struct conf *
daemon_take_conf(struct ipc_msg *m)
{
	struct conf *c;
	struct buf err;
	int fd = daemon_take_fd(m, 0);

	buf_init(&err, 64 * 1024);
	if (fd == -1)
		daemon_malformed(m);
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
		daemon_malformed(m);
	l = &d->listen[d->nlisten++];
	if (span_copy(l->service, sizeof(l->service), in.service) == -1 ||
	    span_copy(l->address, sizeof(l->address), in.address) == -1)
		daemon_malformed(m);
	l->fd = daemon_take_fd(m, 0);
}

/* A new peer, or the successor of one that died. */
struct daemon_peer *
daemon_take_peer(struct daemon *d, struct ipc_msg *m)
{
	struct daemon_peer *p;
	struct ipc_peer in;
	size_t i;

	if (ipc_peer_decode(m->body, &in) == -1 || m->fd[0] == -1 ||
	    in.role >= ROLE_COUNT)
		daemon_malformed(m);
	for (i = 0; i < d->npeer; i++)
		if ((uint32_t)d->peer[i].role == in.role &&
		    d->peer[i].index == in.index)
			break;
	if (i == DAEMON_PEER_MAX)
		daemon_malformed(m);
	p = &d->peer[i];
	if (i == d->npeer)
		d->npeer++;
	else
		fd_close(&p->fd);
	p->role = (enum role)in.role;
	p->index = in.index;
	p->fd = daemon_take_fd(m, 0);
	return p;
}

int *
daemon_map_slot(struct daemon *d, struct span name)
{
	if (span_eq(name, SPAN("users")))
		return &d->users_fd;
	if (span_eq(name, SPAN("aliases")))
		return &d->aliases_fd;
	if (span_eq(name, SPAN("credentials")))
		return &d->credentials_fd;
	if (span_eq(name, SPAN("transport")))
		return &d->transport_fd;
	if (span_eq(name, SPAN("tls-policy")))
		return &d->tls_policy_fd;
	if (span_eq(name, SPAN("relay-passwords")))
		return &d->relay_passwords_fd;
	if (span_eq(name, SPAN("resolv.conf")))
		return &d->resolv_fd;
	if (span_eq(name, SPAN("trust-anchor")))
		return &d->anchor_fd;
	return NULL;
}

static void
setup_map(struct daemon *d, struct ipc_msg *m)
{
	struct ipc_map in;
	int *slot;

	if (ipc_map_decode(m->body, &in) == -1 ||
	    (slot = daemon_map_slot(d, in.name)) == NULL)
		daemon_malformed(m);
	fd_close(slot);
	/* daemon_malformed() does not return */
	/* cppcheck-suppress nullPointerRedundantCheck */
	*slot = daemon_take_fd(m, 0);
}

static void
setup_cert(struct daemon *d, struct ipc_msg *m)
{
	struct ipc_cert in;

	if (d->ncert == DAEMON_CERT_MAX ||
	    ipc_cert_decode(m->body, &in) == -1 || m->fd[0] == -1 ||
	    m->fd[1] == -1)
		daemon_malformed(m);
	d->cert[d->ncert].cert_fd = daemon_take_fd(m, 0);
	d->cert[d->ncert].key_fd = daemon_take_fd(m, 1);
	d->ncert++;
}

static void
setup_dir(struct daemon *d, struct ipc_msg *m)
{
	struct ipc_dir in;

	if (ipc_dir_decode(m->body, &in) == -1 || m->fd[0] == -1)
		daemon_malformed(m);
	if (span_eq(in.name, SPAN("spool")) && d->dir_fd == -1)
		d->dir_fd = daemon_take_fd(m, 0);
	else if (span_eq(in.name, SPAN("tally")) && d->tally_fd == -1)
		d->tally_fd = daemon_take_fd(m, 0);
	else
		daemon_malformed(m);
}

void
daemon_take_tickets(struct daemon *d, const struct ipc_msg *m)
{
	struct ipc_tickets in;

	if (ipc_tickets_decode(m->body, &in) == -1)
		daemon_malformed(m);
	memcpy(d->tickets, in.keys.p, sizeof(d->tickets));
	d->has_tickets = true;
}

/* False after GO. */
static bool
setup_one(struct daemon *d, struct ipc_msg *m)
{
	switch (m->type) {
	case IPC_ROLE:
		daemon_take_role(d, m, 0);
		break;
	case IPC_CONFIG:
		conf_free(d->conf);
		d->conf = daemon_take_conf(m);
		break;
	case IPC_LISTEN:
		setup_listen(d, m);
		break;
	case IPC_PEER:
		daemon_take_peer(d, m);
		break;
	case IPC_MAP:
		setup_map(d, m);
		break;
	case IPC_CERT:
		setup_cert(d, m);
		break;
	case IPC_TICKETS:
		daemon_take_tickets(d, m);
		break;
	case IPC_DIR:
		setup_dir(d, m);
		break;
	case IPC_STEM:
		daemon_stem(d);
		return false;
	case IPC_GO:
		return false;
	default:
		daemon_malformed(m);
	}
	return true;
}

void
daemon_receive(struct daemon *d)
{
	struct buf scratch;
	struct ipc_msg m;
	bool more = true;
	int got;

	buf_init(&role_text, IPC_PACKET_MAX);
	buf_init(&scratch, IPC_PACKET_MAX);
	while (more) {
		got = ipc_recv(
		    MASTER_FD, d->role, ROLE_MASTER, &scratch, &m, true);
		if (got == 0) /* master went away: nothing to say */
			_exit(EX_TEMPFAIL);
		if (got == -1)
			die("no set-up from master");
		more = setup_one(d, &m);
		ipc_close_fds(&m);
	}
	explicit_bzero(scratch.p, scratch.cap); /* ticket keys */
	buf_fini(&scratch);
	errno = 0;
	if (role_text.n == 0 || d->conf == NULL)
		die("incomplete set-up from master");
}
