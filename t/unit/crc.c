/* crc: RFC 3720 B.4, and that processor and tables agree. */
#include "lib/crc.h"

#include <string.h>

#include "t/unit/tap.h"

int
main(void)
{
	unsigned char b[300];
	uint32_t whole, parts;
	bool same = true, split = true;
	size_t i, n;

	memset(b, 0, 32);
	ok(crc32c(0, b, 32) == 0x8a9136aa, "32 bytes of zeros");
	memset(b, 0xff, 32);
	ok(crc32c(0, b, 32) == 0x62a8ab43, "32 bytes of ones");
	for (i = 0; i < 32; i++)
		b[i] = (unsigned char)i;
	ok(crc32c(0, b, 32) == 0x46dd794e, "32 incrementing bytes");
	for (i = 0; i < 32; i++)
		b[i] = (unsigned char)(31 - i);
	ok(crc32c(0, b, 32) == 0x113fdb5c, "32 decrementing bytes");
	ok(crc32c(0, "123456789", 9) == 0xe3069283, "the check value");
	ok(crc32c(0, b, 0) == 0, "nothing is 0");

	for (i = 0; i < sizeof(b); i++)
		b[i] = (unsigned char)(i * 7 + i / 3);
	for (n = 0; n < 64; n++) /* each length, each alignment */
		for (i = 0; i < 16; i++)
			same = same && crc32c((uint32_t)n, b + i, n) ==
			    crc32c_portable((uint32_t)n, b + i, n);
	ok(same, "processor and tables agree");
	whole = crc32c(0, b, sizeof(b));
	for (n = 0; n <= sizeof(b); n++) {
		parts = crc32c(crc32c(0, b, n), b + n, sizeof(b) - n);
		split = split && parts == whole;
	}
	ok(split, "in two parts as in one, split at every byte");
	return done();
}
