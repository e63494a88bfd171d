/*
 * parameter: "KEYWORD=value" behind the address of MAIL and RCPT, RFC 5321
 * 4.1.2. What a keyword means is the program's business.
 */
#ifndef LIB_PARAMETER_H
#define LIB_PARAMETER_H

#include "lib/span.h"

/*
 * Takes the next one off *in. 1: keyword and value are set (value empty
 * without "="); 0: no more; -1: malformed, *in is then of no use.
 */
int parameter_next(struct span *in, struct span *keyword, struct span *value);

#endif
