/* commands: what may be said when; the protocol on one screen. */
#ifndef SMTPD_COMMANDS_H
#define SMTPD_COMMANDS_H

#include "lib/span.h"

struct reply;
struct session;

/* One line from the client to its reply. */
const struct reply *command_run(struct session *, struct span line);

/* Handlers, lib/proto.h: session and argument; a struct reply. */
const void *cmd_helo(void *, struct span);
const void *cmd_ehlo(void *, struct span);
const void *cmd_starttls(void *, struct span);
const void *cmd_auth(void *, struct span);
const void *cmd_mail(void *, struct span);
const void *cmd_rcpt(void *, struct span);
const void *cmd_data(void *, struct span);
const void *cmd_rset(void *, struct span);
const void *cmd_noop(void *, struct span);
const void *cmd_vrfy(void *, struct span);
const void *cmd_expn(void *, struct span);
const void *cmd_help(void *, struct span);
const void *cmd_quit(void *, struct span);
const void *cmd_not_smtp(void *, struct span);

#endif
