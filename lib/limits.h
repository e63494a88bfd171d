/*
 * limits: every bound on what strangers control, in one place. What exceeds
 * one gets the protocol's own error: no truncation, no abort. Those that an
 * administrator may move are defaults or ceilings of keys in
 * lib/conf_keys.c.
 */
#ifndef LIB_LIMITS_H
#define LIB_LIMITS_H

enum {
	/* Connections, whatever they speak */
	CONN_INPUT_MAX = 64 * 1024, /* received, not parsed */
	CONN_FLUSH_MS = 30 * 1000,  /* to take our last words */
	CONN_LINGER_MS = 2 * 1000,  /* to stop talking after them */

	/* Certificates */
	TLS_CERTS_MAX = 32,
	PEM_FILE_MAX = 1024 * 1024,
	TICKETS_MS = 12 * 60 * 60 * 1000, /* of a key for session tickets */

	/* SMTP */
	SMTP_LINE_MAX = 2048,    /* command line; RFC 5321 4.5.3.1.4 asks 512,
				  * extensions add to it; CR LF included */
	SMTP_AUTH_LINE_MAX = 12288, /* RFC 4954 4 */
	SMTP_TEXT_LINE_MAX = 998, /* RFC 5321 4.5.3.1.6, CR LF apart: what we
				  * send; lines of any length are taken */
	SMTP_REPLY_MAX = 512,    /* RFC 5321 4.5.3.1.5, CR LF included */
	SMTP_PATH_MAX = 256,     /* RFC 5321 4.5.3.1.3, brackets included */
	SMTP_LOCAL_MAX = 64,     /* RFC 5321 4.5.3.1.1 */
	SMTP_DOMAIN_MAX = 255,   /* RFC 5321 4.5.3.1.2 */
	SMTP_RCPT_MAX = 1000,    /* a transaction; RFC 5321 4.5.3.1.8: >= 100 */
	SMTP_RECEIVED_MAX = 50,  /* hops; RFC 5321 6.3 */
	SMTP_HEADER_MAX = 256 * 1024, /* of a message: looked at for loops */
	SMTP_OUT_MAX = 64 * 1024, /* replies that wait for a slow reader */
	SMTP_HELD_MAX = 64 * 1024 * 1024, /* bodies in a process's memory */
	SMTP_ENVELOPES_MAX = 32 * 1024 * 1024, /* and envelopes; beyond it */
	SMTP_RCPT_UNDER_LOAD = 100, /* a transaction; RFC 5321 4.5.3.1.8 */
	SMTP_AUTH_TRIES = 5,     /* wrong passwords, a connection */
	SMTP_DELAY_MS = 1000,    /* added per error, past half the budget */
	SMTP_DELAY_MAX_MS = 10 * 1000,
	SMTP_CROWD_MS = 10 * 1000, /* a stranger's time for a command when more
				  * than half of all seats are taken; the
				  * five minutes of RFC 5321 4.5.3.2.7 are
				  * what a crowd of idlers lives on */
	SMTP_IDLE_TALK_MAX = 100, /* NOOP and kin between two messages */
	SMTP_ANSWER_MS = 600 * 1000, /* for queue, auth to answer us; RFC 5321
				  * 4.5.3.2.6: clients wait ten minutes */

	/* Bodies up to this travel inline from smtpd to deliver. */
	SMALL_BODY_MAX = 64 * 1024,

	/* A job for a worker, its answers. */
	JOB_RCPT_MAX = 100,
	JOB_RESULT_MAX = 128,

	/* Addressing */
	ALIAS_DEPTH_MAX = 20,
	ALIAS_WIDTH_MAX = 1000,  /* final recipients of one address */
	RESOLVE_RCPT_MAX = 20000, /* and of one message */

	/* Before a login, whatever the protocol */
	LOGIN_ERRORS_MAX = 10,   /* commands that make no sense, then out */
	LOGIN_TRIES_MAX = 5,     /* wrong passwords, then out */
	LOGIN_ANSWER_MS = 60 * 1000, /* auth's longest time to answer */
	LOGIN_OUT_MAX = 4096,    /* bytes a client may leave unread */

	/* POP3 */
	POP3_LINE_MAX = 512,     /* RFC 2449 4: 255 with CR LF; AUTH needs more */

	/* IMAP */
	IMAP_LINE_MAX = 64 * 1024,      /* RFC 7162 4: 8192 at least */
	IMAP_COMMAND_MAX = 256 * 1024,  /* with its literals, APPEND's apart */
	IMAP_LOGIN_COMMAND_MAX = 4096,  /* before the login */
	IMAP_DRAIN_MAX = 256 * 1024 * 1024, /* a refused {n+}: read, forgotten;
	                                 * RFC 7888 4; larger ends all */
	IMAP_ERRORS_FREE = 5,           /* BAD in a row, then each waits */
	IMAP_ERRORS_MAX = 15,           /* then BYE */
	IMAP_DELAY_MS = 1000,
	IMAP_ITEMS_MAX = 256,           /* of one FETCH, LIST, header list */
	IMAP_FLAGS_MAX = 256,           /* named in one command */
	IMAP_KEYWORD_MAX = 100,         /* bytes of a flag's name */
	IMAP_PATH_MAX = 100,            /* numbers in BODY[1.2.3 ...] */
	IMAP_ID_MAX = 30,               /* pairs; RFC 2971 3.3 */
	IMAP_STILL_MS = 2 * 60 * 1000,  /* IDLE: a word for NATs and proxies */
	IMAP_TAG_MAX = 64,
	IMAP_RANGES_MAX = 16384,        /* of one sequence set */
	SEARCH_KEYS_MAX = 2000,         /* of one SEARCH */
	IMAP_STEP_BACK_MS = 2000,       /* of CPU; then others go first */
	IMAP_NESTING_MAX = 50,          /* parentheses: SEARCH, lists */
	IMAP_FOLDER_NAME_MAX = 255 - 8, /* on disk; a component of a path */
	IMAP_FOLDER_DEPTH_MAX = 16,
	IMAP_FOLDERS_MAX = 10000,

	/* MIME */
	MIME_DEPTH_MAX = 50,
	MIME_PARTS_MAX = 1000,
	MIME_PARAMETERS_MAX = 64,       /* of one header field */
	ENVELOPE_ADDRESSES_MAX = 5000,
	STRUCTURE_MAX = 512 * 1024,     /* a record of lib/structure.h */

	/* DNS */
	DNS_RECORDS_MAX = 64,
	DNS_DATA_MAX = 4096,            /* one record; TXT strings joined */
	DNS_NAME_MAX = 253,             /* as text; RFC 1035 2.3.4 */
	DNS_CHAIN_MAX = 16,             /* CNAMEs, one behind the other */
	DNS_LOOKUPS_MAX = 1000,         /* at once, all askers together; among
					 * n who ask, each has one in n + 1 */
	DNS_QUEUED_MAX = 1000,          /* beyond its share, of one asker */
	DNS_WAITING_MAX = 2000,         /* questions, of one asker */
	DNS_RESOLVERS_MAX = 8,
	DNS_TTL_MAX = 24 * 60 * 60,     /* s */

	/* Other servers, as relay meets them */
	RELAY_LINE_MAX = 2048,  /* RFC 5321 4.5.3.1.5 asks 512 */
	RELAY_REPLY_LINES_MAX = 100,
	RELAY_REPLY_MAX = 8192, /* of one reply kept; the rest is passed over */
	RELAY_MX_MAX = 20,      /* hosts of one domain that are tried */
	RELAY_ADDRESSES_MAX = 10, /* addresses of one host */
	RELAY_JOBS_MAX = 4096,  /* of one process; then queue waits */
	RELAY_GIVEN_MAX = 500,  /* of these, that queue gives it by itself */
	RELAY_CROWD_SHARE = 5,  /* with half of that a host that MX names has a
				 * fifth of our patience for each answer before
				 * the message; less than RFC 5321 4.5.3.2 asks,
				 * but the mail is only put off */
	RELAY_HELD_MAX = 64 * 1024 * 1024, /* bytes of them in memory */
	RELAY_IDLE_MAX = 100,   /* connections that are kept */
	RELAY_TICKETS_MAX = 256, /* TLS sessions that are remembered */
	RELAY_DEAD_MAX = 1024,  /* addresses that did not answer */
	RELAY_DEAD_MS = 60 * 1000, /* so long the others go first */
	RELAY_FAST_MS = 3 * 1000, /* for an address, if the host has more */
	RELAY_TRY_MS = 15 * 60 * 1000, /* then no further address is tried */
	RELAY_TRANSACTION_MS = 75 * 60 * 1000, /* from MAIL to the last answer:
				 * each may be slow, not all of them */
	RELAY_ASK_MS = 10 * 1000, /* beyond dns-timeout, for dns, master */
	RELAY_QUIT_MS = 5 * 1000, /* for the answer to QUIT */
	RELAY_BLOCK = 64 * 1024, /* read from the spool and sent at once */
	RELAY_RECODE_MAX = 128 * 1024 * 1024, /* a message in memory, while it
				 * is seen how to recode it; larger: as it is */
	RELAY_OUT_MAX = 256 * 1024, /* that a server has not taken yet */
	RELAY_LOCAL_MAX = 256,  /* addresses of this host */

	/* Mailboxes */
	MAILDIR_MESSAGES_MAX = 1000000,  /* of one folder */
	MAILBOX_LOG_MAX = 1024 * 1024 * 1024, /* bytes; is then written anew */
	MAILBOX_LOCK_MS = 30 * 1000,     /* for others to let go of an index */
	MAILDIR_TMP_AGE = 36 * 60 * 60,  /* s: older files in tmp/ are litter */

	/* Credentials */
	AUTH_NAME_MAX = 320,     /* local part, @, domain */
	AUTH_PASSWORD_MAX = 512, /* crypt(3) takes no more */
	AUTH_WAITING_MAX = 2048, /* requests that auth holds at once */
	AUTH_DELAY_MAX = 30000,  /* ms, longest wait after a failure */
	AUTH_HALF_LIFE = 900,    /* s; counters of failures halve */

	/* Files of the administrator */
	SYSTEM_TEXT_MAX = 64 * 1024, /* resolv.conf, a trust anchor */
	CONF_FILE_MAX = 1024 * 1024, /* postern.conf, bytes */
	CONF_LIST_MAX = 10000,   /* words of one list */
	TEXT_FILE_MAX = 256 * 1024 * 1024, /* users, aliases */
	TEXT_LINE_MAX = 64 * 1024,

	/* Maps */
	MAP_KEY_MAX = 512,
	MAP_VALUE_MAX = 64 * 1024,

	/* Processes of mailbox owners that queue may ask for */
	WORKERS_MAX = 1000,

	/* Files and names */
	PATH_LEN_MAX = 1024,
	SID_MAX = 24,            /* session id, terminator included */
	QID_TEXT_MAX = 16,       /* queue id as text, terminator included */
	LOG_VALUE_MAX = 512,     /* one value of a log line, escaped */
	LOG_LINE_MAX = 4096,
	HOST_MAX = 256,          /* a host name or address text, terminated */
};

#endif
