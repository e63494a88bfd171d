/*
 * aliases: parses the aliases file, writes its map.
 */
#include "lib/aliases.h"

#include "lib/account.h"
#include "lib/addr.h"
#include "lib/conf.h"
#include "lib/die.h"
#include "lib/limits.h"
#include "lib/text.h"

struct reader {
	const struct conf *conf;
	struct text text;
	struct text_seen seen;
	struct buf name, key, target, targets;
};

/* Takes what stands before the first c that is not in double quotes. */
static struct span
cut_unquoted(struct span *in, char c, bool *found)
{
	bool quoted = false;
	struct span head;
	size_t i;

	for (i = 0; i < in->n && (quoted || in->p[i] != c); i++) {
		if (quoted && in->p[i] == '\\' && i + 1 < in->n)
			i++;
		else if (in->p[i] == '"')
			quoted = !quoted;
	}
	if (i > in->n)
		i = in->n;
	*found = i < in->n;
	head = span_take(in, i);
	(void)span_take(in, 1);
	return span_trim(head);
}

static int
quote_span(struct span s)
{
	return (int)(s.n > 64 ? 64 : s.n);
}

/* The name to the left of the colon, as key. */
static int
name_read(struct reader *r, struct span name)
{
	struct span in = name, domain;
	struct addr a;

	if (name.n > 1 && name.p[0] == '@') {
		domain = span_slice(name, 1, name.n);
		if (!addr_domain_ok(domain))
			return -1;
		account_key(name, &r->key);
	} else {
		buf_clear(&r->name);
		if (name.n == 0 || name.p[0] == '<' ||
		    addr_parse(&in, ADDR_NODOMAIN_OK, &r->name, &a) == -1 ||
		    in.n != 0 || a.text.n == 0)
			return -1;
		domain = a.domain;
		account_key(a.text, &r->key);
	}
	if (domain.n != 0 && !conf_list_has(&r->conf->domains, domain) &&
	    !conf_list_has(&r->conf->system_domains, domain)) {
		text_complain(&r->text, "%.*s is not a local domain, so no "
		    "mail for it comes here; add it to domains in "
		    "postern.conf", quote_span(domain), domain.p);
		return 1;
	}
	return r->key.bad ? -1 : 0;
}

/* Sendmail's other kinds of targets: said by name, so nobody wonders. */
static const char *
target_foreign(struct span t)
{
	if (span_istarts(t, SPAN(":include:")) ||
	    span_istarts(t, SPAN("\":include:")))
		return "lists from files are not supported; write the "
		       "addresses here, one a continuation line";
	if (span_starts(t, SPAN("|")) || span_starts(t, SPAN("\"|")))
		return "programs are never run by aliases; deliver to a "
		       "mailbox and let the program read it from there";
	if (span_starts(t, SPAN("/")) || span_starts(t, SPAN("\"/")))
		return "files are never written by aliases; deliver to a "
		       "mailbox instead";
	return NULL;
}

static int
target_read(struct reader *r, struct span t)
{
	const char *foreign = target_foreign(t);
	struct span in = t;
	struct addr a;

	if (foreign != NULL) {
		text_complain(&r->text, "%.*s: %s", quote_span(t), t.p,
		    foreign);
		return -1;
	}
	if (t.n > 1 && t.p[0] == '\\') /* sendmail's "no further aliases" */
		in = t = span_slice(t, 1, t.n);
	buf_clear(&r->target);
	if (t.n == 0 || addr_parse(&in, ADDR_NODOMAIN_OK, &r->target, &a) ==
	    -1 || in.n != 0 || a.text.n == 0) {
		text_complain(&r->text, "\"%.*s\" is no address; write one "
		    "such as ann@%s", quote_span(t), t.p,
		    r->conf->default_domain);
		return -1;
	}
	if (r->targets.n != 0)
		buf_char(&r->targets, ',');
	buf_span(&r->targets, a.text);
	if (a.domain.n == 0) {
		buf_char(&r->targets, '@');
		buf_str(&r->targets, r->conf->default_domain);
	}
	return 0;
}

static int
targets_read(struct reader *r, struct span line)
{
	size_t count = 0;
	bool more = true;
	struct span t;

	buf_clear(&r->targets);
	while (more) {
		t = cut_unquoted(&line, ',', &more);
		if (t.n == 0) /* "a, , b" and a comma at the end */
			continue;
		if (target_read(r, t) == -1)
			return -1;
		count++;
	}
	if (count == 0) {
		text_complain(&r->text, "no target; write an address after "
		    "the colon");
		return -1;
	}
	if (count > ALIAS_WIDTH_MAX || r->targets.bad) {
		text_complain(&r->text, "too many targets, at most %d; use "
		    "several aliases", ALIAS_WIDTH_MAX);
		return -1;
	}
	return 0;
}

/* 1: take it; 0: a problem was reported. */
static int
line_read(struct reader *r, struct span line)
{
	bool colon;
	struct span name = cut_unquoted(&line, ':', &colon);
	size_t before;
	int rc;

	if (!colon) {
		text_complain(&r->text, "no colon; write name: target");
		return 0;
	}
	if ((rc = name_read(r, name)) != 0) {
		if (rc == -1)
			text_complain(&r->text, "\"%.*s\" is no name; write a "
			    "local part, an address or @domain before the "
			    "colon", quote_span(name), name.p);
		return 0;
	}
	if (targets_read(r, line) == -1)
		return 0;
	before = text_seen_add(&r->seen, buf_get(&r->key), r->text.line);
	if (before != 0) {
		text_complain(&r->text, "%.*s is already in line %zu; join "
		    "them", quote_span(name), name.p, before);
		return 0;
	}
	return 1;
}

int
aliases_read(const struct conf *c, struct span text, const char *name,
    map_row_fn *fn, void *arg, struct buf *err)
{
	struct reader r = { .conf = c };
	struct span line;
	int rc = 0;

	text_init(&r.text, text, name, true, err);
	buf_init(&r.name, SMTP_PATH_MAX);
	buf_init(&r.key, MAP_KEY_MAX);
	buf_init(&r.target, SMTP_PATH_MAX);
	buf_init(&r.targets, MAP_VALUE_MAX);
	while (rc == 0 && text_next(&r.text, &line))
		if (line_read(&r, line) == 1)
			rc = fn(arg, buf_get(&r.key), buf_get(&r.targets),
			    r.text.line);
	if (r.text.problems != 0)
		rc = -1;
	text_seen_fini(&r.seen);
	text_fini(&r.text);
	buf_fini(&r.name);
	buf_fini(&r.key);
	buf_fini(&r.target);
	buf_fini(&r.targets);
	return rc;
}

int
aliases_compile(const struct conf *c, size_t *count, struct buf *err)
{
	return map_text_compile(c, "aliases", 0644, aliases_read, count, err);
}
