/*
 * folder_name: names of folders and their directories in Maildir++.
 *
 * "a/b" is ".a.b": a dot, the levels in modified UTF-7, dots between them.
 * A dot inside a level would be read as another level, so it is written as
 * "&AC4-", the UTF-7 of a dot, which Courier does as well; it is no canonical
 * modified UTF-7, so no other name can be written like that. "INBOX" in any
 * case of letters is the Maildir itself, also as the first of more levels.
 */
#include "lib/folders_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/chars.h"
#include "lib/die.h"
#include "lib/limits.h"
#include "lib/mutf7.h"

#define DOT SPAN("&AC4-")

bool
folder_is_inbox(struct span name)
{
	return span_ieq(name, SPAN("INBOX"));
}

static int
level_to_disk(struct span level, struct buf *b)
{
	struct span part;

	if (level.n == 0)
		return -1;
	for (size_t i = 0; i < level.n; i++)
		if (char_is(level.p[i], CH_CTL))
			return -1;
	while (level.n > 0) {
		part = span_slice(level, 0, span_find(level, '.'));
		if (mutf7_encode(part, b) == -1)
			return -1;
		span_take(&level, part.n);
		if (level.n > 0) {
			buf_span(b, DOT);
			span_take(&level, 1);
		}
	}
	return 0;
}

int
folder_disk(struct span name, struct buf *b)
{
	struct span rest = name, level;
	unsigned depth = 0;

	buf_clear(b);
	if (folder_is_inbox(name)) {
		buf_char(b, '.');
		return 0;
	}
	errno = EINVAL;
	if (name.n == 0 || name.p[name.n - 1] == '/' || !utf8_ok(name))
		return -1;
	while (rest.n > 0) {
		level = span_cut(&rest, '/');
		if (depth == 0 && folder_is_inbox(level))
			level = SPAN("INBOX");
		buf_char(b, '.');
		if (level_to_disk(level, b) == -1)
			return -1;
		if (++depth > IMAP_FOLDER_DEPTH_MAX)
			return -1;
	}
	if (b->bad || b->n > IMAP_FOLDER_NAME_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return 0;
}

bool
folder_name_ok(struct span name)
{
	struct buf b;
	bool is;

	buf_init(&b, (size_t)IMAP_FOLDER_NAME_MAX * 2);
	is = folder_disk(name, &b) == 0;
	buf_fini(&b);
	return is;
}

static int
level_from_disk(struct span level, struct buf *out)
{
	struct buf plain;
	size_t before = out->n;
	int rc;

	/* A shift begins at "&" only, so DOT is found nowhere else. */
	buf_init(&plain, IMAP_FOLDER_NAME_MAX * 2);
	while (level.n > 0) {
		if (span_starts(level, DOT)) {
			buf_char(&plain, '.');
			span_take(&level, DOT.n);
		} else {
			buf_span(&plain, span_take(&level, 1));
		}
	}
	rc = mutf7_decode(buf_get(&plain), out);
	buf_fini(&plain);
	if (rc == -1 || out->n == before ||
	    span_has(span_slice(buf_get(out), before, out->n), '/'))
		return -1;
	return 0;
}

int
folder_from_disk(struct span disk, struct buf *name)
{
	struct buf back;
	int rc = -1;

	buf_clear(name);
	if (disk.n < 2 || disk.p[0] != '.')
		return -1;
	span_take(&disk, 1);
	buf_init(&back, (size_t)IMAP_FOLDER_NAME_MAX * 2);
	for (struct span rest = disk; rest.n > 0;) {
		if (name->n > 0)
			buf_char(name, '/');
		if (level_from_disk(span_cut(&rest, '.'), name) == -1)
			goto out;
	}
	/* Only what can be named again: one directory, one name. */
	if (!name->bad && folder_disk(buf_get(name), &back) == 0 && back.n > 1 &&
	    span_eq(span_slice(buf_get(&back), 1, back.n), disk))
		rc = 0;
out:
	buf_fini(&back);
	return rc;
}

bool
folder_below(struct span name, struct span parent)
{
	return name.n > parent.n && span_starts(name, parent) &&
	    name.p[parent.n] == '/';
}

/* The separator comes before everything: children follow their parent. */
static int
order(const void *a, const void *b)
{
	const char *x = *(char *const *)a, *y = *(char *const *)b;

	while (*x != '\0' && *x == *y) {
		x++;
		y++;
	}
	if (*x == *y)
		return 0;
	if (*x == '\0' || *y == '\0')
		return *x == '\0' ? -1 : 1;
	if (*x == '/' || *y == '/')
		return *x == '/' ? -1 : 1;
	return (unsigned char)*x < (unsigned char)*y ? -1 : 1;
}

void
folder_list_add(struct folder_list *l, struct span name)
{
	char *copy = span_dup(name);

	if (copy == NULL)
		return;
	if (l->n == l->cap) {
		l->cap = l->cap == 0 ? 16 : l->cap * 2;
		l->name = xreallocarray(l->name, l->cap, sizeof(*l->name));
	}
	l->name[l->n++] = copy;
}

void
folder_list_sort(struct folder_list *l)
{
	size_t n = 0;

	if (l->n == 0)
		return;
	qsort(l->name, l->n, sizeof(*l->name), order);
	for (size_t i = 0; i < l->n; i++) {
		if (n > 0 && strcmp(l->name[n - 1], l->name[i]) == 0)
			free(l->name[i]);
		else
			l->name[n++] = l->name[i];
	}
	l->n = n;
}

bool
folder_list_has(const struct folder_list *l, struct span name)
{
	char *key = span_dup(name);
	bool has;

	has = key != NULL && l->n > 0 &&
	    bsearch(&key, l->name, l->n, sizeof(*l->name), order) !=
		NULL;
	free(key);
	return has;
}

void
folder_list_fini(struct folder_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->name[i]);
	free(l->name);
	*l = (struct folder_list){ 0 };
}

static bool
is_wild(char c)
{
	return c == '*' || c == '%';
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Literal bytes alone decide that most patterns cannot match. */
static bool
can_match(struct span name, struct span pattern)
{
	size_t literal = 0;

	for (size_t i = 0; i < pattern.n; i++)
		literal += !is_wild(pattern.p[i]);
	return literal <= name.n;
}

/*
 * All positions in the name that the pattern so far can have reached are
 * followed at once, so the time is bounded by the product of the lengths.
 */
bool
folder_matches(struct span name, struct span pattern)
{
	bool *at, reached = true, fold, before;
	size_t i, k;
	char c;

	if (!can_match(name, pattern))
		return false;
	fold = span_istarts(name, SPAN("INBOX")) &&
	    (name.n == 5 || name.p[5] == '/');
	at = xcalloc(name.n + 1, sizeof(*at));
	at[0] = true;
	for (k = 0; k < pattern.n && reached; k++) {
		c = pattern.p[k];
		if (is_wild(c)) {
			if (k > 0 && pattern.p[k - 1] == c)
				continue;
			for (i = 0; i < name.n; i++)
				if (at[i] && (c == '*' || name.p[i] != '/'))
					at[i + 1] = true;
			continue;
		}
		reached = false;
		before = false;
		for (i = 0; i <= name.n; i++) {
			bool here = i > 0 && before &&
			    (name.p[i - 1] == c || (fold && i <= 5 &&
				lower(name.p[i - 1]) == lower(c)));

			before = at[i];
			at[i] = here;
			reached = reached || here;
		}
	}
	reached = at[name.n];
	free(at);
	return reached;
}
