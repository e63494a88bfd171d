/* role: names of the processes. */
#include "lib/role.h"

#include <assert.h>

static const char *const names[ROLE_COUNT] = {
	[ROLE_MASTER] = "master",
	[ROLE_SMTPD] = "smtpd",
	[ROLE_LOGIN] = "login",
	[ROLE_AUTH] = "auth",
	[ROLE_DNS] = "dns",
	[ROLE_QUEUE] = "queue",
	[ROLE_DELIVER] = "deliver",
	[ROLE_RELAY] = "relay",
	[ROLE_POP3D] = "pop3d",
	[ROLE_IMAPD] = "imapd",
	[ROLE_CTL] = "ctl",
};

const char *
role_name(enum role r)
{
	assert((unsigned)r < ROLE_COUNT);
	return names[r];
}
