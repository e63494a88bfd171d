/*
 * mailbox: an index that is cut, flipped, removed; a Maildir full of odd
 * things; what two sessions tell each other.
 */
#include "lib/mailbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/die.h"
#include "lib/ipc.h"
#include "lib/log.h"
#include "lib/mailbox_log.h"
#include "lib/structure.h"
#include "t/unit/box.h"
#include "t/unit/tap.h"

static bool
is(const char *path)
{
	struct stat st;

	return fstatat(box, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* The file's first line, as a number. */
static unsigned
content(struct mailbox *m, uint32_t seq)
{
	char text[32] = "";
	int fd = mailbox_file(m, seq);

	if (fd == -1)
		return 0;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	return (unsigned)strtoul(text, NULL, 10);
}

static void
test_odd_things(void)
{
	struct mailbox *m;
	uint32_t seq = 1, uid;
	size_t skipped;

	box_new();
	put("cur/100.a:2,S", "1\n");
	put("cur/101.b", "2\r\n\r\nx\r\n");
	put("cur/102.c,S=3:2,", "3\nlonger\n");
	put("cur/103.d,S=2,W=3:2,PSa", "4\n");
	put("cur/.hidden", "5\n");
	put("new/104.e", "6\n");
	put("cur/odd name\n:2,T", "7\n");
	if (mkdirat(box, "cur/105.dir", 0700) == -1 ||
	    symlinkat("/etc/passwd", box, "cur/106.link") == -1)
		die("cur");
	m = open_it(true);
	ok(mailbox_count(m) == 6 && is("new/104.e"),
	    "EXAMINE shows what is there and moves nothing");
	ok(mailbox_recent(m) == 1, "what is in new/ is recent");
	mailbox_close(m);
	m = open_it(false);
	ok(mailbox_count(m) == 6 && mailbox_recent(m) == 1 &&
		is("cur/104.e:2,") && !is("new/104.e"),
	    "a session that writes takes it");
	ok(content(m, 1) == 7 && content(m, 2) == 1 && content(m, 6) == 6,
	    "uids in the order of the times in names");
	ok((mailbox_msg(m, 1)->flags & MF_DELETED) != 0 &&
		(mailbox_msg(m, 2)->flags & MF_SEEN) != 0,
	    "flags come from names");
	ok(mailbox_look(m, 4) == 0 && mailbox_look(m, 5) == 0 &&
		!mailbox_msg(m, 3)->size_known && !mailbox_msg(m, 4)->size_known &&
		mailbox_msg(m, 5)->size_known && mailbox_msg(m, 5)->size == 3,
	    "sizes in names count if they fit the file");
	seq = 5;
	ok(mailbox_store(m, &seq, 1, MOP_ADD, MF_FLAGGED, 0, true, &skipped) ==
		0 && is("cur/103.d,S=2,W=3:2,FPSa"),
	    "letters of others stay");
	seq = 3;
	ok(mailbox_store(m, &seq, 1, MOP_ADD, MF_SEEN, 0, true, &skipped) ==
		0 && is("cur/101.b:2,S") &&
		mailbox_store(m, &seq, 1, MOP_REMOVE, MF_SEEN, 0, true,
		    &skipped) == 0 && is("cur/101.b:2,") && content(m, 3) == 2,
	    "a name without flags gets them, and loses them");
	uid = mailbox_msg(m, 2)->uid;
	mailbox_close(m);
	m = open_it(false);
	ok(mailbox_recent(m) == 0 && mailbox_msg(m, 2)->uid == uid,
	    "recent only once; uids stay");
	mailbox_close(m);
}

static void
set_date(const char *path, int64_t when)
{
	const struct timespec times[2] = { { when, 0 }, { when, 0 } };

	if (utimensat(box, path, times, 0) == -1)
		die("%s", path);
}

static bool
dated(struct mailbox *m, uint32_t seq, int64_t when)
{
	return mailbox_look(m, seq) == 0 &&
	    mailbox_msg(m, seq)->internaldate == when;
}

static void
test_look(void)
{
	uint32_t seq = 3, from_uid, to_uid;
	struct mailbox *m, *to;

	box_new();
	put("cur/100.a,S=2,W=3:2,", "1\n");
	put("cur/101.b,S=9,W=9:2,", "2\n");
	put("cur/102.c:2,", "3\n");
	put("cur/103.d:2,", "4\n");
	put("cur/104.e:2,", "5\n");
	set_date("cur/100.a,S=2,W=3:2,", 1000);
	set_date("cur/101.b,S=9,W=9:2,", 2000);
	set_date("cur/102.c:2,", 3000);
	m = open_it(false);
	ok(dated(m, 1, 1000) && mailbox_msg(m, 1)->size_known &&
		mailbox_msg(m, 1)->size == 3,
	    "date and size of a message that was found");
	ok(dated(m, 2, 2000) && !mailbox_msg(m, 2)->size_known,
	    "a size that does not fit the file does not count");
	set_date("cur/100.a,S=2,W=3:2,", 1500);
	ok(dated(m, 1, 1000), "what was told once stays");
	set_date("cur/100.a,S=2,W=3:2,", 1000);
	to = mailbox_open_target(dup(box));
	ok(to != NULL &&
		mailbox_copy(m, &seq, 1, to, false, &from_uid, &to_uid) == 0 &&
		mailbox_sync(m, true, NULL, NULL) == 0 && dated(m, 6, 3000),
	    "a copy of one that nobody looked at has its date");
	mailbox_close(to);
	if (renameat(box, "cur/103.d:2,", box, "cur/103.d:2,S") == -1 ||
	    unlinkat(box, "cur/104.e:2,", 0) == -1)
		die("cur");
	set_date("cur/103.d:2,S", 4000);
	ok(dated(m, 4, 4000), "it is found under another name");
	ok(mailbox_look(m, 5) == -1 && errno == ENOENT,
	    "one that is gone has no date");
	mailbox_close(m);
	set_date("cur/100.a,S=2,W=3:2,", 5000);
	set_date("cur/101.b,S=9,W=9:2,", 5000);
	m = open_it(true);
	ok(dated(m, 1, 1000) && dated(m, 2, 2000) &&
		!mailbox_msg(m, 2)->size_known && dated(m, 4, 4000),
	    "what was told is kept");
	mailbox_close(m);
}

static void
test_sizes(void)
{
	struct mailbox *m;
	bool good = true;

	box_new();
	put("cur/1.a,W=1:2,", "1\n");
	put("cur/2.b,W=2:2,", "2\n");
	put("cur/3.c,W=4:2,", "3\n");
	put("cur/4.d,W=5:2,", "4\n");
	m = open_it(false);
	for (uint32_t seq = 1; seq <= 4; seq++)
		good = good && mailbox_look(m, seq) == 0 &&
		    mailbox_msg(m, seq)->size_known == (seq == 2 || seq == 3);
	ok(good, "a size on the wire that no such file can have does not count");
	mailbox_close(m);
}

/* Up to where the log says that it is synced, and where its last uid is. */
static uint64_t
log_read(struct mailbox_log_head *head, uint64_t *news, uint64_t *size)
{
	static char bytes[64 * 1024];
	struct mailbox_log_record r;
	struct mailbox_state state;
	uint64_t at = MAILBOX_LOG_HEAD, synced = 0;
	int fd = openat(box, "postern.log", O_RDONLY);
	ssize_t n = read(fd, bytes, sizeof(bytes));
	struct span in = span_of(bytes, n < 0 ? 0 : (size_t)n);

	close(fd);
	*news = 0;
	*size = in.n;
	if (mailbox_log_head_decode(in, head) == -1)
		die("log");
	span_take(&in, MAILBOX_LOG_HEAD);
	while (mailbox_log_take(&in, &at, head->id, &r) == 0) {
		if (r.type == MLOG_NEW && r.payload.n > 0)
			*news = at;
		if (r.type == MLOG_STATE &&
		    (mailbox_state_get(&r.payload, &state) == -1 ||
			mailbox_state_get(&r.payload, &state) == -1 ||
			get_u64(&r.payload, &synced) == -1))
			die("state");
	}
	return synced;
}

/* As a session does that is killed before it can sync. */
static void
write_unsynced(uint32_t uid, const char *name)
{
	struct mailbox_log_new e = { .uid = uid, .modseq = 9,
		.name = span_str(name) };
	struct mailbox_log_head head;
	uint64_t news, size;
	struct buf b;
	size_t start;
	int fd;

	(void)log_read(&head, &news, &size);
	buf_init(&b, 1000);
	start = mailbox_log_begin(&b, MLOG_NEW, uid + 1, 9);
	mailbox_log_new_put(&b, &e);
	mailbox_log_end(&b, start, head.id, size);
	fd = openat(box, "postern.log", O_WRONLY | O_APPEND);
	if (fd == -1 || write(fd, b.p, b.n) != (ssize_t)b.n)
		die("log");
	close(fd);
	buf_fini(&b);
}

static void
test_promise(void)
{
	struct mailbox_log_head head;
	struct mailbox_status st;
	uint64_t synced, news, size;
	struct mailbox *a, *b;

	box_new();
	ok(mailbox_status(box, &st) == 0 && st.uidvalidity != 0 &&
		log_read(&head, &news, &size) == 0 && news == 0,
	    "an empty folder has a log; nothing was promised");
	put("cur/1.a:2,", "1\n");
	a = open_it(false);
	synced = log_read(&head, &news, &size);
	ok(mailbox_count(a) == 1 && news > 0 && synced >= news &&
		mailbox_uidvalidity(a) == st.uidvalidity,
	    "a uid is on disk before it is told");
	put("cur/2.b:2,", "2\n");
	write_unsynced(2, "2.b:2,");
	ok(log_read(&head, &news, &size) < news &&
		mailbox_sync(a, true, NULL, NULL) == 0 &&
		mailbox_count(a) == 2 &&
		log_read(&head, &news, &size) >= news,
	    "who hears of one that is not syncs it");
	put("cur/3.c:2,", "3\n");
	write_unsynced(3, "3.c:2,");
	b = open_it(true);
	ok(mailbox_count(b) == 3 && log_read(&head, &news, &size) >= news,
	    "so does who opens the folder");
	mailbox_close(a);
	mailbox_close(b);
}

/* What other processes will begin after. */
static uint32_t
validity_kept(void)
{
	char text[10];
	uint64_t v = 0;
	int fd = openat(box, "postern.validity", O_RDONLY);

	if (read(fd, text, sizeof(text)) != sizeof(text) ||
	    span_num(span_of(text, sizeof(text)), 0, UINT32_MAX, &v) == -1)
		die("postern.validity");
	close(fd);
	return (uint32_t)v;
}

/* Each larger than all before it, whoever gives them out. */
static void
test_validity(void)
{
	struct mailbox_status first, st;
	char text[32] = "";
	uint32_t last = 0;
	bool grows = true, kept = true;
	unsigned i;

	box_new();
	for (i = 0; i < 40; i++) {
		unlinkat(box, "postern.log", 0);
		unlinkat(box, "postern.map", 0);
		if (mailbox_status(box, &st) == -1)
			die("status");
		grows = grows && st.uidvalidity > last;
		last = st.uidvalidity;
		if (i == 0)
			first = st;
		kept = kept && validity_kept() >= last;
		if (i == 20) { /* somebody else has had one */
			last += 1000;
			(void)snprintf(text, sizeof(text), "%010u\n", last);
			put("postern.validity", text);
		}
	}
	ok(grows && st.uidvalidity >= first.uidvalidity + 1000,
	    "UIDVALIDITY only grows");
	ok(kept, "none is given out that the file does not cover");
}

struct heard {
	char text[500];
};

static void
hear(struct heard *h, const char *fmt, unsigned a, unsigned b)
{
	size_t n = strlen(h->text);

	(void)snprintf(h->text + n, sizeof(h->text) - n,
	    "%s%u,%u ", fmt, a, b);
}

static void
on_expunged(void *arg, uint32_t seq, uint32_t uid)
{
	hear(arg, "x", seq, uid);
}

static void
on_exists(void *arg, uint32_t count, uint32_t recent)
{
	hear(arg, "n", count, recent);
}

static void
on_changed(void *arg, uint32_t seq)
{
	hear(arg, "f", seq, 0);
}

static bool
hears(struct mailbox *m, bool expunges, const char *want)
{
	static const struct mailbox_news news = { on_expunged, on_exists,
		on_changed, NULL };
	struct heard h = { "" };

	if (mailbox_sync(m, expunges, &news, &h) == -1)
		return false;
	if (strcmp(h.text, want) != 0)
		printf("# heard %s, not %s\n", h.text, want);
	return strcmp(h.text, want) == 0;
}

static void
test_news(void)
{
	static const uint32_t all[] = { 1, 2, 3, 4 };
	struct mailbox *a, *b;
	size_t skipped;
	int bit;

	box_new();
	put("cur/1.a:2,", "1\n");
	put("cur/2.b:2,", "2\n");
	put("cur/3.c:2,", "3\n");
	put("cur/4.d:2,", "4\n");
	a = open_it(false);
	b = open_it(false);
	ok(mailbox_store(a, all, 2, MOP_ADD, MF_DELETED, 0, true, &skipped) ==
		0 && hears(a, true, "") && hears(b, true, "f1,0 f2,0 "),
	    "flags are told to the others, not to who said .SILENT");
	ok(mailbox_store(b, all + 1, 1, MOP_REMOVE, MF_DELETED, 0, false,
	       &skipped) == 0 && hears(b, true, "f2,0 ") &&
		hears(a, false, "f2,0 "),
	    "and to oneself if not silent");
	ok(mailbox_expunge(a, all, 4) == 0 && hears(b, false, "") &&
		mailbox_msg(b, 1)->gone && mailbox_count(b) == 4,
	    "an expunge waits until numbers may shift");
	put("new/5.e", "5\n");
	ok(hears(b, false, "n5,1 ") && mailbox_msg(b, 5)->uid == 5,
	    "meanwhile new messages come");
	ok(mailbox_store(b, all, 1, MOP_ADD, MF_SEEN, 0, true, &skipped) == 0 &&
		skipped == 1,
	    "what is gone is skipped");
	ok(hears(b, true, "x1,1 ") && mailbox_count(b) == 4,
	    "then it is told");
	ok(hears(a, true, "x1,1 n4,0 "), "expunged first, then exists");
	(void)unlinkat(box, "cur/3.c:2,", 0);
	(void)unlinkat(box, "cur/4.d:2,", 0);
	ok(hears(a, true, "x3,4 x2,3 "), "from high to low");
	bit = mailbox_keyword_bit(a, SPAN("$Done"), true);
	ok(bit == 0 && mailbox_keyword_bit(b, SPAN("$done"), false) == 0 &&
		mailbox_keyword_bit(b, SPAN("$done"), true) == 0 &&
		mailbox_keyword_bit(b, SPAN("other"), false) == -1,
	    "keywords have one name in any case");
	ok(mailbox_store(a, all, 1, MOP_ADD, 0, 1, true, &skipped) == 0 &&
		hears(b, true, "x3,4 x2,3 f1,0 ") &&
		mailbox_msg(b, 1)->keywords == 1,
	    "keywords are told");
	mailbox_close(a);
	mailbox_close(b);
	a = open_it(false);
	ok(mailbox_msg(a, 1)->keywords == 1 &&
		strcmp(mailbox_keyword(a, 0), "$Done") == 0,
	    "and kept");
	for (unsigned i = 1; i < MAILBOX_KEYWORDS_MAX; i++) {
		char name[8];

		(void)snprintf(name, sizeof(name), "k%u", i);
		(void)mailbox_keyword_bit(a, span_str(name), true);
	}
	ok(mailbox_keyword_bit(a, SPAN("k63"), false) == 63 &&
		mailbox_keyword_bit(a, SPAN("k64"), true) == -1,
	    "64 keywords, not one more");
	mailbox_close(a);
}

enum { HISTORY = 12 };

static struct {
	uint32_t uid, next, validity;
	unsigned content;
} history[HISTORY];

/* A folder with a past; its index as it was at the end. */
static void
history_make(void)
{
	static const uint32_t seq[] = { 1, 3, 5 };
	struct mailbox *m;
	struct mailbox_new *n;
	char path[64], text[64];
	size_t skipped;
	uint32_t uid;

	box_new();
	for (unsigned i = 1; i <= 6; i++) {
		(void)snprintf(path, sizeof(path), "cur/%u.x:2,", i);
		(void)snprintf(text, sizeof(text), "%u\n", i);
		put(path, text);
	}
	m = open_it(false);
	(void)mailbox_store(m, seq, 3, MOP_ADD, MF_FLAGGED, 0, true, &skipped);
	(void)mailbox_keyword_bit(m, SPAN("Work"), true);
	(void)mailbox_store(m, seq, 2, MOP_ADD, MF_DELETED, 1, true, &skipped);
	(void)mailbox_expunge(m, seq, 3);
	for (unsigned i = 7; i <= 9; i++) {
		n = mailbox_new_begin(m);
		(void)snprintf(text, sizeof(text), "%u\n", i);
		if (mailbox_new_write(n, span_str(text)) == -1 ||
		    mailbox_new_commit(n, MF_SEEN, 0, 1000, &uid) == -1)
			die("commit");
	}
	(void)mailbox_sync(m, true, NULL, NULL);
	for (uint32_t i = 0; i < mailbox_count(m); i++) {
		history[i].uid = mailbox_msg(m, i + 1)->uid;
		history[i].content = content(m, i + 1);
	}
	history[0].next = mailbox_uidnext(m);
	history[0].validity = mailbox_uidvalidity(m);
	mailbox_close(m);
}

/* Where the last uid was written, and synced: no crash takes that back. */
static size_t
synced_end(struct span log)
{
	struct mailbox_log_head head;
	struct mailbox_log_record r;
	uint64_t at = MAILBOX_LOG_HEAD;
	size_t end = 0;

	if (mailbox_log_head_decode(log, &head) == -1)
		return 0;
	span_take(&log, MAILBOX_LOG_HEAD);
	while (mailbox_log_take(&log, &at, head.id, &r) == 0)
		if (r.type == MLOG_NEW)
			end = (size_t)at;
	return end;
}

/* No uid names another message; strict: nor one that was given out. */
static bool
history_kept(bool strict, uint32_t *kept)
{
	struct mailbox *m = open_it(false);
	uint32_t uid, old, i = 1;
	unsigned c;
	bool good = mailbox_count(m) == 7;

	*kept = 0;
	if (mailbox_uidvalidity(m) > history[0].validity)
		i = UINT32_MAX; /* another life, whatever its uids */
	for (; i <= mailbox_count(m) && good; i++) {
		uid = mailbox_msg(m, i)->uid;
		c = content(m, i);
		old = 0;
		for (unsigned k = 0; k < HISTORY; k++)
			if (history[k].uid == uid)
				old = history[k].content;
		*kept += old != 0;
		good = old != 0 ? old == c :
				  !strict || uid >= history[0].next;
		if (!good)
			printf("# uid %u is %u, was %u\n", uid, c, old);
	}
	if (mailbox_count(m) != 7)
		printf("# %u messages\n", mailbox_count(m));
	mailbox_close(m);
	return good;
}

static void
load_file(const char *name, struct buf *b)
{
	int fd = openat(box, name, O_RDONLY);
	ssize_t n;
	char *p;

	buf_clear(b);
	while (fd != -1 && (p = buf_room(b, 4096)) != NULL &&
	    (n = read(fd, p, 4096)) > 0)
		buf_grew(b, (size_t)n);
	if (fd != -1)
		close(fd);
}

static void
save_file(const char *name, const char *p, size_t n)
{
	int fd;

	(void)unlinkat(box, name, 0);
	fd = openat(box, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd == -1 || write(fd, p, n) != (ssize_t)n)
		die("%s", name);
	close(fd);
}

static void
test_damage(void)
{
	uint32_t kept, least = 7;
	struct mailbox *m;
	bool good = true;
	struct buf log;
	size_t i;

	buf_init(&log, 1024 * 1024);
	history_make();
	load_file("postern.log", &log);
	ok(log.n > 500 && history_kept(true, &kept) && kept == 7,
	    "a folder with a past is read again");
	for (i = 0; i < synced_end(buf_get(&log)); i += i < 100 ? 1 : 7) {
		save_file("postern.log", log.p, i);
		(void)unlinkat(box, "postern.map", 0);
		m = open_it(false);
		good = good && mailbox_count(m) == 7 &&
		    (i >= MAILBOX_LOG_HEAD + MAILBOX_LOG_FRAME ||
			mailbox_uidvalidity(m) > history[0].validity);
		mailbox_close(m);
	}
	ok(good, "a log that was cut short is no danger");
	for (; i <= log.n && good; i++) {
		save_file("postern.log", log.p, i);
		(void)unlinkat(box, "postern.map", 0);
		good = history_kept(true, &kept) && kept == 7;
	}
	ok(good, "a crash at any byte costs no uid");
	for (i = 0; i < log.n && good; i += 3) {
		log.p[i] ^= 16;
		save_file("postern.log", log.p, log.n);
		(void)unlinkat(box, "postern.map", 0);
		log.p[i] ^= 16;
		good = history_kept(true, &kept);
		if (i >= MAILBOX_LOG_HEAD && kept < least)
			least = kept;
	}
	ok(good, "a flipped bit makes no uid another message's");
	printf("# least uids kept: %u of 7\n", least);
	(void)unlinkat(box, "postern.log", 0);
	(void)unlinkat(box, "postern.map", 0);
	ok(history_kept(true, &kept) && kept == 0,
	    "without any index: a larger UIDVALIDITY");
	save_file("postern.map", "x", 1);
	save_file("postern.cache", "PstCch1\nxxxxxxxxyyyyyyyyyyyyyy", 30);
	ok(history_kept(true, &kept), "a map and a cache of nonsense");
	buf_fini(&log);
}

static void
test_map(void)
{
	struct mailbox *m;
	char path[64];
	struct buf map;
	uint32_t validity;
	bool good = true;

	box_new();
	buf_init(&map, 1024 * 1024);
	for (unsigned i = 1; i <= 700; i++) {
		(void)snprintf(path, sizeof(path), "cur/%u.x:2,F", i);
		put(path, "1\n");
	}
	m = open_it(false);
	validity = mailbox_uidvalidity(m);
	mailbox_close(m);
	ok(is("postern.map"), "a long log gets a map");
	load_file("postern.map", &map);
	m = open_it(false);
	ok(mailbox_count(m) == 700 &&
		(mailbox_msg(m, 700)->flags & MF_FLAGGED) != 0 &&
		content(m, 333) == 1,
	    "which is as good as the log");
	mailbox_close(m);
	for (size_t i = 0; i < map.n && good; i += 397) {
		map.p[i] ^= 1;
		save_file("postern.map", map.p, map.n);
		map.p[i] ^= 1;
		m = open_it(false);
		good = mailbox_count(m) == 700 &&
		    mailbox_msg(m, 700)->uid == 700 && content(m, 700) == 1;
		mailbox_close(m);
	}
	ok(good, "a flipped bit in it changes nothing");
	save_file("postern.map", map.p, map.n);
	(void)unlinkat(box, "postern.log", 0);
	m = open_it(false);
	ok(mailbox_count(m) == 700 && mailbox_msg(m, 700)->uid == 700 &&
		mailbox_uidvalidity(m) == validity &&
		mailbox_uidnext(m) > 1000000 && content(m, 700) == 1,
	    "the log lost, uids come from the map, and none is used again");
	mailbox_close(m);
	buf_fini(&map);
}

/* Power fails; the map is on disk, what it was made of is not. */
static void
test_map_outlives(void)
{
	struct mailbox *m;
	struct stat st;
	uint32_t seq = 1;
	size_t skipped;
	int fd;

	box_new();
	put("cur/1.a:2,", "1\n");
	m = open_it(false);
	fd = openat(box, "postern.log", O_RDWR);
	if (fd == -1 || fstat(fd, &st) == -1)
		die("log");
	for (unsigned i = 0; !is("postern.map"); i++)
		if (mailbox_store(m, &seq, 1, i % 2 == 0 ? MOP_ADD : MOP_REMOVE,
			MF_SEEN, 0, true, &skipped) == -1)
			die("store");
	mailbox_close(m);
	if (ftruncate(fd, st.st_size) == -1)
		die("log");
	close(fd);
	m = open_it(true);
	ok(mailbox_count(m) == 1 && mailbox_msg(m, 1)->uid == 1 &&
		!is("postern.map"),
	    "a map of what the log has lost goes, before the log grows to it");
	mailbox_close(m);
}

static void
test_structure(void)
{
	struct mailbox *m;
	struct structure st;
	struct buf first, cache;

	box_new();
	buf_init(&first, 10000);
	buf_init(&cache, 10000);
	put("cur/1.a:2,", "Subject: one\n\nbody\n");
	put("cur/2.b:2,", "Subject: two\r\n\r\nbody\r\n");
	m = open_it(false);
	ok(mailbox_structure(m, 1, &st) == 0, "a structure is made");
	buf_span(&first, st.rec);
	ok(mailbox_msg(m, 1)->size_known && mailbox_msg(m, 1)->size == 22,
	    "it tells the size");
	ok(mailbox_structure(m, 2, &st) == 0 &&
		mailbox_msg(m, 2)->size == 22,
	    "also of a file with CR LF");
	mailbox_close(m);
	put("cur/1.a:2,", "");
	m = open_it(false);
	ok(mailbox_structure(m, 1, &st) == 0 &&
		span_eq(st.rec, buf_get(&first)),
	    "it is kept");
	mailbox_close(m);
	load_file("postern.cache", &cache);
	cache.p[40] ^= 1;
	save_file("postern.cache", cache.p, cache.n);
	m = open_it(false);
	ok(mailbox_structure(m, 1, &st) == 0 &&
		!span_eq(st.rec, buf_get(&first)) &&
		mailbox_structure(m, 2, &st) == 0,
	    "unless it is damaged");
	mailbox_close(m);
	buf_fini(&first);
	buf_fini(&cache);
}

/* The log is lost, and m writes it anew from what it knows. */
static void
log_renew(struct mailbox *m, uint32_t seq)
{
	size_t skipped;
	int bit;

	if (unlinkat(box, "postern.log", 0) == -1 ||
	    (bit = mailbox_keyword_bit(m, SPAN("again"), true)) == -1 ||
	    mailbox_store(m, &seq, 1, MOP_ADD, MF_SEEN, (uint64_t)1 << bit,
		true, &skipped) == -1)
		die("log_renew");
}

/*
 * In a log that was written anew another message's name may stand where a
 * name stood that is still remembered.
 */
static void
test_new_log(void)
{
	struct mailbox *a, *b;
	uint32_t seq = 1;

	box_new();
	put("cur/1.a:2,S", "1\n");
	put("cur/2.b:2,S", "2\n");
	a = open_it(false);
	log_renew(a, 1);
	log_renew(a, 1); /* with its keyword from the beginning */
	b = open_it(false);
	ok(content(b, 1) == 1 && content(b, 2) == 2, "two messages");
	if (mailbox_store(a, &seq, 1, MOP_ADD, MF_DELETED, 0, true,
		&(size_t){ 0 }) == -1 ||
	    mailbox_expunge(a, &seq, 1) == -1 ||
	    mailbox_sync(a, true, NULL, NULL) == -1)
		die("expunge");
	log_renew(a, 1);
	ok(content(a, 1) == 2, "one is left");
	ok(mailbox_sync(b, false, NULL, NULL) == 0 && mailbox_count(b) == 2 &&
		mailbox_msg(b, 1)->gone,
	    "who knew the other hears that it is gone");
	ok(content(b, 1) == 0 && errno == ENOENT, "and gets nothing for it");
	ok(content(b, 2) == 2, "but the other one");
	mailbox_close(a);
	mailbox_close(b);
}

int
main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	log_open("stderr", "test", LL_ERROR);
	test_odd_things();
	test_look();
	test_sizes();
	test_promise();
	test_validity();
	test_news();
	test_damage();
	test_map();
	test_map_outlives();
	test_new_log();
	test_structure();
	box_end();
	return done();
}
