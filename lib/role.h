/*
 * role: who a process is. The topology table (master/topology.c), the
 * sandbox table (lib/sandbox.c) and the IPC allow table (lib/ipc.c) are
 * indexed by it.
 */
#ifndef LIB_ROLE_H
#define LIB_ROLE_H

enum role {
	ROLE_MASTER,
	ROLE_SMTPD,
	ROLE_LOGIN,
	ROLE_AUTH,
	ROLE_DNS,
	ROLE_QUEUE,
	ROLE_DELIVER,
	ROLE_RELAY,
	ROLE_POP3D,
	ROLE_IMAPD,
	ROLE_CTL,   /* postern(8) at the other end of ctl.sock, queue.sock */
	ROLE_COUNT
};

const char *role_name(enum role); /* "smtpd"; also its executable */

#endif
