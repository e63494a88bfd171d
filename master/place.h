/*
 * place: what the house needs in the file system: its directories, the pid
 * file.
 */
#ifndef MASTER_PLACE_H
#define MASTER_PLACE_H

struct buf;
struct conf;
struct generation;

/*
 * Makes the directories that are missing, with their owners, and looks at
 * those that are there. -1: err says what is wrong and how to mend it.
 */
int place_dirs(const struct generation *, struct buf *err);

/*
 * Creates and locks RUN_DIR/master.pid; the lock is held until the process
 * ends. -1: err says who holds it. After a fork call place_pid_write().
 */
int place_pid_lock(const struct conf *, struct buf *err);
void place_pid_write(void);
void place_pid_remove(const struct conf *);

#endif
