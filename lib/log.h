/*
 * log: one event a line, key=value, the same key for the same thing in every
 * daemon (man postern-log(5)). Values are escaped; secrets never come here.
 *
 *	log_begin(LL_INFO, "rcpt");
 *	log_str("sid", s->sid);
 *	log_span("to", rcpt);
 *	log_num("code", 250);
 *	log_end();
 *
 * Lines are gathered and written once per turn of the loop (log_flush), so
 * that a line costs no system call of its own; errors are written at once.
 * No process waits for its log: lines that are not taken now are kept, up to
 * a bound, and tried again; how many were dropped is told as soon as a line
 * gets through.
 */
#ifndef LIB_LOG_H
#define LIB_LOG_H

#include "lib/span.h"

enum log_level { LL_ERROR, LL_WARN, LL_INFO, LL_DEBUG };

/*
 * Opens the log of this process. where is "stderr" (also a file that master
 * opened as fd 2: lines get time, host and program in front) or "syslog"
 * (fd 2 is the system logger's socket). name is "smtpd" and so on.
 */
void log_open(const char *where, const char *name, enum log_level level);
void log_level(enum log_level level);
bool log_would(enum log_level level);

void log_begin(enum log_level level, const char *event);
void log_str(const char *key, const char *value); /* NULL: key left out */
void log_span(const char *key, struct span value);
void log_num(const char *key, uint64_t value);
void log_int(const char *key, int64_t value);
void log_err(int errnum); /* why="strerror" */
void log_end(void);
void log_flush(void);
bool log_waits(void); /* some is left: flush again, a little later */
/* After fork(2), in the new process: what is left is its parent's to write. */
void log_forget(void);
/*
 * At the end of the process: waits longer, also for another descriptor 2.
 * -1: some of it is lost.
 */
int log_fini(void);

/* One plain sentence: ev=EVENT why="..." */
void log_msg(enum log_level level, const char *event, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
