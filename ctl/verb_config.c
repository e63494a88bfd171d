/*
 * verb_config: the settings in effect, and the table of keys.
 */
#include <stdio.h>
#include <string.h>

#include "ctl/ctl.h"
#include "lib/limits.h"

static int
keys_print(void)
{
	struct conf_key_info k;

	for (size_t i = 0; i < conf_keys_count(); i++) {
		conf_key_info(i, &k);
		printf("%s\n\t%s\n\ttype %s, default %s", k.name, k.what,
		    k.type, k.def[0] != '\0' ? k.def : "(none)");
		if (k.max[0] != '\0')
			printf(", from %s to %s",
			    k.min[0] != '\0' ? k.min : "0", k.max);
		putchar('\n');
	}
	return EX_OK;
}

/* The table holds no character that JSON would want escaped. */
static int
keys_json(void)
{
	struct conf_key_info k;

	putchar('[');
	for (size_t i = 0; i < conf_keys_count(); i++) {
		conf_key_info(i, &k);
		printf("%s\n{\"key\":\"%s\",\"type\":\"%s\",\"default\":\"%s\","
		       "\"min\":\"%s\",\"max\":\"%s\",\"what\":\"%s\"}",
		    i > 0 ? "," : "", k.name, k.type, k.def, k.min, k.max,
		    k.what);
	}
	puts("\n]");
	return EX_OK;
}

static int
value_print(const struct ctl *c, const char *key)
{
	const char *guess = conf_key_guess(span_str(key));
	struct buf out;
	int rc;

	buf_init(&out, CONF_FILE_MAX);
	if (conf_write_key(c->conf, span_str(key), &out) == -1) {
		rc = ctl_fail(EX_USAGE, "there is no key \"%s\"%s%s", key,
		    guess != NULL ? "; did you mean " : "",
		    guess != NULL ? guess : "");
	} else {
		buf_char(&out, '\n');
		rc = ctl_print(&out);
	}
	buf_fini(&out);
	return rc;
}

int
verb_config(struct ctl *c, int argc, char **argv)
{
	bool changed = false;
	struct buf out;
	int rc;

	if (argc > 1 && strcmp(argv[1], "--keys") == 0)
		return argc > 2 && strcmp(argv[2], "--json") == 0
		    ? keys_json() : keys_print();
	if (argc > 2)
		return ctl_usage("config: one key at a time");
	if ((rc = ctl_conf(c)) != EX_OK)
		return rc;
	if (argc == 2 && argv[1][0] != '-')
		return value_print(c, argv[1]);
	if (argc == 2) {
		if (strcmp(argv[1], "--changed") != 0)
			return ctl_usage("config: what is \"%s\"?", argv[1]);
		changed = true;
	}
	buf_init(&out, 4 * CONF_FILE_MAX);
	conf_write(c->conf, changed, &out);
	rc = ctl_print(&out);
	buf_fini(&out);
	return rc;
}
