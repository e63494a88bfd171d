/* cmd_data: DATA, RFC 5321 4.1.1.4; the body itself is submit.c's. */
#include "smtpd/commands.h"
#include "smtpd/replies.h"
#include "smtpd/session.h"
#include "smtpd/submit.h"

const void *
cmd_data(void *session, struct span arg)
{
	struct session *s = session;

	(void)arg;
	if (s->state != ST_RCPT)
		return &R_NO_RCPT; /* RFC 2920 3.2 (3) */
	return submit_begin(s);
}
