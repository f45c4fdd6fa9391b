#include "../sha256/sha256.h"
#include "compress.h"
#include "pieces.h"

#include <stdlib.h>
#include <string.h>

enum { NUMBER = 8, DIGITS = 64 };

/* The digest of a segment is the output of its end: its size, and 64 hex digits. */
void *hash_pieces(void *unused)
{
	struct sha256 hash;
	sha256_start(&hash);
	for (;;) {
		struct piece *piece = next_piece(DIGEST);
		if (piece->kind == HASH) {
			sha256_update(&hash, piece->in, piece->in_size);
			finish_piece(piece, piece->out, 0);
		} else {
			char text[DIGITS + 1];
			uint8_t *out = need(malloc(NUMBER + DIGITS));
			put_number(out, hash.length, NUMBER);
			sha256_finish(&hash, text);
			memcpy(out + NUMBER, text, DIGITS);
			finish_piece(piece, out, NUMBER + DIGITS);
			sha256_start(&hash);
		}
	}
	return unused;
}
