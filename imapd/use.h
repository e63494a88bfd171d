/* use: special-use attributes of folders, RFC 6154 2. */
#ifndef IMAPD_USE_H
#define IMAPD_USE_H

#include "lib/span.h"

struct imap_out;

enum { USE_ALL = 64 | 128 | 256 | 512 | 1024 | 2048 | 4096 };

unsigned use_bit(struct span flag); /* FA_SENT of "\Sent"; 0: none */
void use_out(struct imap_out *, unsigned attrs); /* "\Sent" as items */

#endif
