/*
 * conf_list: the types of values in postern.conf(5) that are lists: words
 * between blanks or commas.
 */
#include <stdlib.h>

#include "lib/account.h"
#include "lib/addr.h"
#include "lib/conf_keys.h"
#include "lib/die.h"
#include "lib/folders.h"
#include "lib/limits.h"

char *
conf_lower_dup(struct span v)
{
	char *s = span_dup(v);

	for (char *p = s; p != NULL && *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	return s;
}

int
conf_domain_check(struct span v, struct buf *why)
{
	if (addr_domain_ok(v) && !span_has(v, '['))
		return 0;
	buf_str(why, "\"");
	buf_safe(why, v);
	buf_str(why, "\" is no domain name; write names such as example.org,"
		     " without a dot at the end");
	return -1;
}

/* Takes the next word: blanks and commas are between words. */
struct span
conf_word(struct span *in)
{
	size_t i = 0, from;

	while (i < in->n && span_has(SPAN(" \t,"), in->p[i]))
		i++;
	from = i;
	while (i < in->n && !span_has(SPAN(" \t,"), in->p[i]))
		i++;
	(void)span_take(in, from);
	return span_take(in, i - from);
}

void
conf_list_fini(void *field)
{
	struct conf_list *l = field;

	for (size_t i = 0; i < l->n; i++)
		free(l->word[i]);
	free(l->word);
	*l = (struct conf_list){ 0 };
}

void
conf_list_print(const void *field, struct buf *out)
{
	const struct conf_list *l = field;

	for (size_t i = 0; i < l->n; i++) {
		buf_str(out, i > 0 ? " " : "");
		buf_str(out, l->word[i]);
	}
}

/* -1: there is no room for one more. */
static int
list_add(struct conf_list *l, char *word, struct buf *why)
{
	if (l->n == CONF_LIST_MAX) {
		free(word);
		buf_fmt(why, "too many; at most %d", CONF_LIST_MAX);
		return -1;
	}
	l->word = xreallocarray(l->word, l->n + 1, sizeof(*l->word));
	l->word[l->n++] = word;
	return 0;
}

static int
domains_parse(const struct conf_key *k, struct span v, void *field,
    struct buf *why)
{
	struct conf_list *l = field;
	struct span w;

	(void)k;
	while ((w = conf_word(&v)).n != 0) {
		if (conf_domain_check(w, why) == -1)
			return -1;
		if (!conf_list_has(l, w) &&
		    list_add(l, conf_lower_dup(w), why) == -1)
			return -1;
	}
	return 0;
}

/* sun_path of every system has at least so much room. */
enum { SOCKET_PATH_MAX = 103 };

static int
sockets_parse(const struct conf_key *k, struct span v, void *field,
    struct buf *why)
{
	struct conf_list *l = field;
	struct span w;

	(void)k;
	while ((w = conf_word(&v)).n != 0) {
		if (!account_path_ok(w) || w.n > SOCKET_PATH_MAX) {
			buf_str(why, "\"");
			buf_safe(why, w);
			buf_fmt(why, "\" is no path of a socket; write absolute "
			    "paths of at most %d bytes", SOCKET_PATH_MAX);
			return -1;
		}
		if (!conf_list_has_exact(l, w) &&
		    list_add(l, span_dup(w), why) == -1)
			return -1;
	}
	return 0;
}

static int
folders_parse(const struct conf_key *k, struct span v, void *field,
    struct buf *why)
{
	struct conf_list *l = field;
	struct span w;

	(void)k;
	if (span_eq(v, SPAN("none")))
		return 0;
	while ((w = conf_word(&v)).n != 0) {
		if (!folder_name_ok(w)) {
			buf_str(why, "\"");
			buf_safe(why, w);
			buf_str(why, "\" cannot be a folder's name; write none, "
				     "or names such as Sent, lists/postern");
			return -1;
		}
		if (!conf_list_has_exact(l, w) &&
		    list_add(l, span_dup(w), why) == -1)
			return -1;
	}
	return 0;
}

static void
folders_print(const void *field, struct buf *out)
{
	const struct conf_list *l = field;

	if (l->n == 0)
		buf_str(out, "none");
	conf_list_print(l, out);
}

/* "ann@example.org", as she logs in; "uid=33", as the log calls it. */
static bool
user_ok(struct span w)
{
	size_t at = span_rfind(w, '@');
	uint64_t uid;

	if (span_istarts(w, SPAN("uid=")))
		return span_num(span_slice(w, 4, w.n), 0, UINT32_MAX - 1,
		    &uid) == 0;
	return at > 0 && at + 1 < w.n && w.n <= AUTH_NAME_MAX;
}

static int
users_parse(const struct conf_key *k, struct span v, void *field,
    struct buf *why)
{
	struct conf_list *l = field;
	struct span w;

	(void)k;
	while ((w = conf_word(&v)).n != 0) {
		if (!user_ok(w)) {
			buf_str(why, "\"");
			buf_safe(why, w);
			buf_str(why, "\" is no user; write ann@example.org, or "
				     "uid=33 for a local account");
			return -1;
		}
		if (!conf_list_has(l, w) &&
		    list_add(l, conf_lower_dup(w), why) == -1)
			return -1;
	}
	return 0;
}

const struct conf_type conf_type_domains = { "domains", domains_parse,
	conf_list_print, conf_list_fini };
const struct conf_type conf_type_sockets = { "sockets", sockets_parse,
	conf_list_print, conf_list_fini };
const struct conf_type conf_type_users = { "users", users_parse,
	conf_list_print, conf_list_fini };
const struct conf_type conf_type_folders = { "folders", folders_parse,
	folders_print, conf_list_fini };
