/* sent_day: any bytes have a day of this calendar, or none. */
#include "lib/sent_day.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	int64_t day = -1000000;

	if (sent_day(span_of(p, n), &day) == -1)
		assert(day == -1000000);
	else /* 0001-01-01 to 9999-12-31 */
		assert(day >= -719162 && day <= 2932896);
	return 0;
}
