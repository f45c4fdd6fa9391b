/* SHA-256 (FIPS 180-4), by the instructions that the processor has for it, or without. */
#ifndef SHA256_H
#define SHA256_H

#include <stddef.h>
#include <stdint.h>

struct sha256 {
	uint32_t state[8];
	uint64_t length;
	unsigned char block[64];
	void (*blocks)(uint32_t state[8], const unsigned char *data, size_t blocks);
};

void sha256_start(struct sha256 *hash);
void sha256_update(struct sha256 *hash, const unsigned char *data, size_t length);
/* 64 hex digits and a zero byte. */
void sha256_finish(struct sha256 *hash, char text[65]);

#endif
