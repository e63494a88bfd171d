/* clock: time that only goes forward, where there is no loop to ask. */
#ifndef LIB_CLOCK_H
#define LIB_CLOCK_H

#include <stdint.h>

uint64_t clock_ms(void); /* monotonic */

#endif
