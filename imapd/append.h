/* append: APPEND, whose message is taken off the wire as it comes. */
#ifndef IMAPD_APPEND_H
#define IMAPD_APPEND_H

#include <stdbool.h>
#include <stddef.h>

struct session;

/*
 * The first n bytes of s->command are there and a literal follows: is that
 * the message of an APPEND (RFC 3501 6.3.11)? Uses s->scratch.
 */
bool append_message_next(struct session *, size_t n);

#endif
