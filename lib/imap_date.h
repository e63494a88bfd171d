/* imap_date: date and date-time of RFC 3501 9. */
#ifndef LIB_IMAP_DATE_H
#define LIB_IMAP_DATE_H

#include "lib/span.h"

/*
 * date-time, with its quotes: *when is seconds since the epoch,
 * *zone minutes east. Date, with quotes or without: *day is days since then.
 */
int imap_date_time(struct span *in, int64_t *when, int *zone);
int imap_date(struct span *in, int64_t *day);

#endif
