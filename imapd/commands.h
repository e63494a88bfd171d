/* commands: the table of IMAP commands, and their handlers' prototypes. */
#ifndef IMAPD_COMMANDS_H
#define IMAPD_COMMANDS_H

#include "lib/span.h"

struct imap_reply;
struct session;

/*
 * Runs the gathered command; the tagged response, or NULL if it was sent.
 * *usage: for A_SYNTAX, how the command is written; NULL if unknown.
 */
const struct imap_reply *commands_run(struct session *, const char **usage);

/* "CAPABILITY" as items of a response: CAPABILITY, OK [CAPABILITY ...]. */
void capabilities_out(struct session *);

/* A handler: of a session, with what stands behind the verb and a blank. */
typedef const void *command_fn(void *arg, struct span in);

command_fn cmd_append, cmd_capability, cmd_check, cmd_close, cmd_copy,
    cmd_create, cmd_delete, cmd_enable, cmd_examine, cmd_expunge, cmd_fetch,
    cmd_id, cmd_idle, cmd_list, cmd_login, cmd_logout, cmd_lsub, cmd_move,
    cmd_namespace, cmd_noop, cmd_rename, cmd_search, cmd_select, cmd_starttls,
    cmd_status, cmd_store, cmd_subscribe, cmd_uid, cmd_uid_expunge,
    cmd_unselect, cmd_unsubscribe;

#endif
