/*
 * conf: reads and writes postern.conf(5). A line is "key = value"; blanks
 * around both are dropped; '#' at the start of a line, or after a blank,
 * begins a comment; a value in double quotes is taken as it stands. A key
 * comes once. All errors of a file are reported, each with its line and what
 * to do about it.
 */
#include "lib/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "lib/conf_keys.h"
#include "lib/die.h"
#include "lib/limits.h"

enum { PROBLEMS_MAX = 100 };

struct reader {
	const char *name; /* of the file */
	struct buf *err;
	size_t line;
	size_t problems;
	struct conf *conf;
	size_t *seen; /* line where each key was set; 0: not yet */
};

static void *
field_of(struct conf *c, const struct conf_key *k)
{
	return (char *)c + k->offset;
}

static const void *
field_get(const struct conf *c, const struct conf_key *k)
{
	return (const char *)c + k->offset;
}

static void
complain(struct reader *r, size_t line, const char *what)
{
	r->problems++;
	buf_safe(r->err, span_str(r->name));
	if (line != 0) {
		buf_char(r->err, ':');
		buf_num(r->err, line);
	}
	buf_str(r->err, ": ");
	buf_str(r->err, what);
	buf_char(r->err, '\n');
}

static void
complain_key(struct reader *r, const struct conf_key *k, struct buf *why)
{
	struct buf text;

	buf_init(&text, 2048);
	buf_fmt(&text, "%s: ", k->name);
	buf_span(&text, buf_get(why));
	complain(r, r->line, text.bad ? k->name : buf_cstr(&text));
	buf_fini(&text);
}

/* Single edits (one byte more, less, other) between two short words. */
static size_t
distance(struct span a, struct span b)
{
	size_t row[64], left, diag, cost;

	for (size_t j = 0; j <= b.n; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.n; i++) {
		diag = row[0];
		row[0] = left = i;
		for (size_t j = 1; j <= b.n; j++) {
			cost = diag + (a.p[i - 1] != b.p[j - 1]);
			diag = row[j];
			if (cost > row[j] + 1)
				cost = row[j] + 1;
			if (cost > left + 1)
				cost = left + 1;
			row[j] = left = cost;
		}
	}
	return row[b.n];
}

const char *
conf_key_guess(struct span key)
{
	size_t best = key.n / 3 + 2, d; /* more is another word */
	const char *guess = NULL;

	if (key.n == 0 || key.n >= 48)
		return NULL;
	for (size_t i = 0; i < conf_nkeys; i++) {
		d = distance(key, span_str(conf_keys[i].name));
		if (d < best) {
			best = d;
			guess = conf_keys[i].name;
		}
	}
	return guess;
}

static void
complain_unknown(struct reader *r, struct span key)
{
	const char *guess = conf_key_guess(key);
	struct buf text;

	buf_init(&text, 2048);
	buf_str(&text, "unknown key \"");
	buf_safe(&text, span_slice(key, 0, 64));
	if (guess != NULL)
		buf_fmt(&text, "\"; did you mean %s?", guess);
	else
		buf_str(&text, "\"; `postern config --keys` lists all");
	complain(r, r->line, buf_cstr(&text));
	buf_fini(&text);
}

static const struct conf_key *
key_find(struct span name)
{
	for (size_t i = 0; i < conf_nkeys; i++)
		if (span_eq(name, span_str(conf_keys[i].name)))
			return &conf_keys[i];
	return NULL;
}

/* What stands after '=': without comment, without quotes. */
static int
value_clean(struct span *v, const char **why)
{
	struct span rest;

	*v = span_trim(*v);
	if (v->n != 0 && v->p[0] == '"') {
		rest = span_slice(*v, 1, v->n);
		if (!span_has(rest, '"')) {
			*why = "no quote at the end; add one";
			return -1;
		}
		*v = span_cut(&rest, '"');
		rest = span_trim(rest);
		if (rest.n != 0 && rest.p[0] != '#') {
			*why = "text after the closing quote; remove it";
			return -1;
		}
		return 0;
	}
	for (size_t i = 0; i < v->n; i++)
		if (v->p[i] == '#' &&
		    (i == 0 || v->p[i - 1] == ' ' || v->p[i - 1] == '\t')) {
			*v = span_trim(span_slice(*v, 0, i));
			break;
		}
	return 0;
}

static void
key_set(struct reader *r, const struct conf_key *k, struct span value)
{
	struct buf why;

	buf_init(&why, 1024);
	k->type->fini(field_of(r->conf, k));
	if (k->type->parse(k, value, field_of(r->conf, k), &why) == -1)
		complain_key(r, k, &why);
	buf_fini(&why);
}

static void
line_read(struct reader *r, struct span line)
{
	const struct conf_key *k;
	const char *why = NULL;
	struct span key;
	char text[96];
	size_t i;

	line = span_trim(line);
	if (line.n == 0 || line.p[0] == '#')
		return;
	if (span_has(line, '\0')) {
		complain(r, r->line, "a NUL byte is in the line; remove it");
		return;
	}
	if (!span_has(line, '=')) {
		complain(r, r->line, "no \"=\"; write key = value");
		return;
	}
	key = span_trim(span_cut(&line, '='));
	if ((k = key_find(key)) == NULL) {
		complain_unknown(r, key);
		return;
	}
	i = (size_t)(k - conf_keys);
	if (r->seen[i] != 0) {
		(void)snprintf(text, sizeof(text),
		    "%s is already set in line %zu; remove one of them",
		    k->name, r->seen[i]);
		complain(r, r->line, text);
		return;
	}
	r->seen[i] = r->line;
	if (value_clean(&line, &why) == -1)
		complain(r, r->line, why);
	else
		key_set(r, k, line);
}

static void
defaults_set(struct reader *r)
{
	for (size_t i = 0; i < conf_nkeys; i++)
		/* An empty default of a flag or number does not exist. */
		key_set(r, &conf_keys[i], span_str(conf_keys[i].def));
}

/* The keys whose default depends on others. */
static void
derive(struct conf *c)
{
	struct buf full;

	if (c->default_domain == NULL || c->default_domain[0] == '\0') {
		free(c->default_domain);
		c->default_domain = xstrdup(c->domains.n > 0
			? c->domains.word[0]
			: c->system_domains.n > 0 ? c->system_domains.word[0]
						  : c->hostname);
	}
	if (span_has(span_str(c->postmaster), '@'))
		return;
	buf_init(&full, 1024);
	buf_fmt(&full, "%s@%s", c->postmaster, c->default_domain);
	free(c->postmaster);
	c->postmaster = xstrdup(buf_cstr(&full));
	buf_fini(&full);
}

static size_t
line_of(const struct reader *r, const char *key)
{
	return r->seen[key_find(span_str(key)) - conf_keys];
}

/* One that waits as long as it may is not to be taken for one that hangs. */
static void
check_relay_times(struct reader *r)
{
	const struct conf *c = r->conf;
	const struct {
		const char *key;
		uint64_t s;
	} waits[] = {
		{ "relay-connect-timeout", c->relay_connect_timeout },
		{ "relay-greeting-timeout", c->relay_greeting_timeout },
		{ "relay-command-timeout", c->relay_command_timeout },
		{ "relay-data-timeout", c->relay_data_timeout },
		{ "relay-send-timeout", c->relay_send_timeout },
		{ "relay-dot-timeout", c->relay_dot_timeout },
	};
	char text[160];

	for (size_t i = 0; i < nitems(waits); i++) {
		if (waits[i].s <= c->relay_timeout)
			continue;
		(void)snprintf(text, sizeof(text),
		    "relay-timeout is shorter than %s; raise it, or mail that "
		    "waits for an answer is sent twice", waits[i].key);
		complain(r, line_of(r, "relay-timeout") != 0
			? line_of(r, "relay-timeout")
			: line_of(r, waits[i].key), text);
		return;
	}
}

/* What no single key can know. */
static void
check_together(struct reader *r)
{
	struct conf *c = r->conf;
	struct buf text;

	if (c->hostname == NULL || c->hostname[0] == '\0')
		complain(r, line_of(r, "hostname"), "hostname is not set; add "
		    "a line such as: hostname = mail.example.org");
	if ((c->tls_certificate[0] == '\0') != (c->tls_key[0] == '\0'))
		complain(r, line_of(r, c->tls_key[0] == '\0'
			? "tls-certificate" : "tls-key"),
		    "tls-certificate and tls-key go together; set both or "
		    "none");
	if (c->retry_min > c->retry_max)
		complain(r, line_of(r, "retry-min") != 0
			? line_of(r, "retry-min") : line_of(r, "retry-max"),
		    "retry-min is longer than retry-max; lower it, or raise "
		    "the other");
	check_relay_times(r);
	buf_init(&text, 1024);
	for (size_t i = 0; i < c->system_domains.n; i++) {
		if (!conf_list_has(&c->domains,
			span_str(c->system_domains.word[i])))
			continue;
		buf_clear(&text);
		buf_fmt(&text, "%s is in domains and in system-domains; "
			       "remove it from domains (users of the users "
			       "map work in both)",
		    c->system_domains.word[i]);
		complain(r, line_of(r, "system-domains"), buf_cstr(&text));
	}
	for (size_t i = 0; i < c->relay_domains.n; i++) {
		struct span d = span_str(c->relay_domains.word[i]);

		if (!conf_list_has(&c->domains, d) &&
		    !conf_list_has(&c->system_domains, d))
			continue;
		buf_clear(&text);
		buf_fmt(&text, "%s is a local domain; remove it from "
		    "relay-domains (a row of the transport map sends a local "
		    "domain elsewhere)", c->relay_domains.word[i]);
		complain(r, line_of(r, "relay-domains"), buf_cstr(&text));
	}
	buf_fini(&text);
}

struct conf *
conf_read_text(struct span text, const char *name, struct buf *err)
{
	struct reader r = { .name = name, .err = err };

	r.conf = xcalloc(1, sizeof(*r.conf));
	r.seen = xcalloc(conf_nkeys, sizeof(*r.seen));
	defaults_set(&r);
	if (text.n > CONF_FILE_MAX)
		complain(&r, 0, "larger than a megabyte; this is not a "
				"configuration, look for the right file");
	else if (span_starts(text, SPAN("\xef\xbb\xbf")))
		text = span_slice(text, 3, text.n);
	while (text.n != 0 && text.n <= CONF_FILE_MAX) {
		if (r.problems == PROBLEMS_MAX) {
			complain(&r, r.line, "more problems follow; mend these "
					     "first");
			break;
		}
		r.line++;
		line_read(&r, span_line(&text));
	}
	if (r.problems == 0)
		check_together(&r);
	free(r.seen);
	if (r.problems != 0) {
		conf_free(r.conf);
		return NULL;
	}
	derive(r.conf);
	r.conf->path = xstrdup(name);
	return r.conf;
}

struct conf *
conf_read_fd(int fd, const char *name, struct buf *err)
{
	struct conf *c = NULL;
	struct buf text;
	ssize_t got = 1;
	char *room;

	buf_init(&text, CONF_FILE_MAX + 4096);
	/* pread: all children read the same open file */
	while (got > 0 && text.n <= CONF_FILE_MAX) {
		if ((room = buf_room(&text, 4096)) == NULL)
			break;
		got = pread(fd, room, 4096, (off_t)text.n);
		if (got > 0)
			buf_grew(&text, (size_t)got);
		else if (got == -1 && errno == EINTR)
			got = 1;
	}
	if (got == -1) {
		buf_safe(err, span_str(name));
		buf_fmt(err, ": cannot be read: %s; is it a plain file?\n",
		    strerror(errno));
	} else {
		c = conf_read_text(buf_get(&text), name, err);
	}
	buf_fini(&text);
	return c;
}

struct conf *
conf_read(const char *path, struct buf *err)
{
	struct conf *c;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd == -1) {
		buf_safe(err, span_str(path));
		buf_fmt(err, ": cannot be opened: %s; %s\n", strerror(errno),
		    errno == ENOENT ? "write it, or name another with -c"
				    : "may you read it?");
		return NULL;
	}
	c = conf_read_fd(fd, path, err);
	fd_close(&fd);
	return c;
}

const char *
conf_syslog(const struct conf *c)
{
	struct span log = span_str(c->log);

	if (span_eq(log, SPAN("syslog")))
		return _PATH_LOG;
	return span_starts(log, SPAN("syslog:")) ? c->log + 7 : NULL;
}

void
conf_free(struct conf *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < conf_nkeys; i++)
		conf_keys[i].type->fini(field_of(c, &conf_keys[i]));
	free(c->path);
	free(c);
}

/* A value that parse would otherwise cut or trim gets its quotes. */
static void
value_write(struct span v, struct buf *out)
{
	bool quote = !span_eq(v, span_trim(v));

	for (size_t i = 0; i < v.n && !quote; i++)
		quote = v.p[i] == '"' ? i == 0 : v.p[i] == '#';
	buf_str(out, quote ? "\"" : "");
	buf_span(out, v);
	buf_str(out, quote ? "\"" : "");
}

/* What c would be if nothing but the names in it had been set. */
static struct conf *
reference_new(const struct conf *c)
{
	static const char *const keep[] = { "hostname", "domains",
		"system-domains" };
	struct buf text, err;
	struct conf *ref;

	buf_init(&text, CONF_FILE_MAX);
	buf_init(&err, 4096);
	for (size_t i = 0; i < nitems(keep); i++) {
		buf_fmt(&text, "%s = ", keep[i]);
		(void)conf_write_key(c, span_str(keep[i]), &text);
		buf_char(&text, '\n');
	}
	ref = conf_read_text(buf_get(&text), "", &err);
	buf_fini(&text);
	buf_fini(&err);
	return ref;
}

static bool
key_is_changed(const struct conf *c, const struct conf *ref,
    const struct conf_key *k)
{
	struct buf a, b;
	bool changed;

	buf_init(&a, CONF_FILE_MAX);
	buf_init(&b, CONF_FILE_MAX);
	k->type->print(field_get(c, k), &a);
	if (span_eq(span_str(k->name), SPAN("hostname")) ||
	    span_ends(span_str(k->name), SPAN("domains")))
		buf_str(&b, k->def);
	else
		k->type->print(field_get(ref, k), &b);
	changed = !span_eq(buf_get(&a), buf_get(&b));
	buf_fini(&a);
	buf_fini(&b);
	return changed;
}

void
conf_write(const struct conf *c, bool changed_only, struct buf *out)
{
	struct conf *ref = changed_only ? reference_new(c) : NULL;
	struct buf value;

	buf_init(&value, CONF_FILE_MAX);
	for (size_t i = 0; i < conf_nkeys; i++) {
		const struct conf_key *k = &conf_keys[i];

		if (ref != NULL && !key_is_changed(c, ref, k))
			continue;
		buf_clear(&value);
		k->type->print(field_get(c, k), &value);
		buf_fmt(out, "%s = ", k->name);
		value_write(buf_get(&value), out);
		buf_char(out, '\n');
	}
	buf_fini(&value);
	conf_free(ref);
}

int
conf_write_key(const struct conf *c, struct span name, struct buf *out)
{
	const struct conf_key *k = key_find(name);

	if (k == NULL)
		return -1;
	k->type->print(field_get(c, k), out);
	return 0;
}

bool
conf_list_has(const struct conf_list *l, struct span word)
{
	for (size_t i = 0; i < l->n; i++)
		if (span_ieq(span_str(l->word[i]), word))
			return true;
	return false;
}

bool
conf_list_has_exact(const struct conf_list *l, struct span word)
{
	for (size_t i = 0; i < l->n; i++)
		if (span_eq(span_str(l->word[i]), word))
			return true;
	return false;
}
