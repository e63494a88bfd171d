/* scan: the spool after a start. */
#ifndef QUEUE_SCAN_H
#define QUEUE_SCAN_H

/*
 * Looks at every file older than this process, some of them a turn: what
 * waits is scheduled, what was never finished is removed, what cannot be
 * read is set aside.
 */
void scan_begin(void);

#endif
