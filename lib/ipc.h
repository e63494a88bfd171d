/*
 * ipc: talk between Postern's processes. SOCK_SEQPACKET, one message a
 * packet: u16 type, u32 id, payload; at most one or two descriptors ride
 * along. Payloads are written and read field by field (get_*, put_*), never
 * as copied structs. Who may send what to whom is one table in ipc.c; a
 * message that is not allowed or does not decode ends that peer, only it.
 */
#ifndef LIB_IPC_H
#define LIB_IPC_H

#include "lib/buf.h"
#include "lib/loop.h"
#include "lib/role.h"

enum ipc_type {
	/* lib/ipc_setup.h: master <-> child */
	IPC_ROLE = 1,  /* M->C who you are */
	IPC_CONFIG,    /* M->C effective configuration text, fd */
	IPC_LISTEN,    /* M->C a listening socket, fd */
	IPC_PEER,      /* M->C a channel to another process, fd */
	IPC_MAP,       /* M->C a compiled map, fd */
	IPC_CERT,      /* M->C certificate and key, two fds */
	IPC_DIR,       /* M->C the spool directory, the shared counters, fd */
	IPC_GO,        /* M->C all is there: drop, sandbox, start */
	IPC_READY,     /* C->M sandboxed, serving */
	IPC_STOP,      /* M->C finish sessions and exit */
	IPC_WORKER,    /* queue->M: a worker for this user, please */
	IPC_WORKER_IS, /* M->queue: fd, or why not */
	IPC_SESSION,   /* auth->M: start a session with this fd */
	IPC_SESSION_IS,/* M->auth */
	IPC_PEER_LOST, /* C->M my channel to this role has ended */
	IPC_CONNECT,   /* relay->M: a connection to this LMTP socket, please */
	IPC_CONNECT_IS,/* M->relay: fd, or why not */
	IPC_STEM,      /* M->C fork sessions, when told so */
	IPC_FORK,      /* M->stem: a session, please: its channel, its fd */
	IPC_FORK_IS,   /* stem->M */
	IPC_TICKETS,   /* M->C keys for TLS session tickets */
	IPC_PING,      /* M->C does your loop turn? Of event-driven daemons */
	IPC_PONG,      /* C->M */
	/* lib/ipc_mail.h: smtpd <-> queue */
	IPC_SPOOL_OPEN = 32, /* S->Q large message: a spool file, please */
	IPC_SPOOL_IS,        /* Q->S fd, or why not */
	IPC_SUBMIT,          /* S->Q envelope and body, or body is in the file */
	IPC_SUBMIT_IS,       /* Q->S the reply: durable, or refused */
	IPC_SPOOL_ABORT,     /* S->Q forget the spool file */
	/* lib/ipc_job.h: queue <-> deliver, relay */
	IPC_JOB = 48,
	IPC_JOB_IS,          /* one or several results */
	/* lib/ipc_auth.h: smtpd, login <-> auth */
	IPC_AUTH = 64,
	IPC_AUTH_IS,
	/* lib/ipc_ctl.h: ctl <-> master, queue */
	IPC_CTL = 80,  /* an argument vector */
	IPC_CTL_TEXT,  /* a piece of output */
	IPC_CTL_END,   /* exit status */
	/* lib/ipc_dns.h: who asks <-> dns */
	IPC_DNS = 96,
	IPC_DNS_IS,
};

enum { IPC_FDS_MAX = 2 };

struct ipc_msg {
	enum ipc_type type;
	uint32_t id;   /* chosen by who asks, repeated by who answers */
	struct span body;
	int fd[IPC_FDS_MAX]; /* -1: none. The handler takes one by setting -1 */
	bool lost;     /* it had descriptors, but this process has no room
			* for more (EMFILE): a temporary failure */
};

struct ipc;
/* 0, or -1: malformed, and the peer is closed. */
typedef int ipc_fn(struct ipc *, struct ipc_msg *, void *arg);
/* The peer is gone (or was cut off). The owner calls ipc_free(). */
typedef void ipc_gone_fn(struct ipc *, void *arg);

/* A connected pair with buffers for IPC_PACKET_MAX; close-on-exec. */
int ipc_pair(int fd[2]);

/*
 * Event-driven end. Takes fd. self and peer select the row of the allow
 * table. Up to IPC_OUT_MAX bytes wait for a slow peer. fn may free its ipc.
 */
struct ipc *ipc_new(int fd, enum role self, enum role peer, ipc_fn *fn,
    ipc_gone_fn *gone, void *arg);
void ipc_free(struct ipc *);
enum role ipc_peer(const struct ipc *);
/*
 * Sends or queues one message; fds are borrowed (duplicated into the
 * packet). 0, or -1: the peer is gone, its queue is full (push back), or
 * body is over IPC_BODY_MAX.
 */
int ipc_send(struct ipc *, enum ipc_type, uint32_t id, struct span body,
    int fd0, int fd1);
/* Bytes that were queued because the peer is slow. */
size_t ipc_waiting(const struct ipc *);
/*
 * Stops and restarts reading (back-pressure). Messages wait in the kernel.
 */
void ipc_pause(struct ipc *, bool paused);

/*
 * Blocking ends (deliver, start-up, tools): one packet. ipc_recv: 1 got one
 * (body valid until the next call on the same scratch), 0 peer closed (errno
 * 0), -1 error or malformed. wait false: 0 with errno EAGAIN if nothing is
 * there. scratch: buf_init(&b, IPC_PACKET_MAX), or less to take less.
 */
int ipc_write(int fd, enum ipc_type, uint32_t id, struct span body, int fd0,
    int fd1);
int ipc_recv(int fd, enum role self, enum role peer, struct buf *scratch,
    struct ipc_msg *, bool wait);
void ipc_close_fds(struct ipc_msg *);
/*
 * In a signal handler: takes one packet that waits on fd, and its descriptor,
 * if the packet is of that type. -1: there is none (any more).
 */
int ipc_take_fd(int fd, enum ipc_type);

/* May sender send this type to receiver? The table. */
bool ipc_allowed(enum role from, enum role to, enum ipc_type);

/*
 * Field by field (lib/ipc_field.c). get_*: -1 if short or over max; input
 * and output are kept then.
 */
void put_u8(struct buf *, uint8_t);
void put_u16(struct buf *, uint16_t);
void put_u32(struct buf *, uint32_t);
void put_u64(struct buf *, uint64_t);
void put_span(struct buf *, struct span); /* u32 length, bytes */
void put_cut(struct buf *, struct span, size_t max); /* first max bytes */
int get_u8(struct span *, uint8_t *);
int get_u16(struct span *, uint16_t *);
int get_u32(struct span *, uint32_t *);
int get_u64(struct span *, uint64_t *);
int get_span(struct span *, struct span *, size_t max);
int get_text(struct span *, struct span *, size_t max); /* no controls */

/*
 * Largest packet: a message of SMALL_BODY_MAX bytes with the longest envelope
 * there can be (asserted in lib/ipc_mail.c, lib/ipc_job.c).
 */
enum {
	IPC_PACKET_MAX = 384 * 1024,
	IPC_BODY_MAX = IPC_PACKET_MAX - 6,
	IPC_OUT_MAX = 8 * 1024 * 1024,
};

#endif
