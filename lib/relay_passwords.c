/* relay_passwords: one line, one look-up. */
#include "lib/relay_passwords.h"

#include <stdio.h>
#include <sys/stat.h>

#include "lib/addr.h"
#include "lib/chars.h"
#include "lib/conf.h"
#include "lib/limits.h"
#include "lib/map.h"
#include "lib/text.h"
#include "lib/text_map.h"

static void
host_put(struct buf *key, struct span host)
{
	if (!addr_ip_ok(host)) {
		buf_lower(key, host);
		return;
	}
	buf_char(key, '[');
	(void)addr_ip_put(host, key);
	buf_char(key, ']');
}

/* HOST or HOST:PORT, an address in brackets: the key. */
static int
key_put(struct buf *key, struct span host)
{
	size_t colon = span_rfind(host, ':'), close = span_rfind(host, ']');
	uint64_t port = 0;

	if (colon < host.n && (close == host.n || colon > close)) {
		if (span_num(span_slice(host, colon + 1, host.n), 1, 65535,
			&port) == -1)
			return -1;
		host = span_slice(host, 0, colon);
	}
	if (span_starts(host, SPAN("[")) ? !addr_ip_ok(host) :
		!addr_domain_ok(host))
		return -1;
	host_put(key, host);
	if (port != 0)
		buf_fmt(key, ":%u", (unsigned)port);
	return 0;
}

static int
line_read(struct text *t, struct span line, struct buf *key, struct buf *value)
{
	struct span host = span_word(&line), user = span_word(&line);

	if (key_put(key, host) == -1) {
		text_complain(t, "no host at its begin; write HOST or "
		    "HOST:PORT, an address as [192.0.2.1]:587");
		return -1;
	}
	line = span_trim(line);
	if (user.n == 0 || line.n == 0 || user.n > AUTH_NAME_MAX ||
	    line.n > AUTH_PASSWORD_MAX) {
		text_complain(t, "no user and password after the host, or "
		    "longer than %d and %d bytes; write HOST USER PASSWORD",
		    AUTH_NAME_MAX, AUTH_PASSWORD_MAX);
		return -1;
	}
	buf_span(value, user);
	buf_char(value, '\0');
	buf_span(value, line);
	return 0;
}

int
relay_passwords_read(const struct conf *c, struct span text, const char *name,
    map_row_fn *fn, void *arg, struct buf *err)
{
	(void)c;
	return text_map_read(line_read, text, name, fn, arg, err);
}

/* A secret that others can read is none: it is not put to use. */
static int
text_is_private(const struct conf *c, struct buf *err)
{
	char path[PATH_LEN_MAX];
	struct stat st;

	/* map-dir is bounded well below PATH_LEN_MAX */
	(void)snprintf(path, sizeof(path), "%s/relay-passwords", c->map_dir);
	if (stat(path, &st) == -1 || (st.st_mode & 077) == 0)
		return 0;
	buf_safe(err, span_str(path));
	buf_str(err, ": others may read it; chmod go= it\n");
	return -1;
}

int
relay_passwords_compile(const struct conf *c, size_t *count, struct buf *err)
{
	if (text_is_private(c, err) == -1)
		return -1;
	return map_text_compile(
	    c, "relay-passwords", 0600, relay_passwords_read, count, err);
}

static bool
get(struct map *m, struct span key, struct relay_password *p)
{
	struct span value;

	if (map_get(m, key, &value) != MAP_FOUND)
		return false;
	p->user = span_cut(&value, '\0');
	p->password = value;
	return p->user.n > 0 && p->password.n > 0;
}

bool
relay_password_find(struct map *m, struct span host, unsigned port,
    struct relay_password *p)
{
	struct buf key;
	bool found;

	if (m == NULL)
		return false;
	buf_init(&key, MAP_KEY_MAX);
	host_put(&key, host);
	host = span_slice(buf_get(&key), 0, key.n);
	buf_fmt(&key, ":%u", port);
	found = get(m, buf_get(&key), p) ||
	    get(m, span_slice(buf_get(&key), 0, host.n), p);
	buf_fini(&key);
	return found;
}
