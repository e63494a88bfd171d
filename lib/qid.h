/*
 * qid: queue ids, unique on this host for ever (wall clock in microseconds,
 * ten random bits; never runs backwards within a process). As text eleven
 * characters of [0-9A-Za-z], which is also the spool file's name. Session
 * ids have the same form.
 */
#ifndef LIB_QID_H
#define LIB_QID_H

#include <stdint.h>

#include "lib/limits.h"
#include "lib/span.h"

enum { QID_LEN = 11 }; /* 62^11 > 2^64 */

uint64_t qid_new(void);
void qid_text(uint64_t qid, char text[QID_TEXT_MAX]);
int qid_parse(struct span, uint64_t *qid);

#endif
