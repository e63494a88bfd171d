/*
 * conn_impl: what the three files of conn share: conn.c (life, output),
 * conn_input.c (reading, lines) and conn_proxy.c. Nobody else includes it.
 *
 *	life	OPEN --close,eof,timeout--> CLOSING --flushed--> LINGERING
 *		   \______________________________\______________/   |
 *		                                                    GONE
 *	phase	CONNECT --> PLAIN
 *		PLAIN --conn_starttls--> FLUSH --> HANDSHAKE --> SECURE
 *
 * All changes of life are seen at the end of the turn by conn_turn(), so no
 * callback finds its connection freed.
 */
#ifndef LIB_CONN_IMPL_H
#define LIB_CONN_IMPL_H

#include "lib/buf.h"
#include "lib/conn.h"
#include "lib/loop.h"
#include "lib/tls.h"

enum conn_life {
	LIFE_OPEN,
	LIFE_CLOSING,   /* no more input; output is being flushed */
	LIFE_LINGERING, /* FIN sent; reads and drops what still comes */
	LIFE_GONE,      /* to be freed at the end of the turn */
};

enum conn_phase {
	PHASE_PLAIN,
	PHASE_CONNECT,
	PHASE_FLUSH,
	PHASE_HANDSHAKE,
	PHASE_SECURE,
};

struct proxy; /* conn_proxy.c */

struct conn { /* an idle one must cost little: no arrays in here */
	struct watch watch;
	struct timer timer;
	const struct conn_ops *ops;
	void *arg;
	struct conn *next; /* in the list of this turn's work */
	struct tls *tls;
	struct proxy *proxy;
	struct buf in;  /* received, not parsed; memory only while needed */
	struct buf out; /* written, not sent; likewise */
	uint32_t line_max;
	uint32_t drained; /* the turn in which the socket was read empty */
	int errnum;       /* of the call that ended it */
	uint8_t life, phase, why;
	bool raw, paused;
	bool skipping; /* in an over-long line */
	bool queued;   /* in the list */
	bool again;    /* in may hold a whole line, or tls more bytes */
	bool blocked;  /* the socket takes no more for now */
	bool want_write; /* the handshake waits for writing */
	bool given, shared; /* given away; seen by conn_fd() */
	bool client;   /* we called: the other side is a server */
	bool greet;    /* the handshake is ours to begin */
	bool drain;    /* somebody waits for the output to be gone */
};

/* conn.c */
void conn_queue(struct conn *);
/* No more input: flush, close, and say why. */
void conn_finish(struct conn *, enum conn_why);
uint32_t conn_turn_number(void);
/* At once. */
void conn_end(struct conn *, enum conn_why);

/* conn_input.c */
/* Where all connections read into: its content lives for one callback. */
struct span conn_arena(void);
bool conn_may_parse(const struct conn *);
void conn_read(struct conn *);
void conn_parse_saved(struct conn *);
void conn_forget_input(struct conn *);

/* conn_proxy.c */
bool proxy_takes_input(const struct conn *);
void proxy_input(struct conn *, struct span);
void proxy_eof(struct conn *); /* the client has no more to say */
void proxy_turn(struct conn *);
void proxy_free(struct conn *);

#endif
