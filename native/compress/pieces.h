/* Pieces of segments on their way from the reader over the workers to the writer, in the order of reading. */
#ifndef PIECES_H
#define PIECES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is written out has the number of its record; what is hashed is not written. */
enum kind { HASH = 0, GZIP = 1, ZSTD = 2, END = 3, FAULT = 4 };

/* Who works on a piece: any of the compressing threads, or the one that hashes, in order. FAULT needs nobody. */
enum lane { COMPRESS, DIGEST, LANES };

enum { MIB = 1 << 20, GZIP_PIECE = MIB, ZSTD_PIECE = 8 * MIB };

/* Input of one or more pieces; free again when all of them are written, which bounds the memory of outputs too. */
struct slab {
	uint8_t *bytes;
	unsigned users;
};

struct piece {
	enum kind kind;
	/* NULL where `in` is in none. */
	struct slab *slab;
	const uint8_t *in;
	size_t in_size;
	/* Allocated, and freed by the writer. */
	uint8_t *out;
	size_t out_size;
	bool done;
};

void start_queue(unsigned slabs, size_t slab_size);

/* Reader: waits until a slab is free, and is its first user. */
struct slab *take_slab(void);
void let_go(struct slab *slab);
/* Reader: waits while the queue is full. The piece becomes a user of its slab. */
void put_piece(struct piece piece);

/* Workers: the next piece of the lane, waiting for one. */
struct piece *next_piece(enum lane lane);
/* Workers: `out` now belongs to the queue. */
void finish_piece(struct piece *piece, uint8_t *out, size_t out_size);

/* Writer: waits for the oldest piece to be done; false when the reader has closed and nothing is left. */
bool oldest_piece(struct piece *piece);
void close_queue(void);

#endif
