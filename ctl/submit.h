/*
 * submit: a small SMTP client over RUN_DIR/submit.sock.
 */
#ifndef CTL_SUBMIT_H
#define CTL_SUBMIT_H

#include "ctl/ctl.h"

struct submit {
	struct span sender;       /* canonical; empty: <> */
	struct conf_list rcpt;    /* canonical addresses */
	struct span text;         /* LF lines */
	bool verbose;             /* the dialogue on standard output */
};

/* The message is durable, or nothing of it is there. Exit status. */
int submit_send(const struct ctl *, const struct submit *);
/* sendmail -bs: SMTP on standard input and output. */
int submit_pipe(const struct ctl *);

#endif
