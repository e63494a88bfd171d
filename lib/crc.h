/* crc: CRC-32C (Castagnoli, RFC 3720 B.4) of bytes; start with 0. */
#ifndef LIB_CRC_H
#define LIB_CRC_H

#include <stddef.h>
#include <stdint.h>

uint32_t crc32c(uint32_t crc, const void *p, size_t n);
/* The same without help of the processor; for its test. */
uint32_t crc32c_portable(uint32_t crc, const void *p, size_t n);

#endif
