/* tls_policy: one line, one look-up. */
#include "lib/tls_policy.h"

#include "lib/addr.h"
#include "lib/chars.h"
#include "lib/limits.h"
#include "lib/map.h"
#include "lib/text.h"
#include "lib/text_map.h"
#include "lib/tls.h"

static const char *const levels[] = {
	[TLS_LEVEL_NONE] = "none",
	[TLS_LEVEL_MAY] = "may",
	[TLS_LEVEL_ENCRYPT] = "encrypt",
	[TLS_LEVEL_VERIFY] = "verify",
};

int
tls_level_parse(struct span word, enum tls_level *level)
{
	for (size_t i = 0; i < nitems(levels); i++)
		if (span_ieq(word, span_str(levels[i]))) {
			*level = (enum tls_level)i;
			return 0;
		}
	return -1;
}

const char *
tls_level_name(enum tls_level level)
{
	return levels[level];
}

static void
key_put(struct buf *key, struct span name)
{
	if (addr_ip_put(name, key) == -1)
		buf_lower(key, name);
}

/* A name, or one below which any will do. */
static bool
name_ok(struct span name)
{
	if (name.n > 1 && name.p[0] == '.')
		(void)span_take(&name, 1);
	return addr_domain_ok(name) || addr_literal_ok(name);
}

static int
match_read(struct text *t, struct span names, struct buf *value)
{
	struct span all = names, one;
	size_t n = 0;

	while (names.n > 0) {
		one = span_cut(&names, ',');
		if (!name_ok(one) || ++n > TLS_NAMES_MAX) {
			text_complain(t, "match= wants up to %d names with "
			    "commas between, such as mx.example.org or "
			    ".example.org", TLS_NAMES_MAX);
			return -1;
		}
	}
	buf_char(value, ' ');
	buf_lower(value, all);
	return 0;
}

static int
line_read(struct text *t, struct span line, struct buf *key, struct buf *value)
{
	struct span name = span_word(&line), word = span_word(&line), option;
	enum tls_level level;

	if (!name_ok(name) && !addr_ip_ok(name) && !span_eq(name, SPAN("*"))) {
		text_complain(t, "no domain at its begin; write example.org, "
		    ".example.org for all below it, an address, or *");
		return -1;
	}
	if (tls_level_parse(word, &level) == -1) {
		text_complain(t, "\"%.*s\" is no level; write none, may, "
		    "encrypt or verify behind the domain", SPAN_FMT(word));
		return -1;
	}
	key_put(key, name);
	buf_str(value, levels[level]);
	while ((option = span_word(&line)).n > 0) {
		if (!span_istarts(option, SPAN("match=")) ||
		    level != TLS_LEVEL_VERIFY ||
		    span_has(buf_get(value), ' ')) {
			text_complain(t, "more than a domain and a level; only "
			    "verify may be followed by match=NAME,NAME");
			return -1;
		}
		if (match_read(t, span_slice(option, 6, option.n), value) == -1)
			return -1;
	}
	return 0;
}

int
tls_policy_read(const struct conf *c, struct span text, const char *name,
    map_row_fn *fn, void *arg, struct buf *err)
{
	(void)c;
	return text_map_read(line_read, text, name, fn, arg, err);
}

int
tls_policy_compile(const struct conf *c, size_t *count, struct buf *err)
{
	return map_text_compile(
	    c, "tls-policy", 0644, tls_policy_read, count, err);
}

/* A row that cannot be read asks for all there is: it may have been meant. */
static bool
get(struct map *m, struct span key, struct tls_policy *p)
{
	struct span value = SPAN_NONE;

	switch (map_get(m, key, &value)) {
	case MAP_NONE:
		return false;
	case MAP_FOUND:
		p->match = value;
		if (tls_level_parse(span_word(&p->match), &p->level) == 0)
			return true;
		break;
	case MAP_ERROR:
		break;
	}
	map_row_bad(m, "tls-policy", key, "counts as verify");
	*p = (struct tls_policy){ .level = TLS_LEVEL_VERIFY };
	return true;
}

/* name in lower case: itself, then ".example.org", ".org". */
static bool
get_name(struct map *m, struct span name, struct tls_policy *p)
{
	if (name.n == 0)
		return false;
	if (get(m, name, p))
		return true;
	while (name.n > 0) {
		(void)span_take(&name, 1);
		(void)span_take(&name, span_find(name, '.'));
		if (name.n > 1 && get(m, name, p))
			return true;
	}
	return false;
}

bool
tls_policy_find(struct map *m, struct span domain, struct span host,
    struct tls_policy *p)
{
	struct buf key;
	bool found;

	if (m == NULL)
		return false;
	buf_init(&key, SMTP_PATH_MAX);
	key_put(&key, domain);
	found = get_name(m, buf_get(&key), p);
	buf_clear(&key);
	key_put(&key, host);
	found = found || get_name(m, buf_get(&key), p) ||
	    get(m, SPAN("*"), p);
	buf_fini(&key);
	return found;
}
