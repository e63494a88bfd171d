/*
 * ipc: packets between processes. What may be said is the table `rules`:
 * a type that this sender may not send to this receiver, a wrong number of
 * descriptors, a packet that is cut or too short, or a handler that says -1
 * end the peer, and only the peer.
 *
 *	open --EOF, error, violation--> gone --ipc_free()--> freed
 *	  |  ^
 *	  v  | ipc_pause()
 *	paused     (if the peer hangs up meanwhile, the descriptor is taken
 *	            out of the loop until ipc_pause(false))
 *
 * A handler may free its own ipc; the memory goes after it has returned.
 */
#include "lib/ipc.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "lib/clock.h"
#include "lib/die.h"
#include "lib/log.h"

enum {
	IPC_HEAD = 2 + 4,       /* type, id */
	IPC_TURN_MAX = 64,      /* packets taken in one turn of the loop, */
	IPC_TURN_MS = 50,       /* of one peer, and for so long */
	IPC_FDS_ROOM = 8,       /* more than may come, to notice them */
};

#define BIT(role) (1u << ROLE_##role)
#define CHILDREN ((1u << ROLE_COUNT) - 1 - BIT(MASTER) - BIT(CTL))
#define AGENTS (BIT(DELIVER) | BIT(RELAY))
#define SESSIONS (BIT(POP3D) | BIT(IMAPD))
#define EVENT_DRIVEN \
	(BIT(SMTPD) | BIT(LOGIN) | BIT(AUTH) | BIT(DNS) | BIT(QUEUE) | BIT(RELAY))

/* Who may send what to whom, and how many descriptors ride along. */
static const struct rule {
	enum ipc_type type;
	unsigned from, to;
	int fds_min, fds_max;
	bool secret; /* wiped after use */
} rules[] = {
	{ IPC_ROLE, BIT(MASTER), CHILDREN, 0, 1, false },
	{ IPC_CONFIG, BIT(MASTER), CHILDREN, 1, 1, false },
	{ IPC_LISTEN, BIT(MASTER), BIT(SMTPD) | BIT(LOGIN) | BIT(QUEUE), 1, 1,
	    false },
	{ IPC_PEER, BIT(MASTER), BIT(SMTPD) | BIT(LOGIN) | BIT(AUTH) |
	        BIT(DNS) | BIT(QUEUE) | BIT(RELAY), 1, 1, false },
	{ IPC_MAP, BIT(MASTER), BIT(SMTPD) | BIT(AUTH) | BIT(DNS) |
	        BIT(QUEUE) | BIT(RELAY), 0, 1, false },
	{ IPC_CERT, BIT(MASTER), BIT(SMTPD) | BIT(LOGIN) | BIT(RELAY), 2, 2,
	    false },
	{ IPC_DIR, BIT(MASTER), BIT(QUEUE) | BIT(SMTPD) | BIT(LOGIN) |
	        BIT(AUTH) | AGENTS | BIT(DNS) | SESSIONS, 1, 1, false },
	{ IPC_GO, BIT(MASTER), CHILDREN, 0, 0, false },
	{ IPC_READY, CHILDREN, BIT(MASTER), 0, 0, false },
	{ IPC_STOP, BIT(MASTER), CHILDREN, 0, 0, false },
	{ IPC_WORKER, BIT(QUEUE), BIT(MASTER), 0, 0, false },
	{ IPC_WORKER_IS, BIT(MASTER), BIT(QUEUE), 0, 1, false },
	{ IPC_SESSION, BIT(AUTH), BIT(MASTER), 1, 1, false },
	{ IPC_SESSION_IS, BIT(MASTER), BIT(AUTH), 0, 0, false },
	{ IPC_PEER_LOST, BIT(SMTPD) | BIT(LOGIN) | BIT(RELAY) | BIT(QUEUE),
	    BIT(MASTER), 0, 0, false },
	{ IPC_CONNECT, BIT(RELAY), BIT(MASTER), 0, 0, false },
	{ IPC_CONNECT_IS, BIT(MASTER), BIT(RELAY), 0, 1, false },
	{ IPC_STEM, BIT(MASTER), SESSIONS, 0, 0, false },
	{ IPC_FORK, BIT(MASTER), SESSIONS, 2, 2, false },
	{ IPC_FORK_IS, SESSIONS, BIT(MASTER), 0, 0, false },
	{ IPC_TICKETS, BIT(MASTER), BIT(SMTPD) | BIT(LOGIN), 0, 0, true },
	{ IPC_PING, BIT(MASTER), EVENT_DRIVEN, 0, 0, false },
	{ IPC_PONG, EVENT_DRIVEN, BIT(MASTER), 0, 0, false },

	{ IPC_SPOOL_OPEN, BIT(SMTPD), BIT(QUEUE), 0, 0, false },
	{ IPC_SPOOL_IS, BIT(QUEUE), BIT(SMTPD), 0, 1, false },
	{ IPC_SUBMIT, BIT(SMTPD), BIT(QUEUE), 0, 0, false },
	{ IPC_SUBMIT_IS, BIT(QUEUE), BIT(SMTPD), 0, 0, false },
	{ IPC_SPOOL_ABORT, BIT(SMTPD), BIT(QUEUE), 0, 0, false },

	{ IPC_JOB, BIT(QUEUE), AGENTS, 0, 1, false },
	{ IPC_JOB_IS, AGENTS, BIT(QUEUE), 0, 0, false },

	{ IPC_AUTH, BIT(SMTPD) | BIT(LOGIN), BIT(AUTH), 0, 1, true },
	{ IPC_AUTH_IS, BIT(AUTH), BIT(SMTPD) | BIT(LOGIN), 0, 0, false },

	{ IPC_DNS, BIT(RELAY) | BIT(SMTPD) | BIT(QUEUE), BIT(DNS), 0, 0,
	    false },
	{ IPC_DNS_IS, BIT(DNS), BIT(RELAY) | BIT(SMTPD) | BIT(QUEUE), 0, 0,
	    false },

	{ IPC_CTL, BIT(CTL), BIT(MASTER) | BIT(QUEUE), 0, 0, false },
	{ IPC_CTL_TEXT, BIT(MASTER) | BIT(QUEUE), BIT(CTL), 0, 0, false },
	{ IPC_CTL_END, BIT(MASTER) | BIT(QUEUE), BIT(CTL), 0, 0, false },
};

static_assert((int)IPC_BODY_MAX + (int)IPC_HEAD == (int)IPC_PACKET_MAX,
    "the public constant knows the head");

struct packet { /* waits for a slow peer */
	struct packet *next;
	int fd[IPC_FDS_MAX];
	bool secret;
	size_t n;
	char bytes[];
};

struct ipc {
	struct watch watch;
	enum role self, peer;
	ipc_fn *fn;
	ipc_gone_fn *gone;
	void *arg;
	struct packet *first, **last;
	size_t waiting; /* bytes in packets, their structs included */
	bool paused, watched;
	bool deaf;      /* the peer takes no more packets */
	bool busy;      /* inside on_event */
	bool freed;     /* ipc_free() was called while busy */
};

static const struct rule *
rule_find(enum role from, enum role to, unsigned type)
{
	const struct rule *r;

	for (r = rules; r < rules + nitems(rules); r++)
		if (r->type == type && (r->from >> from & 1) != 0 &&
		    (r->to >> to & 1) != 0)
			return r;
	return NULL;
}

bool
ipc_allowed(enum role from, enum role to, enum ipc_type type)
{
	return rule_find(from, to, type) != NULL;
}

int
ipc_pair(int fd[2])
{
	int pair[2], i, size = 2 * IPC_PACKET_MAX;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
		return -1;
	for (i = 0; i < 2; i++) {
		/* Best effort: the system has the last word on its memory. */
		(void)setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &size,
		    sizeof(size));
		(void)setsockopt(pair[i], SOL_SOCKET, SO_RCVBUF, &size,
		    sizeof(size));
		fd[i] = pair[i];
	}
	return 0;
}

union control {
	struct cmsghdr head; /* for its alignment */
	char bytes[CMSG_SPACE(sizeof(int) * IPC_FDS_ROOM)];
};

static void
head_put(char head[IPC_HEAD], enum ipc_type type, uint32_t id)
{
	head[0] = (char)(type >> 8 & 0xff);
	head[1] = (char)(type & 0xff);
	head[2] = (char)(id >> 24 & 0xff);
	head[3] = (char)(id >> 16 & 0xff);
	head[4] = (char)(id >> 8 & 0xff);
	head[5] = (char)(id & 0xff);
}

/* One sendmsg(2). -1: EAGAIN (the peer is slow), or an error. */
static int
packet_send(int sock, struct iovec *iov, size_t niov, const int fd[IPC_FDS_MAX],
    int flags)
{
	union control c;
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = niov };
	int fds[IPC_FDS_MAX], i, n = 0;
	ssize_t r;

	for (i = 0; i < IPC_FDS_MAX; i++)
		if (fd[i] >= 0)
			fds[n++] = fd[i];
	if (n > 0) {
		memset(&c, 0, sizeof(c));
		m.msg_control = &c;
		m.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)n);
		c.head.cmsg_level = SOL_SOCKET;
		c.head.cmsg_type = SCM_RIGHTS;
		c.head.cmsg_len = CMSG_LEN(sizeof(int) * (size_t)n);
		memcpy(CMSG_DATA(&c.head), fds, sizeof(int) * (size_t)n);
	}
	do
		r = sendmsg(sock, &m, flags | MSG_NOSIGNAL);
	while (r == -1 && errno == EINTR);
	if (r == -1 && (errno == EWOULDBLOCK || errno == ENOBUFS))
		errno = EAGAIN;
	return r == -1 ? -1 : 0;
}

/* Sorts what came as control data; -1: more descriptors than may be. */
static int
fds_take(struct msghdr *h, struct ipc_msg *m)
{
	struct cmsghdr *c;
	size_t i, n;
	int fd, got = 0;

	for (c = CMSG_FIRSTHDR(h); c != NULL; c = CMSG_NXTHDR(h, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < n; i++) {
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (got < IPC_FDS_MAX)
				m->fd[got] = fd;
			else
				fd_close(&fd);
			got++;
		}
	}
	if ((h->msg_flags & MSG_CTRUNC) != 0) {
		m->lost = true; /* no free descriptor here: EMFILE */
		ipc_close_fds(m);
		return 0;
	}
	return got > IPC_FDS_MAX ? -1 : got;
}

static int
violation(enum role from, const char *why, unsigned type)
{
	log_begin(from == ROLE_CTL ? LL_WARN : LL_ERROR, "ipc");
	log_str("peer", role_name(from));
	log_num("type", type);
	log_str("why", why);
	log_end();
	errno = EBADMSG;
	return -1;
}

/* Is this packet one that peer may send to self? Fills m from it. */
static int
packet_judge(struct span packet, int nfd, enum role self, enum role peer,
    struct ipc_msg *m)
{
	const struct rule *r;
	uint16_t type = 0;

	if (nfd == -1)
		return violation(peer, "too many descriptors", 0);
	if (get_u16(&packet, &type) == -1 || get_u32(&packet, &m->id) == -1)
		return violation(peer, "packet too short", type);
	if ((r = rule_find(peer, self, type)) == NULL)
		return violation(peer, "type not allowed", type);
	if (!m->lost && (nfd < r->fds_min || nfd > r->fds_max))
		return violation(peer, "wrong number of descriptors", type);
	m->type = (enum ipc_type)type;
	m->body = packet;
	return 0;
}

/*
 * Takes one packet into memory of the given size. 1, 0: closed (or, with
 * MSG_DONTWAIT, errno EAGAIN: nothing there), -1: error, violation.
 */
static int
packet_recv(int sock, char *mem, size_t size, enum role self, enum role peer,
    struct ipc_msg *m, int flags)
{
	union control c;
	struct iovec iov = { mem, size };
	struct msghdr h;
	bool again;
	ssize_t n;
	int rc = -1, nfd;

	*m = (struct ipc_msg){ .fd = { -1, -1 } };
	do {
		h = (struct msghdr){ .msg_iov = &iov, .msg_iovlen = 1,
			.msg_control = &c, .msg_controllen = sizeof(c) };
		n = recvmsg(sock, &h, flags | MSG_CMSG_CLOEXEC);
		/*
		 * ECONNRESET comes once, when the peer closed with packets of
		 * ours unread; what it had sent before is still to be taken.
		 */
		again = n == -1 && (errno == EINTR || errno == ECONNRESET);
	} while (again);
	if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
		errno = EAGAIN;
		return 0;
	}
	if (n == -1)
		return -1;
	nfd = fds_take(&h, m);
	if (n == 0 && nfd == 0 && !m->lost) {
		errno = 0;
		return 0;
	}
	if ((h.msg_flags & MSG_TRUNC) != 0)
		(void)violation(peer, "packet too long", 0);
	else
		rc = packet_judge(span_of(mem, (size_t)n), nfd, self, peer, m);
	if (rc == -1) {
		ipc_close_fds(m);
		errno = EBADMSG;
		return -1;
	}
	return 1;
}

int
ipc_write(int fd, enum ipc_type type, uint32_t id, struct span body, int fd0,
    int fd1)
{
	char head[IPC_HEAD];
	struct iovec iov[2] = { { head, sizeof(head) },
		{ (void *)(uintptr_t)body.p, body.n } };
	const int fds[IPC_FDS_MAX] = { fd0, fd1 };
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	head_put(head, type, id);
	while (packet_send(fd, iov, nitems(iov), fds, 0) == -1) {
		if (errno != EAGAIN)
			return -1;
		if (poll(&p, 1, 1000) == -1 && errno != EINTR)
			return -1;
	}
	return 0;
}

int
ipc_recv(int fd, enum role self, enum role peer, struct buf *scratch,
    struct ipc_msg *m, bool wait)
{
	char *mem;

	buf_clear(scratch);
	if ((mem = buf_room(scratch, scratch->max)) == NULL)
		die("ipc scratch");
	return packet_recv(fd, mem, scratch->max, self, peer, m,
	    wait ? 0 : MSG_DONTWAIT);
}

int
ipc_take_fd(int sock, enum ipc_type type)
{
	struct ipc_msg m = { .fd = { -1, -1 } };
	char bytes[64];
	struct iovec iov = { bytes, sizeof(bytes) };
	union control c;
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &c, .msg_controllen = sizeof(c) };
	ssize_t n = recvmsg(sock, &h, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	struct span packet;
	uint16_t is = 0;

	if (n <= 0)
		return -1;
	packet = span_of(bytes, (size_t)n);
	if (fds_take(&h, &m) != 1 || get_u16(&packet, &is) == -1 ||
	    is != type)
		ipc_close_fds(&m);
	return m.fd[0];
}

void
ipc_close_fds(struct ipc_msg *m)
{
	int i;

	for (i = 0; i < IPC_FDS_MAX; i++)
		fd_close(&m->fd[i]);
}

static void
events_set(struct ipc *i)
{
	unsigned events = (i->paused ? 0 : (unsigned)LOOP_READ) |
	    (i->first == NULL ? 0 : (unsigned)LOOP_WRITE);

	if (i->watched && i->watch.events != events)
		loop_rewatch(&i->watch, events);
}

static void
packet_free(struct packet *p)
{
	int k;

	for (k = 0; k < IPC_FDS_MAX; k++)
		fd_close(&p->fd[k]);
	if (p->secret)
		explicit_bzero(p->bytes, p->n);
	free(p);
}

static void
packet_drop(struct ipc *i)
{
	struct packet *p = i->first;

	if ((i->first = p->next) == NULL)
		i->last = &i->first;
	i->waiting -= sizeof(*p) + p->n;
	packet_free(p);
}

/*
 * Sends what waits, as far as the peer takes it. false: a packet that was
 * promised cannot be sent; without it the peer would wait for ever.
 */
static bool
packets_flush(struct ipc *i)
{
	struct iovec iov;

	while (i->first != NULL) {
		iov = (struct iovec){ i->first->bytes, i->first->n };
		if (packet_send(i->watch.fd, &iov, 1, i->first->fd,
		        MSG_DONTWAIT) == -1) {
			if (errno == EAGAIN)
				break;
			if (errno != EPIPE && errno != ECONNRESET)
				return false;
			i->deaf = true; /* its last words are still read */
		}
		packet_drop(i);
	}
	events_set(i);
	return true;
}

/* Ends the connection; the owner hears of it and frees. */
static void
peer_end(struct ipc *i)
{
	if (i->watched)
		loop_unwatch(&i->watch);
	i->watched = false;
	i->deaf = true;
	while (i->first != NULL)
		packet_drop(i);
	fd_close(&i->watch.fd);
	i->gone(i, i->arg);
}

/* One packet: true if there may be another one. */
static bool
packet_handle(struct ipc *i)
{
	static char *mem; /* one for the process: handlers do not nest */
	struct ipc_msg m;
	int rc;

	if (mem == NULL)
		mem = xmalloc(IPC_PACKET_MAX);
	rc = packet_recv(i->watch.fd, mem, IPC_PACKET_MAX, i->self, i->peer, &m,
	    MSG_DONTWAIT);
	if (rc == 0 && errno == EAGAIN)
		return false;
	if (rc == 1) {
		rc = i->fn(i, &m, i->arg);
		ipc_close_fds(&m);
		if (rule_find(i->peer, i->self, m.type)->secret)
			explicit_bzero(mem, IPC_HEAD + m.body.n);
		if (i->freed)
			return false;
		if (rc == 0)
			return true;
		(void)violation(i->peer, "message does not decode", m.type);
	}
	peer_end(i);
	return false;
}

static void
ipc_delete(struct ipc *i)
{
	while (i->first != NULL)
		packet_drop(i);
	free(i);
}

static void
on_readable(struct ipc *i)
{
	uint64_t until = clock_ms() + IPC_TURN_MS;
	int n;

	if (i->paused) {
		/* Hung up; what it said is read when we are resumed. */
		loop_unwatch(&i->watch);
		i->watched = false;
	}
	for (n = 0; n < IPC_TURN_MAX && !i->paused; n++)
		if (!packet_handle(i) || clock_ms() >= until)
			break; /* what is left makes it readable again */
}

static void
on_event(struct watch *w, unsigned events)
{
	struct ipc *i = w->arg;

	i->busy = true;
	if ((events & LOOP_WRITE) != 0 && !packets_flush(i)) {
		log_begin(LL_ERROR, "ipc");
		log_str("peer", role_name(i->peer));
		log_err(errno);
		log_end();
		peer_end(i);
	} else if ((events & LOOP_READ) != 0)
		on_readable(i);
	i->busy = false;
	if (i->freed)
		ipc_delete(i);
}

static void
watch_start(struct ipc *i)
{
	i->watch.events = (i->paused ? 0 : (unsigned)LOOP_READ) |
	    (i->first == NULL ? 0 : (unsigned)LOOP_WRITE);
	if (loop_watch(&i->watch) == -1)
		die("cannot watch the channel to %s", role_name(i->peer));
	i->watched = true;
}

struct ipc *
ipc_new(int fd, enum role self, enum role peer, ipc_fn *fn, ipc_gone_fn *gone,
    void *arg)
{
	struct ipc *i = xcalloc(1, sizeof(*i));

	*i = (struct ipc){ .self = self, .peer = peer, .fn = fn, .gone = gone,
		.arg = arg };
	i->last = &i->first;
	i->watch = (struct watch){ .fd = fd, .fn = on_event, .arg = i };
	watch_start(i);
	return i;
}

void
ipc_free(struct ipc *i)
{
	if (i == NULL || i->freed)
		return;
	if (i->watched)
		loop_unwatch(&i->watch);
	i->watched = false;
	fd_close(&i->watch.fd);
	i->freed = true;
	if (!i->busy)
		ipc_delete(i);
}

enum role
ipc_peer(const struct ipc *i)
{
	return i->peer;
}

/* Copies a packet behind those that wait. -1: no room, no descriptor. */
static int
packet_queue(struct ipc *i, const char head[IPC_HEAD], struct span body,
    const int fd[IPC_FDS_MAX], bool secret)
{
	size_t n = IPC_HEAD + body.n;
	struct packet *p;
	int k;

	if (sizeof(*p) + n > IPC_OUT_MAX - i->waiting) {
		errno = ENOBUFS;
		return -1;
	}
	p = xmalloc(sizeof(*p) + n);
	*p = (struct packet){ .fd = { -1, -1 }, .secret = secret, .n = n };
	memcpy(p->bytes, head, IPC_HEAD);
	if (body.n > 0)
		memcpy(p->bytes + IPC_HEAD, body.p, body.n);
	for (k = 0; k < IPC_FDS_MAX; k++)
		if (fd[k] >= 0 &&
		    (p->fd[k] = fcntl(fd[k], F_DUPFD_CLOEXEC, 0)) == -1)
			goto fail;
	*i->last = p;
	i->last = &p->next;
	i->waiting += sizeof(*p) + n;
	return 0;
fail:
	packet_free(p);
	return -1;
}

int
ipc_send(struct ipc *i, enum ipc_type type, uint32_t id, struct span body,
    int fd0, int fd1)
{
	const struct rule *r = rule_find(i->self, i->peer, type);
	char head[IPC_HEAD];
	struct iovec iov[2] = { { head, sizeof(head) },
		{ (void *)(uintptr_t)body.p, body.n } };
	const int fds[IPC_FDS_MAX] = { fd0, fd1 };

	assert(r != NULL); /* our own code must know its place */
	if (body.n > IPC_BODY_MAX) {
		errno = EMSGSIZE;
		return -1;
	}
	if (i->deaf || i->watch.fd == -1) {
		errno = EPIPE;
		return -1;
	}
	head_put(head, type, id);
	if (i->first == NULL) {
		if (packet_send(i->watch.fd, iov, nitems(iov), fds,
		        MSG_DONTWAIT) == 0)
			return 0;
		if (errno != EAGAIN) {
			i->deaf = errno == EPIPE || errno == ECONNRESET;
			return -1;
		}
	}
	if (packet_queue(i, head, body, fds, r->secret) == -1)
		return -1;
	events_set(i);
	return 0;
}

size_t
ipc_waiting(const struct ipc *i)
{
	return i->waiting;
}

void
ipc_pause(struct ipc *i, bool paused)
{
	if (i->paused == paused || i->watch.fd == -1)
		return;
	i->paused = paused;
	if (i->watched)
		events_set(i);
	else if (!paused)
		watch_start(i);
}
