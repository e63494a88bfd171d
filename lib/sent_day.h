/*
 * sent_day: the day in a Date field (RFC 5322 3.3, 4.3), as its writer's
 * clock had it: RFC 3501 6.4.4 SENTON disregards time and zone.
 */
#ifndef LIB_SENT_DAY_H
#define LIB_SENT_DAY_H

#include "lib/span.h"

/*
 * value: of the field, unfolded or not. Days since the epoch. -1: there is
 * none in it. Forgiving: comments, a weekday or none, years of two digits, and
 * what ctime(3) writes ("Sat Nov 21 08:37:00 2026").
 */
int sent_day(struct span value, int64_t *day);

#endif
