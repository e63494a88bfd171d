/*
 * ctl: answers postern(8) on RUN_DIR/ctl.sock.
 *
 *	status [--json|--processes]   how the house is
 *	topology                      the table it is built from
 *	reload                        answers when it is done, or refused
 *	map                           maps were rebuilt: look at them now
 *	who [--json] [WHOM]...        sessions; kick WHOM...: their end
 *	stop                          answers at once; the end may take a while
 */
#ifndef MASTER_CTL_H
#define MASTER_CTL_H

/* Starts to listen on the "ctl" listener. */
void ctl_start(void);

#endif
