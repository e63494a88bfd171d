/*
 * ipc_setup: what master tells a child before it may start, and what the
 * two say to each other later.
 */
#ifndef LIB_IPC_SETUP_H
#define LIB_IPC_SETUP_H

#include "lib/ipc.h"

/*
 * IPC_ROLE; fd for one-peer processes: pop3d the client (or the front's
 * proxy), deliver the channel to the queue.
 */
struct ipc_role {
	uint32_t role;       /* enum role */
	uint32_t index;      /* 0.. among processes of the role */
	uint32_t count;      /* how many there are */
	uint32_t privileged; /* 1: root; chroot, change user */
	uint64_t uid, gid;   /* to become */
	struct span user;    /* account name for initgroups; empty: none */
	struct span chroot;  /* empty directory */
	struct span root;    /* deliver, pop3d: directory tree it may touch */
	struct span mailbox; /* pop3d: the Maildir */
	struct span login;   /* pop3d: who logged in */
	struct span remote;  /* pop3d: client address text, for the log */
	struct span sid;     /* pop3d: session id */
	struct span input;   /* pop3d: bytes the front had already read */
	struct span tag;     /* imapd: to be answered first: "tag OK ..." */
	struct span log;     /* "stderr" or "syslog" */
};

/*
 * IPC_STOP, no body; its id says how: after a reload new processes serve and
 * this one finishes its sessions; at the end of all, clients are told to go.
 */
enum { STOP_DRAIN, STOP_NOW };

/*
 * IPC_READY, no body; its id says whether all that was given is good. With a
 * flaw (a certificate that cannot be used) the process serves as well as it
 * can; but a reload that brought the flaw is called off.
 */
enum { READY_WHOLE, READY_FLAWED };

struct ipc_listen { /* IPC_LISTEN, fd */
	struct span service; /* "smtp" "submission" "submissions" "local"
			      * "pop3" "pop3s" "imap" "imaps" "queue" */
	struct span address; /* "127.0.0.1:25", for the log */
};

/*
 * IPC_PEER, fd: sent at start and when a peer is new. IPC_PEER_LOST, index
 * 0: the other way round, asks for a new channel if both still live.
 */
struct ipc_peer {
	uint32_t role;
	uint32_t index;
};

struct ipc_map { /* IPC_MAP, fd of the .cdb; absent map: no fd */
	struct span name; /* "users" "aliases" "credentials" "transport"; as
			   * they are, copied: "resolv.conf" "trust-anchor" */
};

struct ipc_cert { /* IPC_CERT, fd certificate, fd key */
	struct span name; /* file name, for messages */
};

struct ipc_tickets { /* IPC_TICKETS: before GO, and when they are renewed */
	struct span keys; /* TLS_TICKETS bytes, lib/tls.h */
};

struct ipc_dir { /* IPC_DIR, fd */
	struct span name; /* "spool" (a directory), "tally" (shared memory);
			   * later "log": a new descriptor 2 */
};

struct ipc_worker { /* IPC_WORKER: queue asks for a deliver process */
	uint64_t uid, gid;
	struct span user; /* system account, or empty for virtual users */
	struct span root; /* mail root, or home */
};

struct ipc_worker_is { /* IPC_WORKER_IS, fd if why is empty */
	struct span why;
};

struct ipc_connect { /* IPC_CONNECT: relay cannot see the file system */
	struct span path; /* one that `lmtp-sockets` names */
};

struct ipc_connect_is { /* IPC_CONNECT_IS, fd if why is empty */
	struct span why;
};

struct ipc_session { /* IPC_SESSION, fd: the client, or the proxy's end */
	uint32_t service;  /* ROLE_POP3D, ROLE_IMAPD */
	uint64_t uid, gid;
	struct span user;  /* system account, or empty */
	struct span root, mailbox, login, remote, sid, input, tag;
};

struct ipc_session_is { /* IPC_SESSION_IS */
	uint32_t full;   /* 1: there are too many; 0: else */
	struct span why; /* empty: started */
};

struct ipc_fork_is { /* IPC_FORK_IS; IPC_FORK itself is a struct ipc_role */
	uint64_t pid; /* 0: it could not be made */
};

void ipc_role_encode(struct buf *, const struct ipc_role *);
int ipc_role_decode(struct span, struct ipc_role *);
void ipc_listen_encode(struct buf *, const struct ipc_listen *);
int ipc_listen_decode(struct span, struct ipc_listen *);
void ipc_peer_encode(struct buf *, const struct ipc_peer *);
int ipc_peer_decode(struct span, struct ipc_peer *);
void ipc_map_encode(struct buf *, const struct ipc_map *);
int ipc_map_decode(struct span, struct ipc_map *);
void ipc_cert_encode(struct buf *, const struct ipc_cert *);
int ipc_cert_decode(struct span, struct ipc_cert *);
void ipc_tickets_encode(struct buf *, const struct ipc_tickets *);
int ipc_tickets_decode(struct span, struct ipc_tickets *);
void ipc_dir_encode(struct buf *, const struct ipc_dir *);
int ipc_dir_decode(struct span, struct ipc_dir *);
void ipc_worker_encode(struct buf *, const struct ipc_worker *);
int ipc_worker_decode(struct span, struct ipc_worker *);
void ipc_worker_is_encode(struct buf *, const struct ipc_worker_is *);
int ipc_worker_is_decode(struct span, struct ipc_worker_is *);
void ipc_connect_encode(struct buf *, const struct ipc_connect *);
int ipc_connect_decode(struct span, struct ipc_connect *);
void ipc_connect_is_encode(struct buf *, const struct ipc_connect_is *);
int ipc_connect_is_decode(struct span, struct ipc_connect_is *);
void ipc_session_encode(struct buf *, const struct ipc_session *);
int ipc_session_decode(struct span, struct ipc_session *);
void ipc_session_is_encode(struct buf *, const struct ipc_session_is *);
int ipc_session_is_decode(struct span, struct ipc_session_is *);
void ipc_fork_is_encode(struct buf *, const struct ipc_fork_is *);
int ipc_fork_is_decode(struct span, struct ipc_fork_is *);

#endif
