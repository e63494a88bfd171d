/*
 * transport_map: lines of the text file `transport`. What is wrong with one
 * is said when it is compiled; at delivery nobody is there to be told.
 */
#include <string.h>

#include "lib/account.h"
#include "lib/addr.h"
#include "lib/conf.h"
#include "lib/limits.h"
#include "lib/resolve.h"
#include "lib/text.h"
#include "lib/transport.h"

struct reader {
	const struct conf *conf;
	struct text text;
	struct text_seen seen;
	struct buf address, key, value;
};

static int
quote_span(struct span s)
{
	return (int)(s.n > 64 ? 64 : s.n);
}

/* Its key, and the domain that it is about. -1: it is no pattern. */
static int
pattern_read(struct reader *r, struct span pattern, struct span *domain)
{
	struct span in = pattern;
	struct addr a;

	*domain = SPAN_NONE;
	if (span_has(pattern, '@')) {
		buf_clear(&r->address);
		if (pattern.p[0] == '<' ||
		    addr_parse(&in, 0, &r->address, &a) == -1 || in.n != 0)
			return -1;
		*domain = a.domain;
		pattern = a.text;
	} else if (!span_eq(pattern, SPAN("*"))) {
		if (pattern.n > 1 && pattern.p[0] == '.')
			(void)span_take(&in, 1);
		if (!addr_domain_ok(in) && !addr_literal_ok(in))
			return -1;
		*domain = in;
	}
	account_key(pattern, &r->key);
	return r->key.bad ? -1 : 0;
}

/* "550 5.7.1 no", as other systems write it? */
static bool
has_code(struct span text)
{
	struct span word = span_word(&text);
	uint64_t n;

	return word.n == 3 && span_num(word, 400, 599, &n) == 0;
}

/* What the configuration must say for this to work. */
static bool
is_possible(struct reader *r, const struct transport *t, struct span domain)
{
	if (t->kind == TRANSPORT_LMTP_UNIX &&
	    !conf_list_has_exact(&r->conf->lmtp_sockets, t->host)) {
		text_complain(&r->text, "%.*s may not be connected to; add it "
		    "to lmtp-sockets in postern.conf", quote_span(t->host),
		    t->host.p);
		return false;
	}
	if (t->kind == TRANSPORT_LOCAL &&
	    !resolve_is_local_domain(r->conf, domain)) {
		text_complain(&r->text, "local is for local domains; add it to "
		    "domains in postern.conf, or name another transport");
		return false;
	}
	if (t->kind == TRANSPORT_ERROR && has_code(t->text)) {
		text_complain(&r->text, "\"%.*s\" begins with a code of SMTP, "
		    "which is added anyway; write error:5.7.1 TEXT, or "
		    "error:TEXT", quote_span(t->text), t->text.p);
		return false;
	}
	return true;
}

static bool
transport_line(struct reader *r, struct span word, struct span domain)
{
	struct transport t;

	if (transport_parse(word, &t) == -1) {
		text_complain(&r->text, "\"%.*s\" is no transport; write mx, "
		    "relay:HOST, relay:[HOST]:PORT, lmtp:HOST:PORT, "
		    "lmtp:unix:/PATH, local, error:TEXT or discard",
		    quote_span(word), word.p);
		return false;
	}
	if (!is_possible(r, &t, domain))
		return false;
	buf_clear(&r->value);
	transport_print(&r->value, &t);
	return true;
}

/* 1: take it; 0: a problem was reported. */
static int
line_read(struct reader *r, struct span line)
{
	struct span pattern = span_word(&line), domain;
	size_t before;

	line = span_trim(line);
	if (pattern_read(r, pattern, &domain) == -1) {
		text_complain(&r->text, "\"%.*s\" is no pattern; write "
		    "user@domain, domain, .suffix or *", quote_span(pattern),
		    pattern.p);
		return 0;
	}
	if (line.n == 0) {
		text_complain(&r->text, "no transport; write one behind %.*s, "
		    "such as relay:[192.0.2.1]", quote_span(pattern),
		    pattern.p);
		return 0;
	}
	if (!transport_line(r, line, domain))
		return 0;
	before = text_seen_add(&r->seen, buf_get(&r->key), r->text.line);
	if (before != 0) {
		text_complain(&r->text, "%.*s is already in line %zu; take one "
		    "of them out", quote_span(pattern), pattern.p, before);
		return 0;
	}
	return 1;
}

int
transport_read(const struct conf *c, struct span text, const char *name,
    map_row_fn *fn, void *arg, struct buf *err)
{
	struct reader r = { .conf = c };
	struct span line;
	int rc = 0;

	text_init(&r.text, text, name, false, err);
	buf_init(&r.address, SMTP_PATH_MAX);
	buf_init(&r.key, MAP_KEY_MAX);
	buf_init(&r.value, MAP_VALUE_MAX);
	while (rc == 0 && text_next(&r.text, &line))
		if (line_read(&r, line) == 1)
			rc = fn(arg, buf_get(&r.key), buf_get(&r.value),
			    r.text.line);
	if (r.text.problems != 0)
		rc = -1;
	text_seen_fini(&r.seen);
	text_fini(&r.text);
	buf_fini(&r.address);
	buf_fini(&r.key);
	buf_fini(&r.value);
	return rc;
}

int
transport_compile(const struct conf *c, size_t *count, struct buf *err)
{
	return map_text_compile(c, "transport", 0644, transport_read, count,
	    err);
}
