/*
 * conf_type: the types of values in postern.conf(5): how each is read,
 * checked and printed. What print writes, parse reads back to the same
 * field; errors are "reason; remedy". Lists: lib/conf_list.c. Addresses of
 * listeners and networks: lib/conf_inet.c.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "lib/arith.h"
#include "lib/conf_keys.h"
#include "lib/die.h"
#include "lib/limits.h"
#include "lib/transport.h"

struct unit {
	const char *name;
	uint64_t factor;
};

/* The largest that divides is printed: largest first, the plain one last. */
static const struct unit size_units[] = { { "T", 1ull << 40 },
	{ "G", 1ull << 30 }, { "M", 1ull << 20 }, { "K", 1ull << 10 },
	{ "", 1 }, { NULL, 0 } };
static const struct unit time_units[] = { { "d", 86400 }, { "h", 3600 },
	{ "m", 60 }, { "s", 1 }, { "", 1 }, { NULL, 0 } };
static const struct unit ms_units[] = { { "m", 60000 }, { "s", 1000 },
	{ "ms", 1 }, { NULL, 0 } };
static const struct unit no_units[] = { { "", 1 }, { NULL, 0 } };

/* Text */

static void
string_print(const void *field, struct buf *out)
{
	const char *s = *(char *const *)field;

	if (s != NULL)
		buf_str(out, s);
}

static void
string_fini(void *field)
{
	char **s = field;

	free(*s);
	*s = NULL;
}

static int
string_set(struct span v, void *field, struct buf *why)
{
	char *s = span_dup(v);

	if (s == NULL) {
		buf_str(why, "a NUL byte is inside; remove it");
		return -1;
	}
	*(char **)field = s;
	return 0;
}

static bool
printable(struct span v)
{
	for (size_t i = 0; i < v.n; i++)
		if ((unsigned char)v.p[i] < ' ' || v.p[i] == 0x7f)
			return false;
	return true;
}

/* The separators of subaddresses: punctuation that may stand in an atom. */
static int
text_parse(const struct conf_key *k, struct span v, void *field,
    struct buf *why)
{
	uint64_t max = 0;

	(void)span_num(span_str(k->max), 0, 1024, &max);
	for (size_t i = 0; i < v.n; i++)
		if (!span_has(SPAN("!#$%&'*+-/=?^_`{|}~"), v.p[i])) {
			buf_str(why, "separators are characters such as + or "
				     "-, without blanks; write \"+\"");
			return -1;
		}
	if (v.n > max) {
		buf_fmt(why, "too long; at most %" PRIu64 " characters", max);
		return -1;
	}
	return string_set(v, field, why);
}

static int
domain_parse(const struct conf_key *k, struct span v, void *field,
    struct buf *why)
{
	(void)k;
	if (v.n != 0 && conf_domain_check(v, why) == -1)
		return -1;
	*(char **)field = conf_lower_dup(v);
	return 0;
}

static int
host_parse(const struct conf_key *k, struct span v, void *field,
    struct buf *why)
{
	return domain_parse(k, v, field, why);
}

/* Absolute, clean: what is compared as text must have one spelling. */
static int
path_parse(const struct conf_key *k, struct span v, void *field,
    struct buf *why)
{
	uint64_t max = PATH_LEN_MAX - 128; /* names are appended to it */
	struct span rest = v, part;

	(void)span_num(span_str(k->max), 1, max, &max);
	if (v.n == 0 || v.p[0] != '/') {
		buf_str(why, "not an absolute path; begin it with /");
		return -1;
	}
	if (!printable(v)) {
		buf_str(why, "a control character is inside; remove it");
		return -1;
	}
	while (rest.n != 0) {
		part = span_cut(&rest, '/');
		if (span_eq(part, SPAN("..")) || span_eq(part, SPAN("."))) {
			buf_str(why, "\".\" or \"..\" in a path; write it out");
			return -1;
		}
	}
	while (v.n > 1 && v.p[v.n - 1] == '/')
		v.n--;
	if (v.n > max) {
		buf_fmt(why, "too long; at most %" PRIu64 " bytes", max);
		return -1;
	}
	return string_set(v, field, why);
}

static int
file_parse(const struct conf_key *k, struct span v, void *field,
    struct buf *why)
{
	if (v.n == 0)
		return string_set(v, field, why);
	return path_parse(k, v, field, why);
}

static int
log_parse(const struct conf_key *k, struct span v, void *field,
    struct buf *why)
{
	if (span_eq(v, SPAN("syslog")) || span_eq(v, SPAN("stderr")))
		return string_set(v, field, why);
	if (v.n != 0 && v.p[0] == '/')
		return path_parse(k, v, field, why);
	if (span_starts(v, SPAN("syslog:/")))
		return string_set(v, field, why);
	buf_str(why, "not a place for the log; write syslog, stderr, the "
		     "absolute path of a file, or syslog: and that of the "
		     "logger's socket");
	return -1;
}

static int
user_parse(const struct conf_key *k, struct span v, void *field,
    struct buf *why)
{
	static const struct span ok = SPAN("abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-$");
	bool good = v.n != 0 && v.n <= 64 && v.p[0] != '-';

	(void)k;
	for (size_t i = 0; good && i < v.n; i++)
		good = span_has(ok, v.p[i]);
	if (good)
		return string_set(v, field, why);
	buf_str(why, "not an account; write the name or number of one");
	return -1;
}

/* Local part or address; the domain is completed when all keys are read. */
static int
mailbox_parse(const struct conf_key *k, struct span v, void *field,
    struct buf *why)
{
	struct span in = v;
	struct buf text;
	struct addr a;
	int rc = -1;

	(void)k;
	buf_init(&text, SMTP_PATH_MAX);
	if (!span_has(v, '<') &&
	    addr_parse(&in, ADDR_NODOMAIN_OK, &text, &a) == 0 && in.n == 0 &&
	    a.text.n != 0)
		rc = string_set(a.text, field, why);
	else
		buf_str(why, "not an address; write one such as "
			     "postmaster@example.org");
	buf_fini(&text);
	return rc;
}

static int
choice_parse(const struct conf_key *k, struct span v, void *field,
    struct buf *why)
{
	struct span all = span_str(k->min), w;

	while ((w = span_word(&all)).n != 0)
		if (span_eq(w, v))
			return string_set(v, field, why);
	buf_fmt(why, "not one of the words that may stand here; write one of: "
	    "%s", k->min);
	return -1;
}

static int
relay_parse(const struct conf_key *k, struct span v, void *field,
    struct buf *why)
{
	struct span host;
	uint32_t port;
	bool bracket;

	(void)k;
	if (v.n == 0 || transport_host_parse(v, &host, &port, &bracket) == 0)
		return string_set(v, field, why);
	buf_str(why, "not a host; write HOST or HOST:PORT, an address as "
		     "[192.0.2.1]:587");
	return -1;
}

/* Numbers */

static int
number_scan(struct span v, const struct unit *units, uint64_t *out)
{
	size_t digits = 0;
	uint64_t n;

	while (digits < v.n && v.p[digits] >= '0' && v.p[digits] <= '9')
		digits++;
	if (span_num(span_slice(v, 0, digits), 0, UINT64_MAX, &n) == -1)
		return -1;
	if (n == 0 && digits == v.n) { /* "0" needs no unit */
		*out = 0;
		return 0;
	}
	for (const struct unit *u = units; u->name != NULL; u++) {
		if (!span_ieq(span_slice(v, digits, v.n), span_str(u->name)))
			continue;
		return __builtin_mul_overflow(n, u->factor, out) ? -1 : 0;
	}
	return -1;
}

static int
number_read(const struct conf_key *k, struct span v, void *field,
    const struct unit *units, const char *example, struct buf *why)
{
	uint64_t n, min = 0, max = UINT64_MAX;

	if (number_scan(v, units, &n) == -1) {
		buf_fmt(why, "not a %s; write one such as %s", k->type->name,
		    example);
		return -1;
	}
	(void)number_scan(span_str(k->min), units, &min);
	(void)number_scan(span_str(k->max), units, &max);
	if (n < min || n > max) {
		buf_fmt(why, "out of range; between %s and %s", k->min,
		    k->max);
		return -1;
	}
	*(uint64_t *)field = n;
	return 0;
}

static void
number_print(uint64_t n, const struct unit *u, struct buf *out)
{
	while (u[1].name != NULL && (n % u->factor != 0 || n == 0))
		u++;
	buf_num(out, n / u->factor);
	buf_str(out, u->name);
}

static int
number_parse(const struct conf_key *k, struct span v, void *field,
    struct buf *why)
{
	return number_read(k, v, field, no_units, "100", why);
}

static int
size_parse(const struct conf_key *k, struct span v, void *field,
    struct buf *why)
{
	return number_read(k, v, field, size_units, "500K or 25M", why);
}

static int
time_parse(const struct conf_key *k, struct span v, void *field,
    struct buf *why)
{
	return number_read(k, v, field, time_units, "30s, 5m, 4h or 2d", why);
}

static int
ms_parse(const struct conf_key *k, struct span v, void *field,
    struct buf *why)
{
	return number_read(k, v, field, ms_units, "500ms or 2s", why);
}

static void
plain_print(const void *field, struct buf *out)
{
	number_print(*(const uint64_t *)field, no_units, out);
}

static void
size_print(const void *field, struct buf *out)
{
	number_print(*(const uint64_t *)field, size_units, out);
}

static void
time_print(const void *field, struct buf *out)
{
	number_print(*(const uint64_t *)field, time_units, out);
}

static void
ms_print(const void *field, struct buf *out)
{
	number_print(*(const uint64_t *)field, ms_units, out);
}

static void
number_fini(void *field)
{
	*(uint64_t *)field = 0;
}

static int
flag_parse(const struct conf_key *k, struct span v, void *field,
    struct buf *why)
{
	(void)k;
	if (span_eq(v, SPAN("yes")) || span_eq(v, SPAN("no"))) {
		*(bool *)field = v.p[0] == 'y';
		return 0;
	}
	buf_str(why, "neither yes nor no; write one of them");
	return -1;
}

static void
flag_print(const void *field, struct buf *out)
{
	buf_str(out, *(const bool *)field ? "yes" : "no");
}

static void
flag_fini(void *field)
{
	*(bool *)field = false;
}

const struct conf_type conf_type_text = { "text", text_parse, string_print,
	string_fini };
const struct conf_type conf_type_domain = { "domain", domain_parse,
	string_print, string_fini };
const struct conf_type conf_type_host = { "host name", host_parse,
	string_print, string_fini };
const struct conf_type conf_type_path = { "path", path_parse, string_print,
	string_fini };
const struct conf_type conf_type_file = { "file", file_parse, string_print,
	string_fini };
const struct conf_type conf_type_user = { "account", user_parse, string_print,
	string_fini };
const struct conf_type conf_type_mailbox = { "address", mailbox_parse,
	string_print, string_fini };
const struct conf_type conf_type_log = { "log", log_parse, string_print,
	string_fini };
const struct conf_type conf_type_choice = { "word", choice_parse, string_print,
	string_fini };
const struct conf_type conf_type_relay = { "host", relay_parse, string_print,
	string_fini };
const struct conf_type conf_type_number = { "number", number_parse,
	plain_print, number_fini };
const struct conf_type conf_type_size = { "size", size_parse, size_print,
	number_fini };
const struct conf_type conf_type_time = { "time", time_parse, time_print,
	number_fini };
const struct conf_type conf_type_ms = { "short time", ms_parse, ms_print,
	number_fini };
const struct conf_type conf_type_flag = { "flag", flag_parse, flag_print,
	flag_fini };
