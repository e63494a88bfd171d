/*
 * ipc: packets over real pairs, blocking and in the loop; who may say what;
 * and every way in which a peer may misbehave. No test leaves a descriptor.
 */
#include "lib/ipc.h"

#include <sys/resource.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/log.h"
#include "t/unit/tap.h"
#include "t/unit/turns.h"

/* The lowest free descriptor: rises if a test leaves one open. */
static int
fd_lowest(void)
{
	int fd = dup(STDIN_FILENO);

	close(fd);
	return fd;
}

static bool
fd_is_open(int fd)
{
	return fcntl(fd, F_GETFD) != -1;
}

static struct span
filled(size_t n)
{
	static char bytes[IPC_PACKET_MAX + 1];

	memset(bytes, 'x', sizeof(bytes));
	return span_of(bytes, n);
}

static const struct allow_case {
	const char *name;
	enum role from, to;
	enum ipc_type type;
	bool allowed;
} allows[] = {
	{ "queue may ask for a worker", ROLE_QUEUE, ROLE_MASTER, IPC_WORKER,
	    true },
	{ "nobody else may", ROLE_SMTPD, ROLE_MASTER, IPC_WORKER, false },
	{ "auth may ask for a session", ROLE_AUTH, ROLE_MASTER, IPC_SESSION,
	    true },
	{ "login may not", ROLE_LOGIN, ROLE_MASTER, IPC_SESSION, false },
	{ "login gets keys for tickets", ROLE_MASTER, ROLE_LOGIN, IPC_TICKETS,
	    true },
	{ "relay does not", ROLE_MASTER, ROLE_RELAY, IPC_TICKETS, false },
	{ "login may ask auth", ROLE_LOGIN, ROLE_AUTH, IPC_AUTH, true },
	{ "queue may not", ROLE_QUEUE, ROLE_AUTH, IPC_AUTH, false },
	{ "smtpd may submit", ROLE_SMTPD, ROLE_QUEUE, IPC_SUBMIT, true },
	{ "deliver may not", ROLE_DELIVER, ROLE_QUEUE, IPC_SUBMIT, false },
	{ "ctl may command master", ROLE_CTL, ROLE_MASTER, IPC_CTL, true },
	{ "but not stop a child", ROLE_CTL, ROLE_SMTPD, IPC_STOP, false },
	{ "a child may not stop master", ROLE_SMTPD, ROLE_MASTER, IPC_STOP,
	    false },
	{ "a type nobody knows", ROLE_MASTER, ROLE_QUEUE, (enum ipc_type)999,
	    false },
};

static void
test_allow(void)
{
	const struct allow_case *c;
	int r, t, many = 0;

	for (c = allows; c < allows + nitems(allows); c++)
		ok(ipc_allowed(c->from, c->to, c->type) == c->allowed, c->name);
	for (r = 0; r < ROLE_COUNT; r++)
		for (t = 0; t < 100; t++)
			many += r != ROLE_CTL && ipc_allowed((enum role)r,
			    ROLE_MASTER, (enum ipc_type)t);
	ok(many == ROLE_COUNT - 2 + 15, "master hears READY of each child, "
	    "WORKER, SESSION, CONNECT, PEER_LOST of four, FORK_IS of two, "
	    "PONG of six, no more");
}

static void
test_fields(void)
{
	struct buf b;
	struct span in, s = SPAN("old"), before;
	uint64_t v64 = 5;
	uint32_t v32 = 5;
	uint16_t v16 = 5;
	uint8_t v8 = 5;

	buf_init(&b, 100);
	put_u8(&b, 0xfe);
	put_u16(&b, 0xfedc);
	put_u32(&b, 0xfedcba98);
	put_u64(&b, 0xfedcba9876543210);
	put_span(&b, SPAN("a\0b"));
	in = buf_get(&b);
	ok(get_u8(&in, &v8) == 0 && v8 == 0xfe && get_u16(&in, &v16) == 0 &&
	        v16 == 0xfedc && get_u32(&in, &v32) == 0 &&
	        v32 == 0xfedcba98 && get_u64(&in, &v64) == 0 &&
	        v64 == 0xfedcba9876543210, "numbers come back");
	before = in;
	ok(get_span(&in, &s, 2) == -1 && in.n == before.n &&
	        span_eq(s, SPAN("old")), "over the limit: nothing is touched");
	ok(get_text(&in, &s, 3) == -1 && in.n == before.n,
	    "a text holds no NUL");
	in.n--;
	ok(get_span(&in, &s, 3) == -1 && in.n == before.n - 1,
	    "a byte missing: nothing is touched");
	in.n++;
	ok(get_span(&in, &s, 3) == 0 && span_eq(s, SPAN("a\0b")) && in.n == 0,
	    "bytes come back");
	ok(get_u8(&in, &v8) == -1 && v8 == 0xfe, "nothing is left");
	in = SPAN("\xff\xff\xff\xff" "abc");
	ok(get_span(&in, &s, SIZE_MAX) == -1, "an absurd length");
	buf_clear(&b);
	put_cut(&b, SPAN("abc"), 2);
	in = buf_get(&b);
	ok(get_text(&in, &s, 2) == 0 && span_eq(s, SPAN("ab")), "cut");
	buf_fini(&b);
}

static void
test_blocking(void)
{
	int fd[2], p[2], low = fd_lowest();
	struct ipc_msg m;
	struct buf scratch;

	buf_init(&scratch, IPC_PACKET_MAX);
	ipc_pair(fd);
	ok(ipc_recv(fd[1], ROLE_QUEUE, ROLE_MASTER, &scratch, &m, false) == 0 &&
	        errno == EAGAIN, "nothing there yet");
	ok(pipe(p) == 0 &&
	        ipc_write(fd[0], IPC_DIR, 7, SPAN("body"), p[0], -1) == 0,
	    "a packet with a descriptor");
	ok(ipc_recv(fd[1], ROLE_QUEUE, ROLE_MASTER, &scratch, &m, true) == 1 &&
	        m.type == IPC_DIR && m.id == 7 &&
	        span_eq(m.body, SPAN("body")) && m.fd[0] >= 0 &&
	        m.fd[1] == -1 && !m.lost, "arrives as it was");
	ok(fcntl(m.fd[0], F_GETFD) == FD_CLOEXEC, "close-on-exec");
	ipc_close_fds(&m);
	ok(m.fd[0] == -1, "closed");
	ok(ipc_write(fd[0], IPC_CERT, 0, SPAN_NONE, p[0], p[1]) == 0 &&
	        ipc_recv(fd[1], ROLE_SMTPD, ROLE_MASTER, &scratch, &m,
	            true) == 1 && m.body.n == 0 && m.fd[1] >= 0,
	    "two descriptors, no body");
	ipc_close_fds(&m);
	ok(ipc_write(fd[0], IPC_GO, UINT32_MAX, filled(IPC_BODY_MAX), -1,
	        -1) == 0 &&
	        ipc_recv(fd[1], ROLE_QUEUE, ROLE_MASTER, &scratch, &m,
	            true) == 1 && m.body.n == IPC_BODY_MAX &&
	        m.id == UINT32_MAX, "the largest packet");
	close(fd[0]);
	ok(ipc_recv(fd[1], ROLE_QUEUE, ROLE_MASTER, &scratch, &m, true) == 0 &&
	        errno == 0, "the peer is gone");
	ok(ipc_write(fd[1], IPC_READY, 0, SPAN_NONE, -1, -1) == -1 &&
	        errno == EPIPE, "and takes nothing");
	close(fd[1]);
	close(p[0]);
	close(p[1]);
	buf_fini(&scratch);
	ok(fd_lowest() == low, "no descriptor is left");
}

struct bad_case {
	const char *name;
	enum ipc_type type;
	int fds;
};

static const struct bad_case bads[] = {
	{ "a type not allowed", IPC_WORKER, 0 },
	{ "a descriptor too few", IPC_DIR, 0 },
	{ "a descriptor too many", IPC_GO, 1 },
};

static void
test_malformed(void)
{
	const struct bad_case *c;
	int fd[2], low = fd_lowest();
	struct ipc_msg m;
	struct buf scratch;

	buf_init(&scratch, 1000);
	ipc_pair(fd);
	for (c = bads; c < bads + nitems(bads); c++) {
		ipc_write(fd[0], c->type, 0, SPAN_NONE,
		    c->fds > 0 ? STDIN_FILENO : -1, -1);
		ok(ipc_recv(fd[1], ROLE_QUEUE, ROLE_MASTER, &scratch, &m,
		        true) == -1 && errno == EBADMSG && m.fd[0] == -1,
		    c->name);
	}
	ok(send(fd[0], "abcde", 5, 0) == 5 &&
	        ipc_recv(fd[1], ROLE_QUEUE, ROLE_MASTER, &scratch, &m,
	            true) == -1 && errno == EBADMSG, "half a head");
	ipc_write(fd[0], IPC_GO, 0, filled(1000 - 6 + 1), -1, -1);
	ok(ipc_recv(fd[1], ROLE_QUEUE, ROLE_MASTER, &scratch, &m, true) == -1 &&
	        errno == EBADMSG, "a byte more than the scratch takes");
	ipc_write(fd[0], IPC_GO, 0, filled(1000 - 6), -1, -1);
	ok(ipc_recv(fd[1], ROLE_QUEUE, ROLE_MASTER, &scratch, &m, true) == 1,
	    "exactly what it takes");
	close(fd[0]);
	close(fd[1]);
	buf_fini(&scratch);
	ok(fd_lowest() == low, "no descriptor is left");
}

/* Many descriptors in one packet, as only a broken-in peer would send. */
static void
send_many_fds(int sock, size_t n)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int) * 32)];
	} c;
	char head[6] = { 0, IPC_DIR, 0, 0, 0, 0 };
	struct iovec iov = { head, sizeof(head) };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &c, .msg_controllen = CMSG_SPACE(4 * n) };
	int fds[32] = { 0 };

	memset(&c, 0, sizeof(c));
	c.head.cmsg_level = SOL_SOCKET;
	c.head.cmsg_type = SCM_RIGHTS;
	c.head.cmsg_len = CMSG_LEN(4 * n);
	memcpy(CMSG_DATA(&c.head), fds, 4 * n);
	sendmsg(sock, &h, 0);
}

static void
test_descriptors(void)
{
	int fd[2], low = fd_lowest();
	struct rlimit old, none;
	struct ipc_msg m;
	struct buf scratch;

	buf_init(&scratch, 1000);
	ipc_pair(fd);
	send_many_fds(fd[0], 3);
	ok(ipc_recv(fd[1], ROLE_QUEUE, ROLE_MASTER, &scratch, &m, true) == -1,
	    "three descriptors are refused");
	send_many_fds(fd[0], 32);
	ok(ipc_recv(fd[1], ROLE_QUEUE, ROLE_MASTER, &scratch, &m, true) != 1 ||
	        (m.lost && m.fd[0] == -1), "of 32 none is kept");
	ipc_write(fd[0], IPC_DIR, 9, SPAN("x"), STDIN_FILENO, -1);
	getrlimit(RLIMIT_NOFILE, &old);
	none = old;
	none.rlim_cur = (rlim_t)fd_lowest();
	setrlimit(RLIMIT_NOFILE, &none);
	ok(ipc_recv(fd[1], ROLE_QUEUE, ROLE_MASTER, &scratch, &m, true) == 1 &&
	        m.lost && m.fd[0] == -1 && m.id == 9 &&
	        span_eq(m.body, SPAN("x")), "EMFILE is told, not punished");
	setrlimit(RLIMIT_NOFILE, &old);
	close(fd[0]);
	close(fd[1]);
	buf_fini(&scratch);
	ok(fd_lowest() == low, "no descriptor is left");
}

/* In the loop */
static struct {
	int got, gone;
	uint32_t next;  /* id expected */
	bool in_order;
	int taken;      /* a descriptor that was kept, or -1 */
	int refuse_at;  /* the message with this id is malformed */
	bool pause, free, slow;
} t;

static int
on_message(struct ipc *i, struct ipc_msg *m, void *arg)
{
	const struct timespec dwell = { .tv_nsec = 20 * 1000 * 1000 };

	(void)arg;
	if (t.slow)
		(void)nanosleep(&dwell, NULL);
	t.in_order = t.in_order && m->id == t.next++;
	t.got++;
	if (t.taken == -1 && m->fd[0] >= 0) {
		t.taken = m->fd[0];
		m->fd[0] = -1;
	}
	if (t.pause)
		ipc_pause(i, true);
	if (t.free)
		ipc_free(i);
	return (int)m->id == t.refuse_at ? -1 : 0;
}

static void
on_gone(struct ipc *i, void *arg)
{
	(void)arg;
	t.gone++;
	ipc_free(i);
}

static struct ipc *
begin(int fd[2])
{
	memset(&t, 0, sizeof(t));
	t.in_order = true;
	t.taken = -1;
	t.refuse_at = -1;
	ipc_pair(fd);
	return ipc_new(fd[0], ROLE_QUEUE, ROLE_SMTPD, on_message, on_gone,
	    NULL);
}

static void
send_some(int fd, uint32_t from, uint32_t n)
{
	uint32_t i;

	for (i = from; i < from + n; i++)
		ipc_write(fd, IPC_SUBMIT, i, SPAN("x"), -1, -1);
}

static void
test_loop(void)
{
	int fd[2], low = fd_lowest();
	struct ipc *i = begin(fd);

	ok(ipc_peer(i) == ROLE_SMTPD, "who is it");
	send_some(fd[1], 0, 3);
	turns(3, 0);
	ok(t.got == 3 && t.in_order && t.gone == 0, "messages come in order");
	send_some(fd[1], 3, 2);
	close(fd[1]);
	turns(4, 0);
	ok(t.got == 5 && t.gone == 1, "the last words of a peer count");
	ok(fd_lowest() == low, "no descriptor is left");

	i = begin(fd);
	t.refuse_at = 1;
	send_some(fd[1], 0, 3);
	turns(4, 0);
	ok(t.got == 2 && t.gone == 1, "a malformed message ends the peer");
	close(fd[1]);

	i = begin(fd);
	send_some(fd[1], 0, 1);
	ipc_write(fd[1], IPC_STOP, 1, SPAN_NONE, -1, -1);
	send_some(fd[1], 2, 1);
	turns(4, 0);
	ok(t.got == 1 && t.gone == 1, "a type not allowed ends the peer");
	close(fd[1]);

	i = begin(fd);
	t.free = true;
	send_some(fd[1], 0, 3);
	turns(4, 0);
	ok(t.got == 1 && t.gone == 0, "a handler may free its own ipc");
	close(fd[1]);
	ok(fd_lowest() == low, "no descriptor is left");
	(void)i;
}

/* A process that hashes passwords still answers master. */
static void
test_turn(void)
{
	int fd[2];
	struct ipc *i = begin(fd);

	t.slow = true;
	send_some(fd[1], 0, 20);
	turns(1, 0);
	ok(t.got > 0 && t.got < 20, "no peer has the process for long");
	t.slow = false;
	turns(3, 0);
	ok(t.got == 20 && t.in_order, "what is left comes in the next turn");
	close(fd[1]);
	ipc_free(i);
}

static void
test_pause(void)
{
	int fd[2], low = fd_lowest();
	struct ipc *i = begin(fd);

	t.pause = true;
	send_some(fd[1], 0, 3);
	turns(4, 0);
	ok(t.got == 1, "paused: the others wait");
	close(fd[1]);
	turns(4, 0);
	ok(t.got == 1 && t.gone == 0, "even when the peer hangs up");
	t.pause = false;
	ipc_pause(i, false);
	turns(4, 0);
	ok(t.got == 3 && t.in_order && t.gone == 1, "resumed: none is lost");
	ok(fd_lowest() == low, "no descriptor is left");
}

/* Sends until push-back; all of it must arrive, in order, when read. */
static void
test_slow_peer(void)
{
	int fd[2], p[2], low = fd_lowest();
	struct ipc *i;
	struct ipc_msg m;
	struct buf scratch;
	uint32_t sent = 0, got = 0;
	bool order = true, fds = true;

	if (pipe(p) == -1)
		return;
	i = begin(fd);
	buf_init(&scratch, IPC_PACKET_MAX);
	while (ipc_send(i, IPC_SPOOL_IS, sent, filled(50000), p[0], -1) == 0)
		sent++;
	ok(errno == ENOBUFS && sent > 100 && sent < 400, "pushes back");
	ok(ipc_send(i, IPC_SPOOL_IS, 0, filled(IPC_BODY_MAX + 1), -1, -1) ==
	        -1 && errno == EMSGSIZE, "a body too long is refused");
	while (got < sent) {
		turns(1, 0);
		while (ipc_recv(fd[1], ROLE_SMTPD, ROLE_QUEUE, &scratch, &m,
		           false) == 1) {
			order = order && m.id == got++ && m.body.n == 50000;
			fds = fds && m.fd[0] >= 0;
			ipc_close_fds(&m);
		}
	}
	ok(order && fds, "what was taken arrives whole and in order");
	ok(ipc_send(i, IPC_SPOOL_IS, 0, SPAN_NONE, -1, -1) == 0,
	    "then there is room again");
	while (ipc_send(i, IPC_SPOOL_IS, 0, filled(50000), p[0], -1) == 0)
		;
	close(fd[1]);
	turns(3, 0);
	ok(t.gone == 1, "a peer that goes takes its packets along");
	close(p[0]);
	close(p[1]);
	buf_fini(&scratch);
	ok(fd_lowest() == low, "no descriptor is left");
}

static void
test_passing(void)
{
	int fd[2], p[2], low = fd_lowest();
	struct ipc *i;

	if (pipe(p) == -1)
		return;
	memset(&t, 0, sizeof(t));
	ipc_pair(fd);
	t.taken = -1;
	t.refuse_at = -1;
	i = ipc_new(fd[0], ROLE_SMTPD, ROLE_QUEUE, on_message, on_gone, NULL);
	ipc_write(fd[1], IPC_SPOOL_IS, 0, SPAN_NONE, p[0], -1);
	ipc_write(fd[1], IPC_SPOOL_IS, 1, SPAN_NONE, p[0], -1);
	turns(3, 0);
	ok(t.got == 2 && fd_is_open(t.taken), "a handler keeps a descriptor");
	close(t.taken);
	close(p[0]);
	close(p[1]);
	close(fd[1]);
	ipc_free(i);
	ipc_free(NULL);
	ok(fd_lowest() == low, "what it does not keep is closed");
}

int
main(void)
{
	log_level(LL_ERROR);
	if (freopen("/dev/null", "w", stderr) == NULL) /* violations are logged */
		return 1;
	test_allow();
	test_fields();
	test_blocking();
	test_malformed();
	test_descriptors();
	loop_init();
	test_loop();
	test_turn();
	test_pause();
	test_slow_peer();
	test_passing();
	loop_fini();
	return done();
}
