/*
 * imap: the not authenticated state of RFC 3501 6.1 and 6.2; after it imapd
 * speaks, and answers the tag of the login.
 */
#ifndef LOGIN_IMAP_H
#define LOGIN_IMAP_H

#include "login/front.h"

extern const struct protocol imap;

#endif
