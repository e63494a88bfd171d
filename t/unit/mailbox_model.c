/*
 * mailbox_model: three sessions of one folder and a program that knows
 * nothing of Postern, at random, against the directory itself as the truth.
 *
 *	mailbox_model.t [SEED [STEPS]]
 *
 * Always: a UID names one message for ever; numbers change only as sync
 * tells; uids ascend. Now and then all is still, and then each view shows
 * exactly the files, with the flags of their names and the keywords that
 * were set.
 */
#include "lib/mailbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/die.h"
#include "lib/maildir.h"
#include "t/unit/tap.h"
#include "t/unit/tree.h"

enum { VIEWS = 3, ID_MAX = 20000, UID_MAX = 1 << 25, FILES_MAX = 4000 };

struct view {
	struct mailbox *m;
	bool read_only;
	uint32_t n, *uid; /* as a client would know it */
	uint32_t cap;
};

static struct view views[VIEWS];
static int box;
static uint64_t seed, state;
static unsigned next_id = 1;
static uint32_t id_of_uid[UID_MAX]; /* 0: not seen yet */
static uint64_t keywords_of_uid[UID_MAX];
static uint32_t validity;
static uint64_t step;

static unsigned
rnd(unsigned n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(state >> 33) % n;
}

_Noreturn static void
fail(const char *what)
{
	printf("# seed %llu step %llu: %s (errno %d)\n",
	    (unsigned long long)seed, (unsigned long long)step, what, errno);
	ok(false, "sessions agree with the directory");
	done();
	exit(1);
}

#define must(cond) ((cond) ? (void)0 : fail(#cond))

struct files {
	size_t n;
	char *path[FILES_MAX];
};

static void
files_in(struct files *f, const char *dir)
{
	int fd = openat(box, dir, O_RDONLY | O_DIRECTORY);
	DIR *d = fdopendir(fd);
	struct dirent *e;

	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		must(f->n < FILES_MAX);
		must(asprintf(&f->path[f->n++], "%s/%s", dir, e->d_name) > 0);
	}
	closedir(d);
}

static void
files_free(struct files *f)
{
	while (f->n > 0)
		free(f->path[--f->n]);
}

static unsigned
id_in(int fd)
{
	char text[64];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	if (n <= 4)
		return 0;
	text[n] = '\0';
	return (unsigned)strtoul(text + 4, NULL, 10);
}

static void
write_this(int fd, unsigned id)
{
	char text[64];
	int n = snprintf(text, sizeof(text), "Id: %u\n\nbody\n", id);

	must(write(fd, text, (size_t)n) == n);
}

static void
write_id(int fd)
{
	write_this(fd, next_id++);
}

static void
random_letters(char *p)
{
	for (const char *c = "DFRSTab"; *c != '\0'; c++)
		if (rnd(3) == 0)
			*p++ = *c;
	*p = '\0';
}

/* What another program does. */
static void
foreign_add(void)
{
	char tmp[64], path[200], letters[16];
	int fd;

	snprintf(tmp, sizeof(tmp), "tmp/x%u", next_id);
	fd = openat(box, tmp, O_WRONLY | O_CREAT | O_EXCL, 0600);
	must(fd != -1);
	write_id(fd);
	close(fd);
	random_letters(letters);
	switch (rnd(4)) {
	case 0:
	case 1:
		snprintf(path, sizeof(path), "new/%u.M%uP1.host",
		    1700000000 + next_id, next_id);
		break;
	case 2:
		snprintf(path, sizeof(path), "cur/%u.M%uP1.host:2,%s",
		    1700000000 + rnd(10000), next_id, letters);
		break;
	default:
		snprintf(path, sizeof(path), "cur/%u.M%uP1.host,S=17",
		    1700000000 + next_id, next_id);
	}
	must(renameat(box, tmp, box, path) == 0);
	if (path[0] == 'n' && rnd(2) == 0)
		mailbox_delivered(box, path + 4);
}

static void
foreign_touch(void)
{
	struct files f = { 0 };
	char path[400], letters[16], *colon;
	const char *at;

	files_in(&f, "cur");
	files_in(&f, "new");
	if (f.n == 0)
		return;
	at = f.path[rnd((unsigned)f.n)];
	switch (rnd(4)) {
	case 0: /* rm */
		must(unlinkat(box, at, 0) == 0);
		break;
	case 1: /* an old copy: two files, one base */
		if (rnd(4) != 0)
			break;
		snprintf(path, sizeof(path), "%s", at);
		colon = strchr(path, ':');
		if (path[0] != 'c' || (colon != NULL && rnd(2) == 0))
			break;
		if (colon != NULL)
			*colon = '\0';
		{
			size_t n = strlen(path);
			int fd = openat(box, at, O_RDONLY);
			unsigned id = id_in(fd);

			close(fd);
			snprintf(path + n, sizeof(path) - n, ":2,DFRST");
			fd = openat(box, path, O_WRONLY | O_CREAT | O_EXCL,
			    0600);
			if (fd != -1) {
				write_this(fd, id);
				close(fd);
			}
		}
		break;
	default: /* flags; new/ to cur/ */
		snprintf(path, sizeof(path), "cur/%s", at + 4);
		colon = strchr(path, ':');
		if (colon != NULL)
			*colon = '\0';
		random_letters(letters);
		{
			size_t n = strlen(path);

			snprintf(path + n, sizeof(path) - n, ":2,%s", letters);
		}
		must(renameat(box, at, box, path) == 0);
	}
	files_free(&f);
}

/* What a client knows. */
static void
view_learn(struct view *v, uint32_t uid)
{
	if (v->n == v->cap) {
		v->cap = v->cap * 2 + 16;
		v->uid = xreallocarray(v->uid, v->cap, sizeof(*v->uid));
	}
	v->uid[v->n++] = uid;
}

static void
on_expunged(void *arg, uint32_t seq, uint32_t uid)
{
	struct view *v = arg;

	must(seq >= 1 && seq <= v->n && v->uid[seq - 1] == uid);
	memmove(v->uid + seq - 1, v->uid + seq,
	    (v->n - seq) * sizeof(*v->uid));
	v->n--;
}

static void
on_exists(void *arg, uint32_t count, uint32_t recent)
{
	struct view *v = arg;

	(void)recent;
	must(count > v->n);
	while (v->n < count)
		view_learn(v, mailbox_msg(v->m, v->n + 1)->uid);
}

static const struct mailbox_news news = { .expunged = on_expunged,
	.exists = on_exists };

static void
view_check(struct view *v)
{
	must(v->n == mailbox_count(v->m));
	for (uint32_t i = 0; i < v->n; i++) {
		must(mailbox_msg(v->m, i + 1)->uid == v->uid[i]);
		must(i == 0 || v->uid[i] > v->uid[i - 1]);
		must(v->uid[i] < mailbox_uidnext(v->m));
	}
}

static void
view_close(struct view *v)
{
	mailbox_close(v->m);
	v->m = NULL;
	v->n = 0;
}

static void
view_open_as(struct view *v, bool read_only)
{
	v->read_only = read_only;
	v->m = mailbox_open(dup(box), v->read_only);
	must(v->m != NULL);
	v->n = 0;
	while (v->n < mailbox_count(v->m))
		view_learn(v, mailbox_msg(v->m, v->n + 1)->uid);
	if (validity == 0)
		validity = mailbox_uidvalidity(v->m);
	must(validity == mailbox_uidvalidity(v->m));
}

static void
view_open(struct view *v)
{
	view_open_as(v, rnd(6) == 0);
}

static void
view_sync(struct view *v, bool expunges)
{
	must(mailbox_sync(v->m, expunges, &news, v) == 0);
	view_check(v);
}

/* Every message of the view, by its file. */
static void
view_read(struct view *v)
{
	unsigned id;
	int fd;

	for (uint32_t i = 0; i < v->n; i++) {
		fd = mailbox_file(v->m, i + 1);
		if (fd == -1) {
			must(errno == ENOENT);
			continue;
		}
		id = id_in(fd);
		close(fd);
		must(v->uid[i] < UID_MAX);
		must(id_of_uid[v->uid[i]] == 0 || id_of_uid[v->uid[i]] == id);
		id_of_uid[v->uid[i]] = id;
	}
}

static size_t
some(struct view *v, uint32_t *seq)
{
	size_t n = 0;
	unsigned one_in = 1 + rnd(10);

	for (uint32_t i = 0; i < v->n; i++)
		if (rnd(one_in) == 0)
			seq[n++] = i + 1;
	return n;
}

static void
view_store(struct view *v)
{
	static uint32_t seq[FILES_MAX];
	static const char *const names[] = { "$Forwarded", "Work", "Later" };
	enum mailbox_op op = (enum mailbox_op)rnd(3);
	uint32_t flags = rnd(32);
	uint64_t keywords = 0;
	size_t skipped, n;
	int bit;

	if (v->read_only)
		return;
	if (rnd(2) == 0) {
		bit = mailbox_keyword_bit(v->m, span_str(names[rnd(3)]), true);
		must(bit >= 0);
		keywords = (uint64_t)1 << bit;
	}
	n = some(v, seq);
	must(mailbox_store(v->m, seq, n, op, flags, keywords, rnd(2) == 0,
		 &skipped) == 0);
	for (size_t i = 0; i < n; i++) {
		const struct mailbox_msg *m = mailbox_msg(v->m, seq[i]);
		uint32_t f = m->flags & 31;
		uint64_t *k = &keywords_of_uid[m->uid];

		if (m->gone)
			continue;
		if (op == MOP_SET)
			*k = keywords;
		else if (op == MOP_ADD)
			*k |= keywords;
		else
			*k &= ~keywords;
		must(m->keywords == *k);
		must(op != MOP_SET || f == flags);
		must(op != MOP_ADD || (f & flags) == flags);
		must(op != MOP_REMOVE || (f & flags) == 0);
	}
	view_check(v);
}

static void
add_id(struct mailbox_new *new)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "Id: %u\n\nbody\n", next_id++);
	must(mailbox_new_write(new, span_str(text)) == 0);
}

static void
view_add(struct view *v)
{
	struct mailbox_new *new = mailbox_new_begin(v->m);
	uint32_t uid;

	must(new != NULL);
	add_id(new);
	if (rnd(5) == 0) {
		mailbox_new_abort(new);
		return;
	}
	must(mailbox_new_commit(new, rnd(32), 0, 1000000000, &uid) == 0);
	must(uid < UID_MAX && id_of_uid[uid] == 0);
	id_of_uid[uid] = next_id - 1;
	view_check(v);
}

static void
view_copy(struct view *v, struct view *to)
{
	static uint32_t seq[FILES_MAX], from_uid[FILES_MAX], to_uid[FILES_MAX];
	bool move = rnd(2) == 0;
	size_t n = some(v, seq);

	if (to->read_only || v->read_only || n > 20)
		return;
	must(mailbox_copy(v->m, seq, n, to->m, move, from_uid, to_uid) == 0);
	for (size_t i = 0; i < n; i++)
		if (to_uid[i] != 0) {
			must(id_of_uid[to_uid[i]] == 0);
			keywords_of_uid[to_uid[i]] =
			    keywords_of_uid[from_uid[i]];
		}
	view_check(v);
}

static void
view_expunge(struct view *v)
{
	static uint32_t seq[FILES_MAX];
	size_t n = some(v, seq), skipped;

	if (v->read_only)
		return;
	must(mailbox_store(v->m, seq, n, MOP_ADD, MF_DELETED, 0, false,
		 &skipped) == 0);
	must(mailbox_expunge(v->m, seq, n) == 0);
	view_check(v);
}

static unsigned
letters_flags(struct span s)
{
	return (span_has(s, 'S') ? MF_SEEN : 0u) |
	    (span_has(s, 'R') ? MF_ANSWERED : 0u) |
	    (span_has(s, 'F') ? MF_FLAGGED : 0u) |
	    (span_has(s, 'T') ? MF_DELETED : 0u) |
	    (span_has(s, 'D') ? MF_DRAFT : 0u);
}

/* All is still: the view shows the files, each once, as they are. */
static void
view_compare(struct view *v)
{
	static uint32_t by_id[ID_MAX];
	struct files f = { 0 };
	struct maildir_name parts;
	const struct mailbox_msg *m;
	uint64_t sum_view = 0, sum_files = 0;
	unsigned id;
	int fd;

	files_in(&f, "cur");
	files_in(&f, "new");
	if (f.n != v->n) {
		printf("# %zu files, %u in the view\n", f.n, v->n);
		for (size_t i = 0; i < f.n; i++)
			printf("# %s\n", f.path[i]);
		for (uint32_t i = 0; i < v->n; i++) {
			char link[64], path[400] = "";

			fd = mailbox_file(v->m, i + 1);
			snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
			(void)!readlink(link, path, sizeof(path) - 1);
			printf("# view %u %s\n", v->uid[i], path);
			close(fd);
		}
	}
	must(f.n == v->n);
	memset(by_id, 0, sizeof(by_id));
	for (size_t i = 0; i < f.n; i++) {
		fd = openat(box, f.path[i], O_RDONLY);
		id = id_in(fd);
		close(fd);
		must(id < ID_MAX);
		maildir_name_parse(span_str(f.path[i] + 4), &parts);
		sum_files += id * 64 + letters_flags(parts.flags);
	}
	for (uint32_t i = 0; i < v->n; i++) {
		fd = mailbox_file(v->m, i + 1);
		must(fd != -1);
		id = id_in(fd);
		close(fd);
		m = mailbox_msg(v->m, i + 1);
		sum_view += id * 64 + (m->flags & 31);
		if (m->keywords != keywords_of_uid[m->uid])
			printf("# uid %u: %llx, not %llx\n", m->uid,
			    (unsigned long long)m->keywords,
			    (unsigned long long)keywords_of_uid[m->uid]);
		must(m->keywords == keywords_of_uid[m->uid]);
	}
	must(sum_view == sum_files);
	files_free(&f);
}

/* A second file of one base gets its name from who may write. */
static void
somebody_may_write(void)
{
	for (unsigned i = 0; i < VIEWS; i++)
		if (!views[i].read_only)
			return;
	view_close(&views[0]);
	view_open_as(&views[0], false);
}

static void
quiet(void)
{
	const struct timespec tick = { 0, 15 * 1000 * 1000 };
	unsigned i;

	nanosleep(&tick, NULL);
	somebody_may_write();
	/* Twice: duplicates get names of their own, new/ is emptied. */
	for (i = 0; i < VIEWS * 3; i++)
		view_sync(&views[i % VIEWS], true);
	for (i = 0; i < VIEWS; i++) {
		view_read(&views[i]);
		view_sync(&views[i], true);
		view_compare(&views[i]);
	}
}

static void
run(uint64_t steps)
{
	struct view *v;

	for (step = 0; step < steps && next_id < ID_MAX - 10; step++) {
		v = &views[rnd(VIEWS)];
		switch (rnd(16)) {
		case 0:
		case 1:
		case 2:
			foreign_add();
			break;
		case 3:
		case 4:
			foreign_touch();
			break;
		case 5:
		case 6:
			view_store(v);
			break;
		case 7:
			view_expunge(v);
			break;
		case 8:
			view_add(v);
			break;
		case 9:
			view_copy(v, &views[rnd(VIEWS)]);
			break;
		case 10:
			view_read(v);
			break;
		case 11:
			view_close(v);
			view_open(v);
			break;
		case 12:
			/* A log that is lost comes back from who knows it. */
			for (unsigned i = 0; i < VIEWS; i++)
				view_sync(&views[i], false);
			if (rnd(4) == 0)
				unlinkat(box,
				    rnd(3) == 0 ? "postern.log" :
						  "postern.map",
				    0);
			view_sync(v, false);
			break;
		default:
			view_sync(v, rnd(2) == 0);
		}
		if (step % 40 == 39)
			quiet();
	}
}

int
main(int argc, char **argv)
{
	char dir[] = "/tmp/postern-model-XXXXXX";
	unsigned i;

	seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
	state = seed;
	printf("# seed %llu\n", (unsigned long long)seed);
	if (mkdtemp(dir) == NULL)
		return 1;
	box = open(dir, O_RDONLY | O_DIRECTORY);
	if (box == -1 || maildir_make(box, "", false) == -1)
		return 1;
	for (i = 0; i < VIEWS; i++)
		view_open(&views[i]);
	run(argc > 2 ? strtoull(argv[2], NULL, 10) : 800);
	quiet();
	for (i = 0; i < VIEWS; i++) {
		view_close(&views[i]);
		free(views[i].uid);
	}
	close(box);
	tree_remove(dir);
	ok(true, "sessions agree with the directory");
	return done();
}
