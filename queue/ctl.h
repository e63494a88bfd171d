/* ctl: requests of postern(8) through queue.sock. */
#ifndef QUEUE_CTL_H
#define QUEUE_CTL_H

/* Takes the listening socket. */
void ctl_listen(int fd);

#endif
