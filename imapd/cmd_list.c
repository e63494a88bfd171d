/*
 * cmd_list: LIST and LSUB, RFC 3501 6.3.8, 6.3.9; LIST's extensions: RFC 5258
 * (LIST-EXTENDED), 5819 (LIST-STATUS), 6154 (SPECIAL-USE), 3348 (CHILDREN).
 *
 * All folders are taken into one sorted list first, so that what a parent
 * says of its children is known, and nothing is walked twice.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "imapd/commands.h"
#include "imapd/session.h"
#include "imapd/status.h"
#include "imapd/use.h"
#include "lib/die.h"
#include "lib/folders.h"
#include "lib/limits.h"
#include "lib/mutf7.h"

struct folder {
	size_t at, n; /* its name, in names */
	unsigned attrs;
	bool matches;
	bool child_subscribed; /* RFC 5258 3.5 CHILDINFO; LSUB with "%" */
};

struct list {
	struct session *s;
	struct buf names;
	struct folder *folder;
	size_t n, cap;
	struct buf patterns; /* each terminated */
	/* selection options */
	bool only_subscribed, recursive, only_use;
	/* return options */
	bool say_subscribed, say_children, say_use, say_status, extended;
	unsigned items; /* of STATUS */
	bool failed;
};

static void
list_init(struct list *l, struct session *s)
{
	*l = (struct list){ .s = s };
	buf_init(&l->names,
	    (size_t)IMAP_FOLDERS_MAX * 2 * IMAP_FOLDER_NAME_MAX);
	buf_init(&l->patterns, IMAP_COMMAND_MAX * 2);
}

static void
list_fini(struct list *l)
{
	buf_fini(&l->names);
	buf_fini(&l->patterns);
	free(l->folder);
}

static struct span
folder_name(const struct list *l, const struct folder *f)
{
	return span_of(l->names.p + f->at, f->n);
}

/* --- what there is -------------------------------------------------------- */

static bool
matches(const struct list *l, struct span name)
{
	struct span rest = buf_get(&l->patterns);

	while (rest.n > 0)
		if (folder_matches(name, span_cut(&rest, '\0')))
			return true;
	return false;
}

static void
on_folder(void *arg, struct span name, unsigned attrs)
{
	struct list *l = arg;
	struct folder *f;

	if (l->n == l->cap) {
		l->cap = l->cap == 0 ? 32 : l->cap * 2;
		l->folder = xreallocarray(l->folder, l->cap,
		    sizeof(*l->folder));
	}
	f = &l->folder[l->n];
	*f = (struct folder){ .at = l->names.n, .n = name.n, .attrs = attrs };
	buf_span(&l->names, name);
	if (l->names.bad) {
		l->failed = true;
		return;
	}
	f->matches = matches(l, name);
	l->n++;
}

static struct folder *
find(struct list *l, struct span name)
{
	for (size_t i = 0; i < l->n; i++)
		if (span_eq(folder_name(l, &l->folder[i]), name))
			return &l->folder[i];
	return NULL;
}

/* A parent that is nowhere is made, without being there (\NonExistent). */
static void
note_parent(struct list *l, struct span parent)
{
	struct folder *f = find(l, parent);
	size_t n = l->n;

	if (f == NULL) {
		/* parent points into names, which may move */
		char *copy = span_dup(parent);

		if (copy == NULL)
			return;
		on_folder(l, span_str(copy),
		    FA_NOSELECT | FA_MISSING | FA_CHILDREN);
		free(copy);
		if (l->n == n)
			return;
		f = &l->folder[n];
	}
	f->child_subscribed = true;
}

/*
 * Subscribed names that do not match tell of themselves through the nearest
 * parents that do: RFC 3501 6.3.9 ("foo/bar" for LSUB "%"), RFC 5258 3.5.
 */
static void
note_parents(struct list *l)
{
	size_t i, n = l->n, slash;
	struct span name;

	for (i = 0; i < n; i++) {
		if ((l->folder[i].attrs & FA_SUBSCRIBED) == 0)
			continue;
		name = folder_name(l, &l->folder[i]);
		if (l->folder[i].matches && !l->recursive)
			continue;
		while ((slash = span_rfind(name, '/')) < name.n) {
			name = span_slice(name, 0, slash);
			if (matches(l, name))
				note_parent(l, name);
			name = span_of(folder_name(l, &l->folder[i]).p,
			    slash);
		}
	}
}

/* --- what is said --------------------------------------------------------- */

static void
attrs_out(struct list *l, const struct folder *f)
{
	struct imap_out *o = &l->s->out;
	unsigned a = f->attrs;

	out_open(o);
	if (a & FA_MISSING)
		out_atom(o, l->extended ? "\\NonExistent" : "\\Noselect");
	else if (a & FA_NOSELECT)
		out_atom(o, "\\Noselect");
	if (l->say_subscribed && (a & FA_SUBSCRIBED) != 0)
		out_atom(o, "\\Subscribed");
	if (l->say_children)
		out_atom(o, a & FA_CHILDREN ? "\\HasChildren" :
		                              "\\HasNoChildren");
	if (a & FA_MARKED)
		out_atom(o, "\\Marked");
	else if (a & FA_UNMARKED)
		out_atom(o, "\\Unmarked");
	if (l->say_use)
		use_out(o, a);
	out_close(o);
}

static void
folder_out(struct list *l, const char *what, const struct folder *f)
{
	struct imap_out *o = &l->s->out;
	struct span name = folder_name(l, f);

	out_untagged(o);
	out_atom(o, what);
	attrs_out(l, f);
	out_string(o, SPAN("/"));
	name_out(l->s, name);
	if (l->recursive && f->child_subscribed) {
		out_open(o);
		out_string(o, SPAN("CHILDINFO"));
		out_open(o);
		out_string(o, SPAN("SUBSCRIBED"));
		out_close(o);
		out_close(o);
	}
	out_end(o);
	if (l->say_status && (f->attrs & (FA_NOSELECT | FA_MISSING)) == 0)
		(void)status_out(l->s, name, l->items);
}

static bool
is_wanted(const struct list *l, const struct folder *f)
{
	if (!f->matches)
		return false;
	if (l->only_use && (f->attrs & USE_ALL) == 0)
		return false;
	if (!l->only_subscribed)
		return (f->attrs & FA_MISSING) == 0;
	return (f->attrs & FA_SUBSCRIBED) != 0 ||
	    (l->recursive && f->child_subscribed);
}

/* LSUB: a parent that is not subscribed is said to be \Noselect. */
static void
lsub_out(struct list *l, struct folder *f)
{
	if (!f->matches)
		return;
	if ((f->attrs & FA_SUBSCRIBED) == 0) {
		if (!f->child_subscribed)
			return;
		f->attrs |= FA_NOSELECT;
		f->attrs &= ~(unsigned)FA_MISSING;
	} else {
		f->attrs &= ~(unsigned)(FA_NOSELECT | FA_MISSING);
	}
	folder_out(l, "LSUB", f);
}

static const struct imap_reply *
list_run(struct list *l, bool lsub)
{
	size_t i;

	if (folders_each(folders_of(l->s), true, on_folder, l) == -1)
		return reply_errno(errno);
	if (l->failed)
		return &A_LIMIT;
	if (lsub || l->recursive)
		note_parents(l);
	for (i = 0; i < l->n; i++) {
		if (lsub)
			lsub_out(l, &l->folder[i]);
		else if (is_wanted(l, &l->folder[i]))
			folder_out(l, "LIST", &l->folder[i]);
	}
	return &A_OK;
}

/* --- arguments ------------------------------------------------------------ */

/*
 * As it is, but a run of wildcards is one of them: each costs a walk through
 * the name of every folder.
 */
static void
pattern_put(struct buf *b, struct span s)
{
	char c, run = '\0'; /* the wildcard that stands last */

	while (s.n > 0) {
		c = span_take(&s, 1).p[0];
		if (c != '*' && c != '%') {
			buf_char(b, c);
			run = '\0';
		} else if (run == '\0') {
			buf_char(b, c);
			run = c;
		} else if (run == '%' && c == '*') {
			b->p[b->n - 1] = run = c;
		}
	}
}

/* reference and pattern, joined as they are (RFC 3501 6.3.8), as UTF-8. */
static void
pattern_add(struct list *l, struct span reference, struct span pattern)
{
	struct buf wire, utf8;

	buf_init(&wire, IMAP_COMMAND_MAX);
	buf_init(&utf8, IMAP_COMMAND_MAX);
	buf_span(&wire, reference);
	buf_span(&wire, pattern);
	/* What is no modified UTF-7 is no folder's name: it matches none. */
	if (!wire.bad && mutf7_decode(buf_get(&wire), &utf8) == 0 &&
	    utf8.n > 0) {
		pattern_put(&l->patterns, buf_get(&utf8));
		buf_char(&l->patterns, '\0');
	}
	l->failed |= wire.bad || l->patterns.bad;
	buf_fini(&wire);
	buf_fini(&utf8);
}

static int
take_selection(struct list *l, struct span *in)
{
	l->extended = true;
	if (imap_is(in, ')'))
		return 0;
	do {
		if (imap_word(in, "SUBSCRIBED"))
			l->only_subscribed = l->say_subscribed = true;
		else if (imap_word(in, "RECURSIVEMATCH"))
			l->recursive = true;
		else if (imap_word(in, "SPECIAL-USE"))
			l->only_use = l->say_use = true;
		else if (!imap_word(in, "REMOTE"))
			return -1;
	} while (imap_sp(in) == 0);
	/* RFC 5258 3.1: RECURSIVEMATCH needs something to select. */
	if (l->recursive && !l->only_subscribed)
		return -1;
	return imap_is(in, ')') ? 0 : -1;
}

static int
take_return(struct list *l, struct span *in)
{
	l->extended = true;
	l->say_children = l->say_use = false;
	l->say_use = l->only_use;
	if (!imap_word(in, "RETURN") || imap_sp(in) == -1 || !imap_is(in, '('))
		return -1;
	if (imap_is(in, ')'))
		return 0;
	do {
		if (imap_word(in, "SUBSCRIBED")) {
			l->say_subscribed = true;
		} else if (imap_word(in, "CHILDREN")) {
			l->say_children = true;
		} else if (imap_word(in, "SPECIAL-USE")) {
			l->say_use = true;
		} else if (imap_word(in, "STATUS")) {
			l->say_status = true;
			if (imap_sp(in) == -1 ||
			    status_items_take(in, &l->items) == -1)
				return -1;
		} else {
			return -1;
		}
	} while (imap_sp(in) == 0);
	return imap_is(in, ')') ? 0 : -1;
}

/* One pattern, or "(pattern ...)". *only: the last one. */
static int
take_patterns(struct list *l, struct span reference, struct span *in,
    struct span *only)
{
	size_t n = 0;

	if (!imap_is(in, '(')) {
		if (imap_list_mailbox(in, &l->s->scratch, only) == -1)
			return -1;
		pattern_add(l, reference, *only);
		return 0;
	}
	l->extended = true;
	do {
		if (++n > IMAP_ITEMS_MAX ||
		    imap_list_mailbox(in, &l->s->scratch, only) == -1)
			return -1;
		pattern_add(l, reference, *only);
	} while (imap_sp(in) == 0);
	*only = SPAN("*"); /* not the question for the separator */
	return imap_is(in, ')') ? 0 : -1;
}

static int
take_arguments(struct list *l, struct span in, bool lsub, struct span *only)
{
	struct span reference;

	l->say_children = l->say_use = !lsub;
	if (!lsub && imap_is(&in, '(')) {
		if (take_selection(l, &in) == -1 || imap_sp(&in) == -1)
			return -1;
	}
	if (imap_astring(&in, &l->s->scratch, &reference) == -1 ||
	    imap_sp(&in) == -1)
		return -1;
	if (lsub) {
		if (imap_list_mailbox(&in, &l->s->scratch, only) == -1)
			return -1;
		pattern_add(l, reference, *only);
		return in.n == 0 ? 0 : -1;
	}
	if (take_patterns(l, reference, &in, only) == -1)
		return -1;
	if (imap_sp(&in) == 0 && take_return(l, &in) == -1)
		return -1;
	return in.n == 0 ? 0 : -1;
}

/* RFC 3501 6.3.8: an empty pattern asks for the separator. */
static void
separator_out(struct session *s)
{
	struct imap_out *o = &s->out;

	out_untagged(o);
	out_atom(o, "LIST");
	out_open(o);
	out_atom(o, "\\Noselect");
	out_close(o);
	out_string(o, SPAN("/"));
	out_string(o, SPAN(""));
	out_end(o);
}

static const struct imap_reply *
list(struct session *s, struct span in, bool lsub)
{
	const struct imap_reply *r = &A_SYNTAX;
	struct span only = SPAN_NONE;
	struct list l;

	list_init(&l, s);
	if (take_arguments(&l, in, lsub, &only) == 0) {
		r = &A_OK;
		if (only.n > 0)
			r = list_run(&l, lsub);
		else if (!lsub && !l.only_subscribed && !l.only_use)
			separator_out(s);
	}
	list_fini(&l);
	return r;
}

const void *
cmd_list(void *arg, struct span in)
{
	return list(arg, in, false);
}

const void *
cmd_lsub(void *arg, struct span in)
{
	return list(arg, in, true);
}
