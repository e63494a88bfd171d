/*
 * conf: postern.conf(5). One table of keys (lib/conf_keys.c: name, type,
 * field, default, bounds, one-line description) from which the parser,
 * `postern config`, the checker and the man page's test live. The struct is
 * const after it was read.
 */
#ifndef LIB_CONF_H
#define LIB_CONF_H

#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#include "lib/buf.h"

struct conf_list { /* words */
	size_t n;
	char **word;
};

struct conf_listen {
	struct sockaddr_storage ss;
	socklen_t len;
	char text[96]; /* "127.0.0.1:25", "[::1]:25" */
};

struct conf_listens { /* "off" is none; "*:25" is both families */
	size_t n;
	struct conf_listen *at;
};

struct conf_net { /* "192.0.2.0/24", "2001:db8::/32", "::1" */
	int family;
	unsigned char addr[16];
	unsigned bits;
};

struct conf_nets {
	size_t n;
	struct conf_net *net;
};

struct conf {
	char *path; /* the file it came from */

	/* Who we are */
	char *hostname;
	struct conf_list domains;        /* local domains; lower case */
	struct conf_list system_domains; /* local, accounts of the system */
	struct conf_list relay_domains;  /* not local, yet taken from anyone */
	char *default_domain;  /* for names without @; never empty: default is
				* the first local domain, else hostname */
	char *postmaster;      /* full address; who gets mail for postmaster
				* that no map takes, and double bounces */

	/* Where we listen */
	struct conf_listens listen_smtp, listen_submission,
	    listen_submissions, listen_pop3, listen_pop3s, listen_imap,
	    listen_imaps;
	char *tls_certificate, *tls_key; /* PEM files; empty: no TLS */
	bool plaintext_auth;   /* POP3, IMAP from loopback without TLS */

	/* Files and users */
	char *spool_dir, *run_dir, *map_dir, *mail_root, *libexec_dir;
	char *user_smtp, *user_login, *user_auth, *user_dns, *user_queue,
	    *user_relay;       /* names or numbers */
	char *mail_user;       /* owner of virtual mailboxes */
	uint64_t min_uid;      /* no worker below this uid, mail-user apart */
	uint64_t process_timeout; /* s without an answer to master; 0: any */
	char *log;             /* "stderr", a file (absolute), conf_syslog() */
	char *log_level;       /* error warn info debug */

	/* SMTP */
	struct conf_nets trusted_networks; /* may relay without AUTH */
	uint64_t message_size;  /* bytes as received */
	uint64_t recipients_max;
	uint64_t smtp_timeout;  /* s for a command; RFC 5321 4.5.3.2.7 */
	uint64_t smtp_data_timeout; /* s without progress in DATA */
	uint64_t smtp_data_rate;  /* bytes/s a body must at least come with */
	uint64_t smtp_errors;   /* bad commands before 421 */
	uint64_t smtp_connections;     /* in all, a process */
	uint64_t smtp_client_connections; /* at once from one network */
	uint64_t smtp_client_rate;     /* connections a minute, likewise */
	uint64_t smtp_client_messages; /* messages a minute, likewise */
	uint64_t smtp_transactions;    /* messages a connection */
	uint64_t smtp_processes, login_processes, relay_processes; /* 0: one a
				 * core */
	char *submission_senders; /* own own-or-remote any */
	uint64_t user_messages, user_recipients; /* an hour, of one user */
	struct conf_list unlimited_users; /* logins, "uid=33" */
	char *subaddress;       /* separators, "+" */

	/* Queue */
	uint64_t retry_min, retry_max; /* s: first wait, longest wait */
	uint64_t queue_lifetime, bounce_lifetime; /* s */
	uint64_t delay_warning; /* s; 0: none */
	uint64_t active_max;    /* messages in memory */
	uint64_t destination_concurrency, destination_initial_concurrency;
	uint64_t local_concurrency;
	uint64_t deliver_timeout, relay_timeout; /* s without a result */
	uint64_t spool_reserve; /* bytes that must stay free */
	char *relayhost;        /* next hop for other hosts' mail; empty: MX */
	struct conf_list lmtp_sockets; /* paths that relay may be joined to */

	/* DNS */
	struct conf_list resolver; /* ADDRESS[@PORT]..., or one word: "system",
				* "recursive" */
	char *dnssec;           /* auto yes no */
	char *dns_trust_anchor; /* file; empty: the usual places */
	uint64_t dns_timeout;   /* s for an answer */
	uint64_t dns_cache;     /* bytes */

	/* Relay: to other hosts; times in s */
	char *relay_tls;        /* none may encrypt verify: without an entry
				 * in tls-policy */
	char *tls_ca_file;      /* empty: the system's authorities */
	uint64_t relay_connections; /* of one process */
	uint64_t relay_host_connections; /* at once to one network, in all */
	uint64_t relay_connect_timeout, relay_greeting_timeout,
	    relay_command_timeout, relay_data_timeout, relay_send_timeout,
	    relay_dot_timeout;  /* RFC 5321 4.5.3.2 */
	uint64_t relay_idle_timeout; /* a connection is kept */
	uint64_t relay_reuse;   /* messages of one connection */
	uint64_t smtp_port;     /* of other hosts */
	bool relay_loopback;    /* MX may point here: tests */

	/* POP3, IMAP, logins */
	uint64_t pop3_timeout;  /* s; RFC 1939 3: at least 600 */
	uint64_t imap_timeout;  /* s; RFC 3501 5.4: at least 1800 */
	uint64_t imap_search_time; /* s of CPU; 0: as long as it takes */
	struct conf_list imap_folders; /* made for who has none */
	uint64_t login_timeout; /* s to log in */
	uint64_t login_connections, login_client_connections;
	uint64_t sessions, user_sessions; /* session processes */
	uint64_t auth_delay;    /* ms, grows */
	uint64_t auth_failures; /* distinct wrong passwords a network, account */
};

/*
 * Reads a file, the text in fd (from its start; it stays open), or text.
 * NULL: problems were reported to err as "FILE:LINE: reason; remedy", one a
 * line, all of them. In unsigned numbers that are limits, 0 means none
 * where the key's bounds allow it.
 */
struct conf *conf_read(const char *path, struct buf *err);
struct conf *conf_read_fd(int fd, const char *name, struct buf *err);
struct conf *conf_read_text(struct span text, const char *name,
    struct buf *err);
void conf_free(struct conf *); /* NULL is fine */
/* The socket of the system logger; NULL: it does not get our log. */
const char *conf_syslog(const struct conf *);
/* The effective settings as text that conf_read_fd() reads back equal. */
void conf_write(const struct conf *, bool changed_only, struct buf *);
/* The effective value of one key; -1: no such key. */
int conf_write_key(const struct conf *, struct span key, struct buf *);
/* The known key nearest to a mistyped one, or NULL. */
const char *conf_key_guess(struct span key);

bool conf_nets_match(const struct conf_nets *, const struct sockaddr *);
bool conf_list_has(const struct conf_list *, struct span word); /* any case */
bool conf_list_has_exact(const struct conf_list *, struct span word);

/* For `postern config`, the man page's test. */
struct conf_key_info {
	const char *name, *type, *def, *min, *max, *what;
};
size_t conf_keys_count(void);
void conf_key_info(size_t i, struct conf_key_info *);

/* conf/paths: compiled in by the Makefile. */
extern const char conf_default_path[]; /* /etc/postern/postern.conf */

#endif
