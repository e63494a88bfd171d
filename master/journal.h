/*
 * journal: where the house logs to: descriptor 2 of every process, opened
 * again when its file was moved away or the system logger was restarted, and
 * then handed to all, sessions too.
 */
#ifndef MASTER_JOURNAL_H
#define MASTER_JOURNAL_H

struct child;
struct conf;

/*
 * Points descriptor 2 and the log at conf->log. -1 and errno if the file
 * cannot be opened; the old log goes on. A logger that is not there yet is
 * no error.
 */
int journal_open(const struct conf *);
/* Looks after the system logger from now on. */
void journal_start(void);
/* A reload: the file may have been moved away, or be another one now. */
void journal_follow(void);
/* It is READY, or born: if it is both by now, it can hear of a new log. */
void journal_child_tell(struct child *);

#endif
