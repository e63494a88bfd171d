/*
 * mailbox_trouble: an index that is lost twice, a disk that is full, sessions
 * that make it at the same time, more than one record holds.
 */
#include "lib/mailbox.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/die.h"
#include "lib/log.h"
#include "t/unit/box.h"
#include "t/unit/tap.h"

static void
expunge(struct mailbox *m, uint32_t seq)
{
	size_t skipped;

	if (mailbox_store(m, &seq, 1, MOP_ADD, MF_DELETED, 0, true,
		&skipped) == -1 ||
	    mailbox_expunge(m, &seq, 1) == -1)
		die("expunge");
}

static uint64_t
size_of(const char *name)
{
	struct stat st;

	return fstatat(box, name, &st, AT_SYMLINK_NOFOLLOW) == 0 ?
	    (uint64_t)st.st_size : 0;
}

static void
log_grow(uint64_t size)
{
	char name[200];

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	while (size_of("postern.log") < size)
		mailbox_delivered(box, name);
}

/* The log is lost again and again: each time from the map, or not at all. */
static void
test_lost(void)
{
	uint32_t validity, uid, last = 0;
	struct mailbox *m;
	bool grows = true;

	box_new();
	m = open_it(false);
	validity = mailbox_uidvalidity(m);
	(void)append(m);
	log_grow(64 * 1024);
	(void)append(m);
	ok(size_of("postern.map") > 0, "there is a map");
	mailbox_close(m);
	for (unsigned i = 0; i < 3; i++) {
		if (unlinkat(box, "postern.log", 0) == -1)
			die("log");
		m = open_it(false);
		uid = append(m);
		grows = grows && mailbox_uidvalidity(m) == validity &&
		    uid > last;
		last = uid;
		if (mailbox_sync(m, true, NULL, NULL) == -1)
			die("sync");
		expunge(m, mailbox_count(m));
		mailbox_close(m);
	}
	ok(grows, "a log that is lost three times: no uid comes again");
	if (unlinkat(box, "postern.log", 0) == -1 ||
	    unlinkat(box, "postern.map", 0) == -1)
		die("index");
	m = open_it(false);
	ok(mailbox_uidvalidity(m) > validity, "without a map: new uids");
	mailbox_close(m);
}

struct heard {
	unsigned changed;
};

static void
on_changed(void *arg, uint32_t seq)
{
	((struct heard *)arg)->changed |= 1u << seq;
}

/* What another program did is told, though a silent STORE met it. */
static void
test_silent(void)
{
	const struct mailbox_news news = { .changed = on_changed };
	const uint32_t seq[] = { 1, 2 };
	struct heard h = { 0 };
	struct mailbox *m;
	size_t skipped;
	int bit;

	box_new();
	put("cur/1.a:2,S", "x\n");
	put("cur/2.b:2,", "x\n");
	m = open_it(false);
	bit = mailbox_keyword_bit(m, SPAN("word"), true);
	if (bit == -1 ||
	    renameat(box, "cur/1.a:2,S", box, "cur/1.a:2,FS") == -1 ||
	    renameat(box, "cur/2.b:2,", box, "cur/2.b:2,R") == -1)
		die("rename");
	ok(mailbox_store(m, seq, 2, MOP_ADD, MF_SEEN, (uint64_t)1 << bit, true,
	       &skipped) == 0 && skipped == 0 &&
		(mailbox_msg(m, 1)->flags & MF_FLAGGED) != 0 &&
		(mailbox_msg(m, 2)->flags & MF_ANSWERED) != 0,
	    "a STORE finds what was renamed");
	ok(mailbox_sync(m, true, &news, &h) == 0 && h.changed == 6,
	    "and silent as it is, others' flags are told");
	mailbox_close(m);
}

/* No file may grow beyond that. */
static void
disk_full(uint64_t size)
{
	static struct rlimit was;
	struct rlimit few;

	if (size == 0) {
		(void)setrlimit(RLIMIT_FSIZE, &was);
		return;
	}
	(void)signal(SIGXFSZ, SIG_IGN);
	(void)getrlimit(RLIMIT_FSIZE, &was);
	few = was;
	few.rlim_cur = (rlim_t)size;
	if (setrlimit(RLIMIT_FSIZE, &few) == -1)
		die("setrlimit");
}

static void
test_full(void)
{
	const struct timespec then[2] = { { .tv_sec = 1000000000 },
		{ .tv_sec = 1000000000 } };
	const uint32_t seq = 1;
	struct mailbox *m;
	size_t skipped;
	int rc;

	box_new();
	put("cur/1.a:2,", "x\n");
	m = open_it(false);
	put("cur/2.b:2,", "x\n");
	/* What cur/ is like is known for good at the first look. */
	if (utimensat(box, "cur", then, 0) == -1)
		die("cur");
	disk_full(size_of("postern.log"));
	rc = mailbox_sync(m, true, NULL, NULL);
	disk_full(0);
	ok(rc == -1 && mailbox_count(m) == 1,
	    "a full disk: a new message cannot be told");
	ok(mailbox_sync(m, true, NULL, NULL) == 0 && mailbox_count(m) == 2,
	    "but later");
	log_grow(1024 * 1024);
	if (renameat(box, "tmp", box, "none") == -1)
		die("tmp");
	ok(mailbox_sync(m, true, NULL, NULL) == 0 &&
		mailbox_store(m, &seq, 1, MOP_ADD, MF_DELETED, 0, true,
		    &skipped) == 0 &&
		mailbox_expunge(m, &seq, 1) == 0 &&
		mailbox_sync(m, true, NULL, NULL) == 0 &&
		mailbox_count(m) == 1,
	    "no room to write a long log anew: mail can be removed");
	if (renameat(box, "none", box, "tmp") == -1)
		die("tmp");
	mailbox_close(m);
	m = open_it(false);
	put("new/3.c", "x\n");
	ok(mailbox_sync(m, true, NULL, NULL) == 0 && mailbox_count(m) == 2 &&
		size_of("postern.log") < 64 * 1024,
	    "later it is");
	mailbox_close(m);
}

/* A session of its own, which begins when the pipe is closed. */
static pid_t
opener(int go[2])
{
	struct mailbox_status st;
	pid_t pid = fork();
	char c;

	if (pid != 0)
		return pid;
	close(go[1]);
	while (read(go[0], &c, 1) == -1 && errno == EINTR)
		;
	_exit(mailbox_status(box, &st) == 0 ? 0 : 1);
}

static void
test_first(void)
{
	enum { ROUNDS = 20, SESSIONS = 6 };
	unsigned failed = 0, i, k;
	pid_t pid[SESSIONS];
	int go[2], status;

	for (i = 0; i < ROUNDS; i++) {
		box_new();
		put("new/1.a", "x\n");
		if (pipe(go) == -1)
			die("pipe");
		for (k = 0; k < SESSIONS; k++)
			if ((pid[k] = opener(go)) == -1)
				die("fork");
		close(go[0]);
		close(go[1]);
		for (k = 0; k < SESSIONS; k++)
			failed += waitpid(pid[k], &status, 0) != pid[k] ||
			    status != 0;
	}
	ok(failed == 0, "sessions that are the first of a folder together");
}

/* Every second one is new: ranges for more than one record. */
static void
test_many(void)
{
	enum { PAIRS = 33000 };
	struct mailbox *m;
	char name[40];
	bool good;

	box_new();
	put("one", "x\n");
	put("two", "x\n");
	for (unsigned i = 0; i < PAIRS; i++) {
		(void)snprintf(name, sizeof(name), "cur/%u.a:2,", 2 * i);
		if (linkat(box, "one", box, name, 0) == -1)
			break;
		(void)snprintf(name, sizeof(name), "new/%u.b", 2 * i + 1);
		if (linkat(box, "two", box, name, 0) == -1)
			break;
	}
	m = open_it(false);
	good = mailbox_count(m) == 2 * PAIRS && mailbox_recent(m) == PAIRS;
	mailbox_close(m);
	m = open_it(false);
	ok(good && mailbox_count(m) == 2 * PAIRS && mailbox_recent(m) == 0,
	    "many new messages between others are taken, once");
	mailbox_close(m);
}

int
main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	log_open("stderr", "test", LL_ERROR);
	test_lost();
	test_silent();
	test_full();
	test_first();
	test_many();
	box_end();
	return done();
}
