/* crc: CRC-32C (Castagnoli, RFC 3720 B.4) of bytes; start with 0. */
#ifndef LIB_CRC_H
#define LIB_CRC_H

#include <stddef.h>
#include <stdint.h>

uint32_t crc32c(uint32_t crc, const void *p, size_t n);

#endif
