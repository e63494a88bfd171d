/*
 * cmd_misc: the small ones, RFC 5321 4.1.1.5 to 4.1.1.10.
 */
#include "smtpd/commands.h"
#include "smtpd/replies.h"
#include "smtpd/session.h"

const void *
cmd_rset(void *session, struct span arg)
{
	(void)arg;
	session_reset(session);
	return &R_DONE;
}

const void *
cmd_noop(void *session, struct span arg)
{
	(void)session;
	(void)arg;
	return &R_DONE;
}

/* The same answer for all names: RFC 5321 3.5.3, 7.3. */
const void *
cmd_vrfy(void *session, struct span arg)
{
	(void)session;
	(void)arg;
	return &R_CANNOT_VERIFY;
}

const void *
cmd_expn(void *session, struct span arg)
{
	(void)session;
	(void)arg;
	return &R_NOT_HERE;
}

const void *
cmd_help(void *session, struct span arg)
{
	(void)session;
	(void)arg;
	return &R_HELP;
}

const void *
cmd_quit(void *session, struct span arg)
{
	(void)session;
	(void)arg;
	return &R_BYE;
}

const void *
cmd_not_smtp(void *session, struct span arg)
{
	(void)session;
	(void)arg;
	return &R_NOT_SMTP;
}
