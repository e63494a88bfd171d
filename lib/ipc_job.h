/*
 * ipc_job: one message for one worker (deliver or relay): the recipients it
 * shall be given to, and the body, inline or as an open file.
 */
#ifndef LIB_IPC_JOB_H
#define LIB_IPC_JOB_H

#include "lib/ipc.h"
#include "lib/limits.h"

struct ipc_job_rcpt {
	uint32_t index;       /* which recipient of the message */
	struct span address;  /* final address */
	struct span original; /* as accepted at RCPT (Delivered-To, DSN) */
	struct span mailbox;  /* deliver: Maildir, below the worker's root */
};

/* How a job travels: what queue made of the transport map and relayhost. */
enum job_transport {
	JOB_LOCAL,     /* deliver; the hop is empty */
	JOB_MX,        /* host is a domain: its MX, else its A, AAAA */
	JOB_HOST,      /* host is a host or an address: no MX look-up */
	JOB_LMTP,      /* LMTP over TCP to host */
	JOB_LMTP_UNIX, /* LMTP; host is the path of a socket */
};

struct ipc_job { /* IPC_JOB; fd: the spool file (read only), or none */
	uint64_t qid;
	int64_t arrived;
	struct span sender;
	struct span sid;
	uint64_t offset, size; /* of the body in the file */
	struct span body;      /* inline if there is no fd */
	size_t nrcpt;
	struct ipc_job_rcpt rcpt[JOB_RCPT_MAX];
	uint32_t flags;        /* ENV_* of lib/envelope.h */
	uint32_t transport;    /* enum job_transport */
	uint32_t port;         /* 0: the transport's own */
	struct span host;      /* all recipients of a job share the hop */
};

/* What a result tells about, for the destination's concurrency. */
enum result_about {
	ABOUT_RCPT, /* the other host was there and decided */
	ABOUT_HOST, /* it was not there, or served nobody: slow down */
	ABOUT_CROWD, /* not asked: it has enough connections of ours; no
		      * attempt */
};

struct ipc_result {
	uint64_t qid;
	uint32_t index; /* recipient */
	uint32_t code;  /* 250 done; 4xx deferred; 5xx failed */
	struct span enhanced, text; /* text: any bytes, as the remote said it */
	uint32_t about;      /* enum result_about */
	struct span host;    /* who said it: "mx.example.org[192.0.2.1]:25";
			      * empty: we ourselves */
};

struct ipc_job_is { /* IPC_JOB_IS: all that a wake-up finished */
	size_t n;
	struct ipc_result result[JOB_RESULT_MAX];
};

void ipc_job_encode(struct buf *, const struct ipc_job *);
int ipc_job_decode(struct span, struct ipc_job *);
void ipc_job_is_encode(struct buf *, const struct ipc_job_is *);
int ipc_job_is_decode(struct span, struct ipc_job_is *);

#endif
