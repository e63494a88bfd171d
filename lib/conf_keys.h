/*
 * conf_keys: the table behind postern.conf(5), shared by lib/conf.c (file),
 * lib/conf_type.c, conf_list.c, conf_inet.c (values) and lib/conf_keys.c (the
 * table); nobody else includes this.
 */
#ifndef LIB_CONF_KEYS_H
#define LIB_CONF_KEYS_H

#include "lib/conf.h"

struct conf_key;

struct conf_type {
	const char *name; /* as the manual says it */
	/*
	 * Stores the value (unquoted, trimmed) into the field, which is in
	 * its initial, zeroed state. -1: why got "reason; remedy".
	 */
	int (*parse)(const struct conf_key *, struct span value, void *field,
	    struct buf *why);
	void (*print)(const void *field, struct buf *); /* parse reads it back */
	void (*fini)(void *field); /* back to the zeroed state */
};

struct conf_key {
	const char *name;
	const struct conf_type *type;
	size_t offset; /* of the field in struct conf */
	const char *def, *min, *max; /* as one would write them; "": none */
	const char *what;
};

extern const struct conf_key conf_keys[];
extern const size_t conf_nkeys;

void conf_list_print(const void *field, struct buf *);
void conf_list_fini(void *field);

/* Takes the next word of a list; blanks and commas are between words. */
struct span conf_word(struct span *);
/* A copy in lower case; NULL: a NUL is inside. */
char *conf_lower_dup(struct span);
/* -1: why got "reason; remedy". */
int conf_domain_check(struct span, struct buf *why);

extern const struct conf_type conf_type_text, conf_type_domain,
    conf_type_domains, conf_type_host, conf_type_path, conf_type_file,
    conf_type_user, conf_type_mailbox, conf_type_log, conf_type_choice,
    conf_type_relay, conf_type_number, conf_type_size, conf_type_time,
    conf_type_ms, conf_type_flag, conf_type_listen, conf_type_networks,
    conf_type_resolvers, conf_type_sockets, conf_type_folders,
    conf_type_users;

#endif
