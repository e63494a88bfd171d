/*
 * log_out: descriptor 2, where lines of the log go: a file, a pipe, a
 * terminal, or the system logger's socket. Nothing here waits for long: who
 * reads the log is not to stop the mail. What is not taken stays with the
 * caller, who tries again, and counts what he must drop.
 */
#ifndef LIB_LOG_OUT_H
#define LIB_LOG_OUT_H

#include "lib/span.h"

/* syslog: a packet a line, which ends with NUL; else lines end with LF. */
void log_out_open(bool syslog);
/*
 * Writes whole lines as far as they are taken, and waits for at most ms in
 * all. How many bytes went.
 */
size_t log_out_write(struct span lines, unsigned ms);

#endif
