/*
 * hash: SipHash (Aumasson and Bernstein, 2012) with one compression and
 * three finalization rounds, enough against chosen keys in tables.
 */
#include "lib/hash.h"

#include <string.h>
#include <unistd.h>

#include "lib/die.h"

struct sip {
	uint64_t a, b, c, d;
};

static inline uint64_t
rotl(uint64_t v, unsigned n)
{
	return v << n | v >> (64 - n);
}

static inline void
sip_round(struct sip *s)
{
	s->a += s->b;
	s->b = rotl(s->b, 13) ^ s->a;
	s->a = rotl(s->a, 32);
	s->c += s->d;
	s->d = rotl(s->d, 16) ^ s->c;
	s->a += s->d;
	s->d = rotl(s->d, 21) ^ s->a;
	s->c += s->b;
	s->b = rotl(s->b, 17) ^ s->c;
	s->c = rotl(s->c, 32);
}

/* Little-endian, whatever the machine; n <= 8. */
static inline uint64_t
load(const char *p, size_t n)
{
	uint64_t v = 0;
	size_t i;

	for (i = 0; i < n; i++)
		v |= (uint64_t)(unsigned char)p[i] << (8 * i);
	return v;
}

static void
sip_word(struct sip *s, uint64_t w)
{
	s->d ^= w;
	sip_round(s);
	s->a ^= w;
}

static uint64_t
sip_hash(struct span in, uint64_t k0, uint64_t k1)
{
	struct sip s = { k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d,
		k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573 };
	uint64_t total = (uint64_t)in.n << 56;

	while (in.n >= 8)
		sip_word(&s, load(span_take(&in, 8).p, 8));
	sip_word(&s, total | load(in.p, in.n));
	s.c ^= 0xff;
	sip_round(&s);
	sip_round(&s);
	sip_round(&s);
	return s.a ^ s.b ^ s.c ^ s.d;
}

uint64_t
hash_keyed(struct span s)
{
	static uint64_t key[2];
	static bool keyed;

	if (!keyed) {
		random_bytes(key, sizeof(key));
		keyed = true;
	}
	return sip_hash(s, key[0], key[1]);
}

uint64_t
hash_plain64(struct span s, uint64_t seed)
{
	return sip_hash(s, seed, 0);
}

void
random_bytes(void *p, size_t n)
{
	enum { PIECE = 256 }; /* getentropy(3) gives no more at once */
	char *at = p;
	size_t piece;

	while (n > 0) {
		piece = n < PIECE ? n : PIECE;
		if (getentropy(at, piece) == -1)
			die("getentropy");
		at += piece;
		n -= piece;
	}
}
