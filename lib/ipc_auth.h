/*
 * ipc_auth: credentials to auth, its verdict back. smtpd only learns yes or
 * no; for login, auth asks master for the session before it says yes.
 */
#ifndef LIB_IPC_AUTH_H
#define LIB_IPC_AUTH_H

#include "lib/ipc.h"

struct ipc_auth { /* IPC_AUTH; from login also fd: for the session */
	struct span service;  /* "smtp" "pop3" "imap" */
	struct span authzid;  /* must be empty or equal authcid */
	struct span authcid;  /* login name as given */
	struct span password; /* wiped from the packet buffer after use */
	struct span remote;   /* client address text */
	struct span sid;
	struct span input;    /* login: bytes already read past the login */
	struct span tag;      /* imap: of the command that is the login */
};

enum auth_verdict {
	AUTH_OK,
	AUTH_BAD,      /* same for unknown user and wrong password */
	AUTH_LATER,    /* temporary: map unreadable, session not started */
	AUTH_LIMITED,  /* too many failures; try later */
	AUTH_FULL,     /* too many sessions; not to smtpd */
};

struct ipc_auth_is { /* IPC_AUTH_IS */
	uint32_t verdict;
	struct span user; /* canonical login name on AUTH_OK */
	struct span why;  /* for the log; on AUTH_LATER, AUTH_FULL */
};

void ipc_auth_encode(struct buf *, const struct ipc_auth *);
int ipc_auth_decode(struct span, struct ipc_auth *);
void ipc_auth_is_encode(struct buf *, const struct ipc_auth_is *);
int ipc_auth_is_decode(struct span, struct ipc_auth_is *);

#endif
