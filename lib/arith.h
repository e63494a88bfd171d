/*
 * arith: lengths from outside are added and multiplied here or nowhere.
 * Each returns true and touches *out only if the result fits.
 */
#ifndef LIB_ARITH_H
#define LIB_ARITH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool
size_add(size_t a, size_t b, size_t *out)
{
	size_t r;

	if (__builtin_add_overflow(a, b, &r))
		return false;
	*out = r;
	return true;
}

static inline bool
size_mul(size_t a, size_t b, size_t *out)
{
	size_t r;

	if (__builtin_mul_overflow(a, b, &r))
		return false;
	*out = r;
	return true;
}

#endif
