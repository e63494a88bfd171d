/* fold_table: see fold_table.c; for lib/fold.c only. */
#ifndef LIB_FOLD_TABLE_H
#define LIB_FOLD_TABLE_H

#include <stdint.h>

enum { FOLD_RANGES = 201, FOLD_PAIRS = 1033 };

struct fold_range {
	uint32_t from, to;
	uint8_t every; /* each letter, or each second one */
	int32_t add;
};
struct fold_pair {
	uint16_t letter, base, mark;
};

/* Both in order. */
extern const struct fold_range fold_ranges[FOLD_RANGES];
extern const struct fold_pair fold_pairs[FOLD_PAIRS];

#endif
