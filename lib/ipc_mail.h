/*
 * ipc_mail: a message handed from smtpd to the queue. Small ones travel
 * inline, envelope and body in one packet; a large body is written by smtpd
 * into a spool file that the queue opened (append only).
 */
#ifndef LIB_IPC_MAIL_H
#define LIB_IPC_MAIL_H

#include "lib/envelope.h"
#include "lib/ipc.h"

struct ipc_spool_open { /* IPC_SPOOL_OPEN */
	struct envelope env;
	uint64_t size_hint; /* SIZE= of MAIL FROM, 0: unknown */
};

struct ipc_spool_is { /* IPC_SPOOL_IS, fd if code is 0 */
	uint64_t qid;
	uint32_t code; /* 0, or a reply code such as 452 */
	struct span enhanced, text;
};

struct ipc_submit { /* IPC_SUBMIT */
	uint64_t qid;  /* 0: inline, env and body count; else body is in the
			* spool file and size, crc count */
	uint64_t size; /* bytes of body, LF lines, trace header included */
	uint32_t crc;  /* lib/crc.h of the body */
	uint32_t id_at; /* inline: where the queue writes its id over QID_LEN
			 * bytes of body; 0: nowhere */
	struct envelope env;
	struct span body;
};

struct ipc_submit_is { /* IPC_SUBMIT_IS */
	uint64_t qid;
	uint32_t code; /* 250: on stable storage */
	struct span enhanced, text;
};

struct ipc_spool_abort { /* IPC_SPOOL_ABORT */
	uint64_t qid;
};

void ipc_envelope_encode(struct buf *, const struct envelope *);
/* From the front of *in. */
int ipc_envelope_decode(struct span *in, struct envelope *);

void ipc_spool_open_encode(struct buf *, const struct ipc_spool_open *);
int ipc_spool_open_decode(struct span, struct ipc_spool_open *);
void ipc_spool_is_encode(struct buf *, const struct ipc_spool_is *);
int ipc_spool_is_decode(struct span, struct ipc_spool_is *);
void ipc_submit_encode(struct buf *, const struct ipc_submit *);
int ipc_submit_decode(struct span, struct ipc_submit *);
void ipc_submit_is_encode(struct buf *, const struct ipc_submit_is *);
int ipc_submit_is_decode(struct span, struct ipc_submit_is *);
void ipc_spool_abort_encode(struct buf *, const struct ipc_spool_abort *);
int ipc_spool_abort_decode(struct span, struct ipc_spool_abort *);

#endif
