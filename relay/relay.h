/* relay: what all parts of this process share. */
#ifndef RELAY_RELAY_H
#define RELAY_RELAY_H

#include "lib/conf.h"

struct daemon;
struct map;
struct tls_client;

struct relay {
	const struct conf *conf;
	struct tls_client *tls;
	struct map *tls_policy, *passwords;
	unsigned sessions; /* connections */
	unsigned maps;     /* another number when a map is new */
	bool leaving;      /* no connection is kept, the last one out ends it */
};

extern struct relay relay;

/* Something ended: ends the process if it was the last and we are leaving. */
void relay_left(void);

/*
 * What became of a recipient, or of an attempt. The text is any bytes, as the
 * other host said it, or our own words.
 */
struct verdict {
	int code;          /* 250, 4xx, 5xx */
	char enhanced[12];
	bool host_down;    /* it was not there, or served nobody */
	bool crowded;      /* it was not asked: enough others talk to it */
	bool theirs;       /* the other host said it */
	size_t n;
	char text[511];
};

/* Our own words. */
void verdict_set(struct verdict *, int code, const char *enhanced,
    bool host_down, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

struct smtp_reply;
/* What they said; code instead of theirs if it is not 0. */
void verdict_reply(struct verdict *, const struct smtp_reply *, int code);

#endif
