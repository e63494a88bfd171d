/*
 * ipc_setup: master's words to its children and theirs to it. Both
 * directions of a message stand side by side.
 */
#include "lib/ipc_setup.h"

#include "lib/limits.h"
#include "lib/tls.h"

enum {
	SETUP_WORD_MAX = 15,   /* "submissions", "syslog" */
	SETUP_NAME_MAX = 255,  /* accounts, maps, files */
	SETUP_LISTEN_MAX = 95, /* "[address]:port", "local" */
	SETUP_WHY_MAX = 511,
	SETUP_INPUT_MAX = SMALL_BODY_MAX, /* what a front read ahead */
	SETUP_INDEX_MAX = 1024, /* processes of one role */
};

static int
get_role(struct span *in, uint32_t *role)
{
	uint32_t r;

	if (get_u32(in, &r) == -1 || r >= ROLE_COUNT)
		return -1;
	*role = r;
	return 0;
}

static int
get_index(struct span *in, uint32_t *n)
{
	uint32_t r;

	if (get_u32(in, &r) == -1 || r > SETUP_INDEX_MAX)
		return -1;
	*n = r;
	return 0;
}

/* User and group ids; all ones means "no change" to setresuid(2): refused. */
static int
get_id(struct span *in, uint64_t *id)
{
	uint64_t r;

	if (get_u64(in, &r) == -1 || r >= UINT32_MAX)
		return -1;
	*id = r;
	return 0;
}

void
ipc_role_encode(struct buf *b, const struct ipc_role *m)
{
	put_u32(b, m->role);
	put_u32(b, m->index);
	put_u32(b, m->count);
	put_u32(b, m->privileged);
	put_u64(b, m->uid);
	put_u64(b, m->gid);
	put_span(b, m->user);
	put_span(b, m->chroot);
	put_span(b, m->root);
	put_span(b, m->mailbox);
	put_span(b, m->login);
	put_span(b, m->remote);
	put_span(b, m->sid);
	put_span(b, m->input);
	put_span(b, m->tag);
	put_span(b, m->log);
}

int
ipc_role_decode(struct span in, struct ipc_role *out)
{
	struct ipc_role m;

	if (get_role(&in, &m.role) == -1 || get_index(&in, &m.index) == -1 ||
	    get_index(&in, &m.count) == -1 ||
	    get_u32(&in, &m.privileged) == -1 || m.privileged > 1 ||
	    get_id(&in, &m.uid) == -1 || get_id(&in, &m.gid) == -1 ||
	    get_text(&in, &m.user, SETUP_NAME_MAX) == -1 ||
	    get_text(&in, &m.chroot, PATH_LEN_MAX) == -1 ||
	    get_text(&in, &m.root, PATH_LEN_MAX) == -1 ||
	    get_text(&in, &m.mailbox, PATH_LEN_MAX) == -1 ||
	    get_text(&in, &m.login, AUTH_NAME_MAX) == -1 ||
	    get_text(&in, &m.remote, HOST_MAX) == -1 ||
	    get_text(&in, &m.sid, SID_MAX) == -1 ||
	    get_span(&in, &m.input, SETUP_INPUT_MAX) == -1 ||
	    get_text(&in, &m.tag, IMAP_TAG_MAX) == -1 ||
	    get_text(&in, &m.log, PATH_LEN_MAX) == -1 ||
	    in.n != 0) /* trailing bytes are a lie */
		return -1;
	*out = m;
	return 0;
}

void
ipc_listen_encode(struct buf *b, const struct ipc_listen *m)
{
	put_span(b, m->service);
	put_span(b, m->address);
}

int
ipc_listen_decode(struct span in, struct ipc_listen *out)
{
	struct ipc_listen m;

	if (get_text(&in, &m.service, SETUP_WORD_MAX) == -1 ||
	    get_text(&in, &m.address, SETUP_LISTEN_MAX) == -1 || in.n != 0)
		return -1;
	*out = m;
	return 0;
}

void
ipc_peer_encode(struct buf *b, const struct ipc_peer *m)
{
	put_u32(b, m->role);
	put_u32(b, m->index);
}

int
ipc_peer_decode(struct span in, struct ipc_peer *out)
{
	struct ipc_peer m;

	if (get_role(&in, &m.role) == -1 || get_index(&in, &m.index) == -1 ||
	    in.n != 0)
		return -1;
	*out = m;
	return 0;
}

void
ipc_map_encode(struct buf *b, const struct ipc_map *m)
{
	put_span(b, m->name);
}

int
ipc_map_decode(struct span in, struct ipc_map *out)
{
	struct ipc_map m;

	if (get_text(&in, &m.name, SETUP_NAME_MAX) == -1 || in.n != 0)
		return -1;
	*out = m;
	return 0;
}

void
ipc_cert_encode(struct buf *b, const struct ipc_cert *m)
{
	put_span(b, m->name);
}

int
ipc_cert_decode(struct span in, struct ipc_cert *out)
{
	struct ipc_cert m;

	if (get_text(&in, &m.name, PATH_LEN_MAX) == -1 || in.n != 0)
		return -1;
	*out = m;
	return 0;
}

void
ipc_tickets_encode(struct buf *b, const struct ipc_tickets *m)
{
	put_span(b, m->keys);
}

int
ipc_tickets_decode(struct span in, struct ipc_tickets *out)
{
	struct ipc_tickets m;

	if (get_span(&in, &m.keys, TLS_TICKETS) == -1 ||
	    m.keys.n != TLS_TICKETS || in.n != 0)
		return -1;
	*out = m;
	return 0;
}

void
ipc_dir_encode(struct buf *b, const struct ipc_dir *m)
{
	put_span(b, m->name);
}

int
ipc_dir_decode(struct span in, struct ipc_dir *out)
{
	struct ipc_dir m;

	if (get_text(&in, &m.name, SETUP_NAME_MAX) == -1 || in.n != 0)
		return -1;
	*out = m;
	return 0;
}

void
ipc_worker_encode(struct buf *b, const struct ipc_worker *m)
{
	put_u64(b, m->uid);
	put_u64(b, m->gid);
	put_span(b, m->user);
	put_span(b, m->root);
}

int
ipc_worker_decode(struct span in, struct ipc_worker *out)
{
	struct ipc_worker m;

	if (get_id(&in, &m.uid) == -1 || get_id(&in, &m.gid) == -1 ||
	    get_text(&in, &m.user, SETUP_NAME_MAX) == -1 ||
	    get_text(&in, &m.root, PATH_LEN_MAX) == -1 || in.n != 0)
		return -1;
	*out = m;
	return 0;
}

void
ipc_worker_is_encode(struct buf *b, const struct ipc_worker_is *m)
{
	put_cut(b, m->why, SETUP_WHY_MAX);
}

int
ipc_worker_is_decode(struct span in, struct ipc_worker_is *out)
{
	struct ipc_worker_is m;

	if (get_span(&in, &m.why, SETUP_WHY_MAX) == -1 || in.n != 0)
		return -1;
	*out = m;
	return 0;
}

void
ipc_session_encode(struct buf *b, const struct ipc_session *m)
{
	put_u32(b, m->service);
	put_u64(b, m->uid);
	put_u64(b, m->gid);
	put_span(b, m->user);
	put_span(b, m->root);
	put_span(b, m->mailbox);
	put_span(b, m->login);
	put_span(b, m->remote);
	put_span(b, m->sid);
	put_span(b, m->input);
	put_span(b, m->tag);
}

int
ipc_session_decode(struct span in, struct ipc_session *out)
{
	struct ipc_session m;

	if (get_role(&in, &m.service) == -1 ||
	    (m.service != ROLE_POP3D && m.service != ROLE_IMAPD) ||
	    get_id(&in, &m.uid) == -1 || get_id(&in, &m.gid) == -1 ||
	    get_text(&in, &m.user, SETUP_NAME_MAX) == -1 ||
	    get_text(&in, &m.root, PATH_LEN_MAX) == -1 ||
	    get_text(&in, &m.mailbox, PATH_LEN_MAX) == -1 ||
	    get_text(&in, &m.login, AUTH_NAME_MAX) == -1 ||
	    get_text(&in, &m.remote, HOST_MAX) == -1 ||
	    get_text(&in, &m.sid, SID_MAX) == -1 ||
	    get_span(&in, &m.input, SETUP_INPUT_MAX) == -1 ||
	    get_text(&in, &m.tag, IMAP_TAG_MAX) == -1 || in.n != 0)
		return -1;
	*out = m;
	return 0;
}

void
ipc_session_is_encode(struct buf *b, const struct ipc_session_is *m)
{
	put_u32(b, m->full);
	put_cut(b, m->why, SETUP_WHY_MAX);
}

int
ipc_session_is_decode(struct span in, struct ipc_session_is *out)
{
	struct ipc_session_is m;

	if (get_u32(&in, &m.full) == -1 || m.full > 1 ||
	    get_span(&in, &m.why, SETUP_WHY_MAX) == -1 || in.n != 0)
		return -1;
	*out = m;
	return 0;
}

void
ipc_connect_encode(struct buf *b, const struct ipc_connect *m)
{
	put_span(b, m->path);
}

int
ipc_connect_decode(struct span in, struct ipc_connect *m)
{
	return get_text(&in, &m->path, PATH_LEN_MAX) == -1 || in.n != 0 ? -1
									: 0;
}

void
ipc_connect_is_encode(struct buf *b, const struct ipc_connect_is *m)
{
	put_span(b, m->why);
}

int
ipc_connect_is_decode(struct span in, struct ipc_connect_is *m)
{
	return get_text(&in, &m->why, PATH_LEN_MAX) == -1 || in.n != 0 ? -1 : 0;
}

void
ipc_fork_is_encode(struct buf *b, const struct ipc_fork_is *m)
{
	put_u64(b, m->pid);
}

int
ipc_fork_is_decode(struct span in, struct ipc_fork_is *out)
{
	struct ipc_fork_is m;

	/* 1 is init; what is no pid_t could become -1: everybody. */
	if (get_u64(&in, &m.pid) == -1 || m.pid == 1 || m.pid > INT32_MAX ||
	    in.n != 0)
		return -1;
	*out = m;
	return 0;
}
