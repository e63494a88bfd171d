/*
 * crc: by the processor where it knows how (SSE 4.2),
 * else eight bytes at a time by tables made at first use.
 */
#include "lib/crc.h"

#include <stdbool.h>
#include <string.h>

enum { CRC_SLICES = 8 };

static uint32_t table[CRC_SLICES][256];

static void
table_make(void)
{
	uint32_t c, i, k;

	for (i = 0; i < 256; i++) {
		c = i;
		for (k = 0; k < 8; k++) /* the polynomial, reflected */
			c = (c & 1) != 0 ? c >> 1 ^ 0x82f63b78 : c >> 1;
		table[0][i] = c;
	}
	for (i = 0; i < 256; i++)
		for (k = 1; k < CRC_SLICES; k++)
			table[k][i] = table[k - 1][i] >> 8 ^
			    table[0][table[k - 1][i] & 0xff];
}

static inline uint32_t
load32(const unsigned char *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	    (uint32_t)p[3] << 24;
}

static uint32_t
crc_by_table(uint32_t c, const unsigned char *p, size_t n)
{
	static bool made;
	uint32_t lo, hi;

	if (!made) {
		table_make();
		made = true;
	}
	for (; n >= 8; n -= 8, p += 8) {
		lo = c ^ load32(p);
		hi = load32(p + 4);
		c = table[7][lo & 0xff] ^ table[6][lo >> 8 & 0xff] ^
		    table[5][lo >> 16 & 0xff] ^ table[4][lo >> 24] ^
		    table[3][hi & 0xff] ^ table[2][hi >> 8 & 0xff] ^
		    table[1][hi >> 16 & 0xff] ^ table[0][hi >> 24];
	}
	for (; n > 0; n--, p++)
		c = table[0][(c ^ *p) & 0xff] ^ c >> 8;
	return c;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t
crc_by_cpu(uint32_t c, const unsigned char *p, size_t n)
{
	uint64_t w, c64 = c;

	for (; n >= 8; n -= 8, p += 8) {
		memcpy(&w, p, 8);
		c64 = __builtin_ia32_crc32di(c64, w);
	}
	c = (uint32_t)c64;
	for (; n > 0; n--, p++)
		c = __builtin_ia32_crc32qi(c, *p);
	return c;
}

static bool
cpu_can(void)
{
	return __builtin_cpu_supports("sse4.2") != 0;
}
#else
static uint32_t
crc_by_cpu(uint32_t c, const unsigned char *p, size_t n)
{
	return crc_by_table(c, p, n);
}

static bool
cpu_can(void)
{
	return false;
}
#endif

uint32_t
crc32c(uint32_t crc, const void *p, size_t n)
{
	return ~(cpu_can() ? crc_by_cpu : crc_by_table)(~crc, p, n);
}

uint32_t
crc32c_portable(uint32_t crc, const void *p, size_t n)
{
	return ~crc_by_table(~crc, p, n);
}
