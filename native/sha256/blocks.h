/* The compression function of SHA-256 over whole blocks, in every way that this program may have. */
#ifndef SHA256_BLOCKS_H
#define SHA256_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

typedef void sha256_blocks(uint32_t state[8], const unsigned char *data, size_t blocks);

extern const uint32_t sha256_constants[64];

/* By instructions that this processor has for it; NULL where it has none. */
sha256_blocks *sha256_in_hardware(void);

#endif
