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
#include "queue/litter.h"
#include "queue/message.h"
#include "queue/queue.h"
#include "queue/schedule.h"
#include "queue/store.h"
#include "queue/wait.h"

enum { AGAIN = 60 * 1000 }; /* ms after an error of the directory */

static struct timer step;
static DIR *dir;
static uint64_t found, unfinished;

/* What the log says of the message's next attempt. */
struct due {
	int64_t next; /* the last result's; 0: at once */
	bool held;
};

static void
take_record(const struct spool_record *r, void *arg)
{
	struct due *d = arg;

	if (r->type == SPOOL_RESULT && r->next > 0)
		d->next = r->next;
	if (r->type == SPOOL_HELD || r->type == SPOOL_RELEASED)
		d->held = r->type == SPOOL_HELD;
	if (r->type == SPOOL_RELEASED)
		d->next = 0;
}

static int
due_of(int fd, const struct spool_head *h, struct due *d)
{
	/* No attempt is put off longer; if it is, the clock was wrong then. */
	int64_t most = loop_wall() + 2 * (int64_t)queue.conf->retry_max;
	bool torn;
	off_t end;

	*d = (struct due){ 0, false };
	if (store_log(fd, SPOOL_HEAD + (off_t)h->envlen + (off_t)h->size,
	    take_record, d, &end, &torn) == -1)
		return -1;
	if (d->next > most)
		d->next = 0;
	return 0;
}

/* Perhaps it can be read later. */
static void
look_later(uint64_t qid, const char *name)
{
	log_begin(LL_ERROR, "scan");
	log_str("qid", name);
	log_err(errno);
	log_end();
	wait_add(qid, loop_wall() + (int64_t)queue.conf->retry_min, false, 0);
}

static void
unfinished_drop(uint64_t qid)
{
	unfinished++; /* nobody was told 250 */
	store_remove(qid);
}

static void
look(uint64_t qid, const char *name)
{
	char line[SPOOL_HEAD];
	struct spool_head h;
	struct due due;
	ssize_t n = -1;
	int fd = store_open(qid);

	if (fd == -1 && errno == ENOENT)
		return; /* delivered since the directory was read */
	if (fd == -1 || (n = store_read(fd, line, sizeof(line), 0)) == -1) {
		look_later(qid, name);
	} else if (n < SPOOL_HEAD) {
		unfinished_drop(qid); /* cut while it was created */
	} else if (spool_head_decode(span_of(line, (size_t)n), &h) == -1) {
		store_set_aside(qid, "the head is damaged");
	} else if (!h.whole) {
		unfinished_drop(qid);
	} else if (due_of(fd, &h, &due) == -1) {
		look_later(qid, name);
	} else {
		wait_add(qid, due.next, due.held, 0);
		found++;
	}
	fd_close(&fd);
}

/* It came or left since the start, or was seen by an earlier scan. */
static bool
is_known(uint64_t qid)
{
	bool held;

	return message_find(qid) != NULL || intake_knows(qid) ||
	    wait_find(qid, &held) != -1 || litter_has(qid);
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

/* The directory cannot be read: what was not seen yet is seen later. */
static void
scan_again(void)
{
	log_begin(LL_ERROR, "scan");
	log_err(errno);
	log_end();
	if (dir != NULL)
		closedir(dir);
	dir = NULL;
	loop_timer(&step, AGAIN);
}

static void
on_step(struct timer *t)
{
	struct dirent *e;
	uint64_t qid;

	if (dir == NULL && (dir = store_list()) == NULL) {
		scan_again();
		return;
	}
	for (int i = 0; i < QUEUE_SCAN_STEP; i++) {
		errno = 0;
		if ((e = readdir(dir)) == NULL) {
			if (errno != 0)
				scan_again();
			else
				scan_end();
			schedule_due();
			return;
		}
		if (e->d_name[0] == '.')
			continue;
		if (qid_parse(span_str(e->d_name), &qid) == -1)
			store_set_aside_name(e->d_name, "not a queue id");
		else if (!is_known(qid))
			look(qid, e->d_name);
	}
	loop_timer(t, 0);
	schedule_due();
}

void
scan_begin(void)
{
	step.fn = on_step;
	loop_timer(&step, 0);
}
