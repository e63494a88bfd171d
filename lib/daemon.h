/*
 * daemon: how every child of master begins: fd 3 is the channel to master.
 * daemon_start() receives the set-up, opens the log, changes root and user,
 * enters the sandbox, says READY, and returns. Later messages of master
 * (new peers, new maps, stop) come through the hooks.
 *
 *	int
 *	main(int argc, char **argv)
 *	{
 *		struct daemon d = { .role = ROLE_SMTPD, .on_stop = ... };
 *
 *		daemon_start(&d, argc, argv);
 *		... take d.listen, d.peer ...
 *		loop_run();
 *	}
 */
#ifndef LIB_DAEMON_H
#define LIB_DAEMON_H

#include "lib/conf.h"
#include "lib/ipc.h"
#include "lib/ipc_setup.h"
#include "lib/tls.h"

enum { DAEMON_LISTEN_MAX = 64, DAEMON_PEER_MAX = 64, DAEMON_CERT_MAX = 32 };

struct daemon_listen {
	int fd;
	char service[16];
	char address[96];
};

struct daemon_peer {
	int fd; /* taken by who makes an ipc of it: set to -1 */
	enum role role;
	unsigned index;
};

struct daemon_cert {
	int cert_fd, key_fd;
};

struct daemon {
	enum role role; /* set by main before daemon_start */
	/* Hooks, event-driven daemons; may be NULL. They take what they use. */
	void (*on_peer)(struct daemon_peer *);    /* new or replaced peer */
	void (*on_map)(const char *name, int fd); /* takes fd; -1: gone */
	/* d.conf is new; the old one is freed when this returns. */
	void (*on_conf)(void);
	/* Finish what is begun, then loop_stop(). NULL: the loop is stopped
	 * at once. May come twice, the second time with hurry. Also when
	 * master has died. */
	void (*on_stop)(void);
	void (*on_tickets)(void); /* d.tickets are new */
	int (*on_message)(struct ipc *master, struct ipc_msg *); /* others */
	/* Opens what needs privilege before the drop (the log is done). */
	void (*before_drop)(void);
	/*
	 * In the sandbox, before READY: takes into use what was handed over,
	 * and sets `flawed` if a certificate is no good.
	 */
	void (*prepare)(void);
	bool flawed;

	/* Filled by daemon_start. */
	struct conf *conf;
	struct ipc *master; /* event-driven roles, else NULL */
	int master_fd;      /* blocking roles (deliver, pop3d) */
	unsigned index, count;
	bool privileged;
	bool hurry;              /* on_stop: STOP_NOW, not STOP_DRAIN */
	struct ipc_role role_is; /* spans live as long as the process */
	size_t nlisten, npeer, ncert;
	struct daemon_listen listen[DAEMON_LISTEN_MAX];
	struct daemon_peer peer[DAEMON_PEER_MAX];
	struct daemon_cert cert[DAEMON_CERT_MAX];
	unsigned char tickets[TLS_TICKETS]; /* smtpd, login: if has_tickets */
	bool has_tickets;
	int users_fd, aliases_fd, credentials_fd; /* maps at start; -1 */
	int transport_fd, tls_policy_fd, relay_passwords_fd; /* likewise */
	int resolv_fd, anchor_fd; /* dns: copies of resolv.conf, trust anchor */
	/*
	 * queue: the spool directory; deliver: the root that all its mailboxes
	 * are below; pop3d: the Maildir itself, made if it was missing. Also
	 * the working directory (not queue's), and the only tree that the
	 * sandbox lets them touch: open relative to it. -1, and dir_errno why,
	 * if deliver's or pop3d's could not be opened: they say so.
	 */
	int dir_fd;
	int dir_errno;
	int tally_fd;  /* smtpd, login: shared counters */
	int client_fd; /* pop3d: the client; deliver: the queue */
};

/*
 * Does not return on error. Afterwards SIGPIPE, SIGHUP, SIGINT and SIGTERM
 * are ignored, and SIGUSR1 but where it means the log (lib/daemon_log.c): children listen to master alone (a blocking role, which
 * does not read fd 3 any more, gets SIGTERM from it and sets its own handler
 * for it before daemon_start or after). Event-driven roles: loop_init() has
 * been called. Blocking roles get no loop.
 */
void daemon_start(struct daemon *, int argc, char **argv);

/*
 * Tells master that the channel to the one peer of that role has ended. If
 * the peer died, on_peer comes with its successor anyway; if both live (an
 * error on the channel), master makes a new one after a second.
 */
void daemon_peer_lost(enum role);

/*
 * From `prepare`: makes *tls of the certificates that master gave, the first
 * one the default, and closes them; daemon_tickets(). A pair that is no good is logged and
 * marks the process as flawed. (lib/daemon_tls.c)
 */
void daemon_certificates(struct daemon *, struct tls_server **tls);
/* From `on_tickets`: gives them to tls (NULL is fine) and wipes them here. */
void daemon_tickets(struct daemon *, struct tls_server *tls);

#endif
