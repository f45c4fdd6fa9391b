#include "sha256.h"
#include "blocks.h"

#include <string.h>

const uint32_t sha256_constants[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static inline uint32_t turn(uint32_t word, int by)
{
	return word >> by | word << (32 - by);
}

static inline void round_of(uint32_t a, uint32_t b, uint32_t c, uint32_t *d, uint32_t e, uint32_t f, uint32_t g,
	uint32_t *h, uint32_t word)
{
	uint32_t one = *h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + word;
	*d += one;
	*h = one + (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
}

#define ROUND(a, b, c, d, e, f, g, h, i) \
	round_of(s[a], s[b], s[c], s + d, s[e], s[f], s[g], s + h, sha256_constants[i] + w[i])

static void by_words(uint32_t state[8], const unsigned char *data, size_t blocks)
{
	for (; blocks > 0; blocks--) {
		uint32_t w[64], s[8];
		for (int i = 0; i < 16; i++, data += 4)
			w[i] = (uint32_t)data[0] << 24 | (uint32_t)data[1] << 16 | (uint32_t)data[2] << 8 | data[3];
		for (int i = 16; i < 64; i++) {
			uint32_t low = turn(w[i - 15], 7) ^ turn(w[i - 15], 18) ^ w[i - 15] >> 3;
			uint32_t high = turn(w[i - 2], 17) ^ turn(w[i - 2], 19) ^ w[i - 2] >> 10;
			w[i] = w[i - 16] + low + w[i - 7] + high;
		}
		memcpy(s, state, sizeof s);
		/* Eight rounds at a time, after which every word is at its place again. */
		for (int i = 0; i < 64; i += 8) {
			ROUND(0, 1, 2, 3, 4, 5, 6, 7, i);
			ROUND(7, 0, 1, 2, 3, 4, 5, 6, i + 1);
			ROUND(6, 7, 0, 1, 2, 3, 4, 5, i + 2);
			ROUND(5, 6, 7, 0, 1, 2, 3, 4, i + 3);
			ROUND(4, 5, 6, 7, 0, 1, 2, 3, i + 4);
			ROUND(3, 4, 5, 6, 7, 0, 1, 2, i + 5);
			ROUND(2, 3, 4, 5, 6, 7, 0, 1, i + 6);
			ROUND(1, 2, 3, 4, 5, 6, 7, 0, i + 7);
		}
		for (int i = 0; i < 8; i++)
			state[i] += s[i];
	}
}

void sha256_start(struct sha256 *hash)
{
	static const uint32_t state[8] = {
		0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
	};
	memcpy(hash->state, state, sizeof state);
	hash->length = 0;
	hash->blocks = sha256_in_hardware();
	if (!hash->blocks)
		hash->blocks = by_words;
}

void sha256_update(struct sha256 *hash, const unsigned char *data, size_t length)
{
	size_t filled = hash->length % 64;
	hash->length += length;
	if (filled > 0) {
		size_t part = length < 64 - filled ? length : 64 - filled;
		memcpy(hash->block + filled, data, part);
		data += part;
		length -= part;
		if (filled + part < 64)
			return;
		hash->blocks(hash->state, hash->block, 1);
	}
	hash->blocks(hash->state, data, length / 64);
	memcpy(hash->block, data + length / 64 * 64, length % 64);
}

void sha256_finish(struct sha256 *hash, char text[65])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char end[72] = {0x80};
	uint64_t bits = hash->length * 8;
	size_t filled = hash->length % 64, padding = (filled < 56 ? 56 : 120) - filled;
	for (int i = 0; i < 8; i++)
		end[padding + (size_t)i] = (unsigned char)(bits >> (56 - 8 * i));
	sha256_update(hash, end, padding + 8);
	for (int i = 0; i < 64; i++)
		text[i] = digits[hash->state[i / 8] >> (28 - 4 * (i % 8)) & 15];
	text[64] = '\0';
}
