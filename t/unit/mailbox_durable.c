/*
 * mailbox_durable: what a client is told of uids is on disk by then: the log
 * up to its end, the log's name, messages and their names. This program's
 * fsync() and fdatasync() come before libc's and note what was synced.
 */
#include "lib/mailbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/die.h"
#include "lib/log.h"
#include "lib/mailbox_log.h"
#include "t/unit/box.h"
#include "t/unit/tap.h"

static struct synced {
	ino_t ino;
	off_t size;    /* of a file, then */
	unsigned tick; /* 1: the first sync of all */
} synced[1000];
static size_t nsynced;
static bool dies; /* instead of the next sync of a log */

static void
note(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == -1 || nsynced == sizeof(synced) / sizeof(*synced))
		die("fstat");
	if (dies && S_ISREG(st.st_mode))
		_exit(7);
	synced[nsynced].ino = st.st_ino;
	synced[nsynced].size = st.st_size;
	synced[nsynced].tick = (unsigned)nsynced + 1;
	nsynced++;
}

int
fsync(int fd)
{
	note(fd);
	return (int)syscall(SYS_fsync, fd);
}

int
fdatasync(int fd)
{
	note(fd);
	return (int)syscall(SYS_fdatasync, fd);
}

/* The last sync of it; none: its tick is 0. */
static struct synced
last_of(const char *path, struct stat *st)
{
	struct synced none = { 0 };

	if (fstatat(box, path, st, 0) == -1)
		die("%s", path);
	for (size_t i = nsynced; i > 0; i--)
		if (synced[i - 1].ino == st->st_ino)
			return synced[i - 1];
	return none;
}

static bool
file_is_durable(const char *path)
{
	struct stat st;
	struct synced s = last_of(path, &st);

	return s.tick > 0 && s.size == st.st_size;
}

/* Where the last record with new messages ends. */
static off_t
promised(const char *path)
{
	static unsigned char log[64 * 1024];
	int fd = openat(box, path, O_RDONLY);
	ssize_t n = fd == -1 ? -1 : read(fd, log, sizeof(log));
	off_t at = MAILBOX_LOG_HEAD, last = 0;

	if (n <= 0)
		die("%s", path);
	close(fd);
	while (at + MAILBOX_LOG_FRAME <= n) {
		bool is = log[at + 8] == MLOG_NEW;

		at += 8 + log[at + 2] * 256 + log[at + 3];
		if (is)
			last = at;
	}
	return last;
}

/* The log with its messages, and its name. */
static bool
log_is_durable(const char *folder)
{
	struct synced s;
	struct stat st;
	char path[64];

	(void)snprintf(path, sizeof(path), "%s/postern.log", folder);
	s = last_of(path, &st);
	return promised(path) > 0 && s.size >= promised(path) &&
	    last_of(folder, &st).tick > 0;
}

static void
forget(void)
{
	nsynced = 0;
}

static void
test_found(void)
{
	const struct mailbox_news none = { 0 };
	struct mailbox *m;

	box_new();
	put("new/1.a", "x\n");
	put("new/2.b", "x\n");
	forget();
	m = open_it(false);
	ok(mailbox_count(m) == 2 && log_is_durable("."),
	    "first open: what it found");
	ok(file_is_durable("postern.validity"), "and its UIDVALIDITY");
	put("new/3.c", "x\n");
	mailbox_delivered(box, "3.c");
	if (mailbox_sync(m, true, &none, NULL) == -1)
		die("sync");
	ok(mailbox_count(m) == 3 && log_is_durable("."),
	    "what was delivered");
	mailbox_close(m);
}

/* A session writes what it found, and dies before that is on disk. */
static void
find_and_die(void)
{
	int status = 0;
	pid_t pid;

	put("new/1.a", "x\n");
	pid = fork();
	if (pid == -1)
		die("fork");
	if (pid == 0) {
		dies = true;
		(void)open_it(false);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 7,
	    "one finds a message and dies");
	forget();
}

static void
test_others(void)
{
	const struct mailbox_news none = { 0 };
	struct mailbox *m;

	box_new();
	m = open_it(false);
	find_and_die();
	if (mailbox_sync(m, true, &none, NULL) == -1)
		die("sync");
	ok(mailbox_count(m) == 1 && log_is_durable("."),
	    "another tells of it when it is on disk");
	mailbox_close(m);

	box_new();
	mailbox_close(open_it(false));
	find_and_die();
	m = open_it(true);
	ok(mailbox_count(m) == 1 && log_is_durable("."),
	    "also one who comes only to read");
	mailbox_close(m);
}

static bool
message_is_durable(struct mailbox *m, const char *folder)
{
	struct span name = mailbox_name(m, mailbox_count(m));
	struct stat st;
	char path[300];

	(void)snprintf(path, sizeof(path), "%s/cur/%.*s", folder, (int)name.n,
	    name.p);
	if (!file_is_durable(path))
		return false;
	(void)snprintf(path, sizeof(path), "%s/cur", folder);
	return last_of(path, &st).tick > 0;
}

static void
test_append(void)
{
	const struct mailbox_news none = { 0 };
	uint32_t one = 1, uid[2];
	struct mailbox *m, *to;

	box_new();
	m = open_it(false);
	forget();
	ok(append(m) == 1 && log_is_durable("."), "APPENDUID");
	if (mailbox_sync(m, true, &none, NULL) == -1)
		die("sync");
	ok(message_is_durable(m, "."), "and the message");

	if (maildir_make(box, ".To", false) == -1)
		die("maildir_make");
	to = mailbox_open(openat(box, ".To", O_RDONLY | O_DIRECTORY), false);
	if (to == NULL)
		die("open");
	/* The copy is a link to what has been synced: its name is new. */
	if (mailbox_copy(m, &one, 1, to, true, &uid[0], &uid[1]) == -1)
		die("copy");
	ok(uid[1] == 1 && log_is_durable(".To"), "COPYUID");
	if (mailbox_sync(to, true, &none, NULL) == -1)
		die("sync");
	ok(message_is_durable(to, ".To"), "and the copy");
	mailbox_close(to);
	mailbox_close(m);
}

int
main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	log_open("stderr", "test", LL_ERROR);
	test_found();
	test_others();
	test_append();
	box_end();
	return done();
}
