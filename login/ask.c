/*
 * ask: questions to auth and their answers.
 *
 * Invariants: c->question is not 0 exactly while its id is waiting.
 * c->session_fd is ours alone: the other end of the pair was sent away.
 */
#include "login/ask.h"

#include <sys/socket.h>

#include <string.h>
#include <unistd.h>

#include "lib/conn.h"
#include "lib/daemon.h"
#include "lib/die.h"
#include "lib/ipc_auth.h"
#include "lib/log.h"
#include "lib/pending.h"
#include "login/front.h"

static struct ipc *auth;
static struct pending waiting;
static struct buf packet = { .max = IPC_BODY_MAX };

static int
on_message(struct ipc *ipc, struct ipc_msg *m, void *arg)
{
	struct ipc_auth_is is;
	struct client *c;

	(void)ipc;
	(void)arg;
	if (m->type != IPC_AUTH_IS || ipc_auth_is_decode(m->body, &is) == -1)
		return -1;
	if ((c = pending_take(&waiting, m->id)) == NULL)
		return 0; /* gone meanwhile */
	c->question = 0;
	client_verdict(c, &is);
	return 0;
}

/*
 * Whether a session was started, nobody knows any more. Over TLS the verdict
 * "later" closes the pair, which ends it; in plain text both of us would
 * speak to the client, so we hang up.
 */
static void
lost(struct client *c)
{
	const struct ipc_auth_is is = { .verdict = AUTH_LATER,
		.user = SPAN_NONE,
		.why = SPAN("auth is gone") };

	c->question = 0;
	if (c->session_fd == -1)
		conn_abort(c->conn);
	else
		client_verdict(c, &is);
}

/* Whoever waits for an answer will get none. */
static void
forget(void)
{
	struct client *c;

	ipc_free(auth);
	auth = NULL;
	while ((c = pending_take_any(&waiting)) != NULL)
		lost(c);
}

static void
on_gone(struct ipc *ipc, void *arg)
{
	(void)ipc;
	(void)arg;
	log_msg(LL_WARN, "limit", "auth is gone");
	forget();
	daemon_peer_lost(ROLE_AUTH);
}

void
ask_peer(struct daemon_peer *p)
{
	if (p->role != ROLE_AUTH)
		return;
	if (auth != NULL)
		forget();
	auth = ipc_new(p->fd, ROLE_LOGIN, ROLE_AUTH, on_message, on_gone, NULL);
	p->fd = -1;
}

/* Sends the packet with fd. */
static int
send_question(struct client *c, int fd)
{
	uint32_t id = pending_add(&waiting, c);

	if (id == 0)
		return -1;
	if (ipc_send(auth, IPC_AUTH, id, buf_get(&packet), fd, -1) == -1) {
		(void)pending_take(&waiting, id);
		return -1;
	}
	c->question = id;
	return 0;
}

/*
 * Under TLS the session process gets one end of a pair, and we carry the
 * bytes; in plain text it gets the client's own socket and what the client
 * has already said after its password.
 */
static int
ask(struct client *c, struct ipc_auth *q)
{
	int pair[2] = { -1, -1 }, rc = -1;

	if (conn_tls(c->conn) == NULL) {
		/* or the session's greeting could overtake our last words */
		if (conn_flush(c->conn) == -1)
			return -1;
		q->input = conn_unread(c->conn);
	} else if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == -1) {
		return -1;
	}
	buf_clear(&packet);
	ipc_auth_encode(&packet, q);
	if (!packet.bad)
		rc = send_question(
		    c, pair[1] != -1 ? pair[1] : conn_fd(c->conn));
	explicit_bzero(packet.p, packet.n);
	fd_close(&pair[1]);
	if (rc == 0)
		c->session_fd = pair[0];
	else
		fd_close(&pair[0]);
	return rc;
}

int
ask_login(struct client *c, struct span authzid, struct span authcid,
    struct span password)
{
	struct ipc_auth q = { .service = span_str(c->service->protocol->name),
		.authzid = authzid,
		.authcid = authcid,
		.password = password,
		.remote = span_str(c->name),
		.sid = span_str(c->sid),
		.input = SPAN_NONE,
		.tag = span_str(c->tag) };

	if (auth == NULL || ask(c, &q) == -1)
		return -1;
	c->state = CLIENT_ASKED;
	conn_pause(c->conn);
	conn_deadline(c->conn, LOGIN_ANSWER_MS);
	return 0;
}

void
ask_forget(struct client *c)
{
	if (c->question != 0)
		(void)pending_take(&waiting, c->question);
	c->question = 0;
}
