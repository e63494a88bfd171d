/*
 * scan: what a crash, or a stop, has left in the spool. Only heads and logs
 * are read here, to know when each message is due; all else when its time
 * has come (message_load).
 */
#include "queue/scan.h"

#include <errno.h>

#include "lib/die.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/qid.h"
#include "queue/intake.h"
#include "queue/message.h"
#include "queue/queue.h"
#include "queue/schedule.h"
#include "queue/store.h"
#include "queue/wait.h"

enum { LOG_LOOK = 64 * 1024 };

static struct timer step;
static DIR *dir;
static uint64_t found, unfinished;

/* When the message is due, by the last result of its log; 0: at once. */
static int64_t
due_of(int fd, const struct spool_head *h, bool *held)
{
	static char text[LOG_LOOK];
	struct spool_record r;
	struct span log;
	int64_t next = 0;
	ssize_t n;

	*held = false;
	n = store_read(fd, text, sizeof(text),
	    SPOOL_HEAD + (off_t)h->envlen + (off_t)h->size);
	if (n <= 0)
		return 0;
	log = span_of(text, (size_t)n);
	while (spool_record_next(&log, &r) == 1) {
		if (r.type == SPOOL_RESULT && r.next > next)
			next = r.next;
		if (r.type == SPOOL_HELD || r.type == SPOOL_RELEASED)
			*held = r.type == SPOOL_HELD;
		if (r.type == SPOOL_RELEASED)
			next = 0;
	}
	return next;
}

static void
look(uint64_t qid, const char *name)
{
	char line[SPOOL_HEAD];
	struct spool_head h;
	int64_t next;
	bool held;
	ssize_t n;
	int fd = store_open(qid);

	if (fd == -1 || (n = store_read(fd, line, sizeof(line), 0)) == -1) {
		log_begin(LL_ERROR, "scan");
		log_str("qid", name);
		log_err(errno);
		log_end();
		wait_add(qid, loop_wall() + (int64_t)queue.conf->retry_min,
		    false); /* perhaps it can be read later */
		fd_close(&fd);
		return;
	}
	if (n < SPOOL_HEAD) {
		/* Cut while it was created: nobody was told 250. */
		unfinished++;
		store_remove(qid);
	} else if (spool_head_decode(span_of(line, (size_t)n), &h) == -1) {
		store_set_aside(qid, "the head is damaged");
	} else if (!h.whole) {
		unfinished++;
		store_remove(qid);
	} else {
		next = due_of(fd, &h, &held);
		wait_add(qid, next, held);
		found++;
	}
	fd_close(&fd);
}

/*
 * Did it come since the start? Ids grow with the clock; if that was set back
 * meanwhile, an old file may look new, and is looked for.
 */
static bool
is_ours(uint64_t qid)
{
	bool held;

	return qid >= queue.born &&
	    (message_find(qid) != NULL || intake_knows(qid) ||
		wait_find(qid, &held) != -1);
}

static void
scan_end(void)
{
	closedir(dir);
	dir = NULL;
	log_begin(LL_INFO, "scan");
	log_num("messages", found);
	log_num("unfinished", unfinished);
	log_end();
}

static void
on_step(struct timer *t)
{
	struct dirent *e;
	uint64_t qid;

	for (int i = 0; i < QUEUE_SCAN_STEP; i++) {
		if ((e = readdir(dir)) == NULL) {
			scan_end();
			schedule_due();
			return;
		}
		if (e->d_name[0] == '.')
			continue;
		if (qid_parse(span_str(e->d_name), &qid) == -1)
			store_set_aside_name(e->d_name, "not a queue id");
		else if (!is_ours(qid))
			look(qid, e->d_name);
	}
	loop_timer(t, 0);
	schedule_due();
}

void
scan_begin(void)
{
	if ((dir = store_list()) == NULL)
		die("cannot read the spool directory");
	step.fn = on_step;
	loop_timer(&step, 0);
}
