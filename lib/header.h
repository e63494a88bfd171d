/*
 * header: RFC 5322 message headers, one field at a time; linear, no copies,
 * hostile input never errors: what is no field ends the header.
 */
#ifndef LIB_HEADER_H
#define LIB_HEADER_H

#include "lib/span.h"

struct header_field {
	struct span name;  /* as written */
	struct span value; /* after the colon, folds included, no final EOL */
	struct span whole; /* the lines, final EOL included */
};

/*
 * Takes the next field off *in (LF or CR LF lines). false: no field here;
 * *in is then at the blank line (which it still holds) or at the body.
 */
bool header_next(struct span *in, struct header_field *);

/* Date field, RFC 5322 3.3: "Sat, 21 Nov 2026 08:37:00 +0000". */
struct buf;
void header_date(struct buf *, int64_t when);

#endif
