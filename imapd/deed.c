/* deed: lines of the log about mail that came, moved or went. */
#include "imapd/deed.h"

#include <stdlib.h>

#include "lib/die.h"
#include "lib/limits.h"
#include "lib/log.h"
#include "lib/mailbox.h"
#include "lib/maildir.h"

enum {
	RANGE_MAX = 26, /* "4294967294:4294967295,..." */
	NAMES_MAX = 64, /* messages whose file name is looked at */
};

/* "3,5:9"; "..." at the end for what there is no room for. */
static void
set_put(struct buf *b, const uint32_t *uid, size_t n)
{
	size_t i, j;

	for (i = 0; i < n; i = j) {
		for (j = i + 1; j < n && uid[j] == uid[j - 1] + 1; j++)
			;
		if (i > 0)
			buf_char(b, ',');
		if (b->n + RANGE_MAX > LOG_VALUE_MAX) {
			buf_str(b, "...");
			return;
		}
		buf_num(b, uid[i]);
		if (j - i > 1) {
			buf_char(b, ':');
			buf_num(b, uid[j - 1]);
		}
	}
}

void
deed_begin(struct deed *d, struct session *s, const uint32_t *seq, size_t n)
{
	uint32_t *uid = xcalloc(n + 1, sizeof(*uid));
	const struct mailbox_msg *m;

	*d = (struct deed){ 0 };
	buf_init(&d->uids, LOG_VALUE_MAX);
	buf_init(&d->qids, LOG_VALUE_MAX);
	for (size_t i = 0; i < n; i++) {
		m = mailbox_msg(s->box, seq[i]);
		if (m->gone)
			continue;
		uid[d->n++] = m->uid;
		if (d->n <= NAMES_MAX)
			maildir_qids_add(
			    &d->qids, mailbox_name(s->box, seq[i]));
	}
	set_put(&d->uids, uid, d->n);
	free(uid);
}

void
deed_end(struct deed *d)
{
	buf_fini(&d->uids);
	buf_fini(&d->qids);
}

static void
line_begin(struct session *s, const char *event, const char *what,
    struct span folder, struct span into)
{
	log_begin(LL_INFO, event);
	log_span("sid", s->sid);
	log_span("user", s->user);
	log_str("what", what);
	log_span("folder", folder);
	if (into.n > 0)
		log_span("into", into);
}

static void
line_set(const char *key, const struct buf *set)
{
	if (set->n > 0)
		log_span(key, buf_get(set));
}

static void
line_messages(const struct deed *d)
{
	log_num("n", d->n);
	line_set("uids", &d->uids);
	line_set("qids", &d->qids);
}

void
deed_expunge(struct session *s, const struct deed *d, int errnum)
{
	if (d->n == 0)
		return;
	line_begin(s, "expunge", NULL, buf_get(&s->box_name), SPAN_NONE);
	line_messages(d);
	if (errnum != 0)
		log_err(errnum);
	log_end();
}

void
deed_copy(struct session *s, const struct deed *d, bool move, struct span into,
    const uint32_t *to, size_t n)
{
	struct buf as;

	if (n == 0)
		return;
	buf_init(&as, LOG_VALUE_MAX);
	set_put(&as, to, n);
	line_begin(s, move ? "move" : "copy", NULL, buf_get(&s->box_name), into);
	line_messages(d);
	line_set("as", &as);
	log_end();
	buf_fini(&as);
}

void
deed_append(struct session *s, struct span folder, uint32_t uid, uint64_t size)
{
	line_begin(s, "append", NULL, folder, SPAN_NONE);
	log_num("n", 1);
	log_num("uids", uid);
	log_num("size", size);
	log_end();
}

void
deed_folder(struct session *s, const char *what, struct span folder,
    struct span into)
{
	line_begin(s, "folder", what, folder, into);
	log_end();
}
