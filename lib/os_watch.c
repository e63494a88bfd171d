/*
 * os_watch: inotify(7) takes a path and no directory's descriptor, so the
 * process steps into the directory for a moment. Closing an instance waits
 * for other processors, some milliseconds: one that is done is kept for the
 * next, with nothing to watch.
 */
#include "lib/os_watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/die.h"

#ifdef __linux__

#include <fcntl.h>
#include <limits.h>
#include <stdalign.h>
#include <stdio.h>
#include <sys/inotify.h>

#include "lib/span.h"

struct os_watch {
	int fd;
	unsigned n;
	int wd[OS_WATCH_MAX];
	const char *name[OS_WATCH_MAX];
};

enum {
	/*
	 * Of a directory no writes into its files: the kernel would have to
	 * mark each of them that it knows.
	 */
	IN_DIR = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO |
	    IN_MOVE_SELF | IN_DELETE_SELF,
	IN_FILE = IN_MODIFY | IN_MOVE_SELF | IN_DELETE_SELF,
	IN_READ = 4096,
};

static int spare = -1;

static int
watch_one(struct os_watch *w, int dirfd, const char *name)
{
	int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC), wd = -1;

	if (here == -1)
		return -1;
	if (fchdir(dirfd) == 0) {
		wd = inotify_add_watch(w->fd, name, IN_DIR | IN_ONLYDIR);
		if (wd == -1 && errno == ENOTDIR)
			wd = inotify_add_watch(w->fd, name, IN_FILE);
		if (fchdir(here) == -1)
			wd = -1;
	}
	fd_close(&here);
	return wd;
}

struct os_watch *
os_watch_new(int dirfd, const char *const *names, unsigned n)
{
	struct os_watch *w = xcalloc(1, sizeof(*w));

	w->fd = spare;
	spare = -1;
	if (w->fd == -1)
		w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (w->fd == -1)
		goto fail;
	for (w->n = 0; w->n < n && w->n < OS_WATCH_MAX; w->n++) {
		w->name[w->n] = names[w->n];
		w->wd[w->n] = watch_one(w, dirfd, names[w->n]);
		if (w->wd[w->n] == -1)
			goto fail;
	}
	return w;
fail:
	os_watch_free(w);
	return NULL;
}

void
os_watch_free(struct os_watch *w)
{
	uint64_t count[OS_WATCH_MAX] = { 0 };
	bool exact;

	if (w == NULL)
		return;
	if (spare == -1 && w->fd != -1) {
		for (unsigned i = 0; i < w->n; i++)
			if (w->wd[i] != -1)
				(void)inotify_rm_watch(w->fd, w->wd[i]);
		w->n = 0;
		os_watch_drain(w, count, &exact);
		spare = w->fd;
		w->fd = -1;
	}
	fd_close(&w->fd);
	free(w);
}

int
os_watch_fd(const struct os_watch *w)
{
	return w->fd;
}

void
os_watch_again(struct os_watch *w, int dirfd, unsigned which)
{
	if (w->wd[which] != -1)
		(void)inotify_rm_watch(w->fd, w->wd[which]);
	w->wd[which] = watch_one(w, dirfd, w->name[which]);
}

static void
event_count(const struct os_watch *w, const struct inotify_event *e,
    uint64_t *count, bool *exact)
{
	if ((e->mask & IN_Q_OVERFLOW) != 0)
		*exact = false;
	if ((e->mask & (IN_IGNORED | IN_MOVE_SELF | IN_DELETE_SELF)) != 0)
		return;
	for (unsigned i = 0; i < w->n; i++) {
		if (e->wd == w->wd[i])
			count[i]++;
	}
}

void
os_watch_drain(struct os_watch *w, uint64_t *count, bool *exact)
{
	alignas(struct inotify_event) char b[IN_READ];
	struct inotify_event e;
	ssize_t n;
	size_t at;

	while ((n = read(w->fd, b, sizeof(b))) > 0) {
		for (at = 0; at + sizeof(e) <= (size_t)n;
		     at += sizeof(e) + e.len) {
			memcpy(&e, b + at, sizeof(e));
			event_count(w, &e, count, exact);
		}
	}
}

unsigned
os_watch_limit(void)
{
	FILE *f = fopen("/proc/sys/fs/inotify/max_user_instances", "re");
	char text[32] = "";
	uint64_t n = 0;

	if (f == NULL)
		return 0;
	if (fgets(text, sizeof(text), f) != NULL)
		text[strcspn(text, "\n")] = '\0';
	if (span_num(span_str(text), 0, UINT_MAX, &n) == -1)
		n = 0;
	(void)fclose(f);
	return (unsigned)n;
}

#else /* kqueue(2) tells that a directory changed, not how often */

unsigned
os_watch_limit(void)
{
	return 0;
}

#if defined(__FreeBSD__) || defined(__NetBSD__) || defined(__OpenBSD__) || \
    defined(__DragonFly__) || defined(__APPLE__)

#include <fcntl.h>
#include <sys/event.h>
#include <sys/time.h>
#include <sys/types.h>

struct os_watch {
	int fd;
	unsigned n;
	int file[OS_WATCH_MAX];
	const char *name[OS_WATCH_MAX];
};

static int
watch_one(struct os_watch *w, int dirfd, unsigned i)
{
	struct kevent ev;

	w->file[i] = openat(dirfd, w->name[i], O_RDONLY | O_CLOEXEC);
	if (w->file[i] == -1)
		return -1;
	EV_SET(&ev, (uintptr_t)w->file[i], EVFILT_VNODE, EV_ADD | EV_CLEAR,
	    NOTE_WRITE | NOTE_EXTEND | NOTE_DELETE | NOTE_RENAME, 0, NULL);
	return kevent(w->fd, &ev, 1, NULL, 0, NULL);
}

struct os_watch *
os_watch_new(int dirfd, const char *const *names, unsigned n)
{
	struct os_watch *w = xcalloc(1, sizeof(*w));

	w->fd = kqueue();
	if (w->fd == -1)
		goto fail;
	for (w->n = 0; w->n < n && w->n < OS_WATCH_MAX;) {
		w->name[w->n] = names[w->n];
		w->n++;
		if (watch_one(w, dirfd, w->n - 1) == -1)
			goto fail;
	}
	return w;
fail:
	os_watch_free(w);
	return NULL;
}

void
os_watch_free(struct os_watch *w)
{
	if (w == NULL)
		return;
	for (unsigned i = 0; i < w->n; i++)
		fd_close(&w->file[i]);
	fd_close(&w->fd);
	free(w);
}

int
os_watch_fd(const struct os_watch *w)
{
	return w->fd;
}

void
os_watch_again(struct os_watch *w, int dirfd, unsigned which)
{
	fd_close(&w->file[which]);
	(void)watch_one(w, dirfd, which);
}

void
os_watch_drain(struct os_watch *w, uint64_t *count, bool *exact)
{
	const struct timespec now = { 0, 0 };
	struct kevent ev;

	(void)count;
	*exact = false;
	while (kevent(w->fd, NULL, 0, &ev, 1, &now) > 0)
		;
}

#else

struct os_watch *
os_watch_new(int dirfd, const char *const *names, unsigned n)
{
	(void)dirfd;
	(void)names;
	(void)n;
	return NULL;
}

void
os_watch_free(struct os_watch *w)
{
	(void)w;
}

int
os_watch_fd(const struct os_watch *w)
{
	(void)w;
	return -1;
}

void
os_watch_again(struct os_watch *w, int dirfd, unsigned which)
{
	(void)w;
	(void)dirfd;
	(void)which;
}

void
os_watch_drain(struct os_watch *w, uint64_t *count, bool *exact)
{
	(void)w;
	(void)count;
	*exact = false;
}

#endif
#endif
