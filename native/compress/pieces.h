/* Pieces of segments on their way from the reader over the workers to the writer, in the order of reading. */
#ifndef PIECES_H
#define PIECES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum kind { GZIP = 1, ZSTD = 2, END = 3 };

enum { MIB = 1 << 20, GZIP_PIECE = MIB, ZSTD_PIECE = 8 * MIB };

/* Input of one or more pieces; free again when all of them are written, which bounds the memory of outputs too. */
struct slab {
	uint8_t *bytes;
	unsigned users;
};

struct piece {
	enum kind kind;
	struct slab *slab;
	const uint8_t *in;
	size_t in_size;
	uint8_t *out;
	size_t out_size;
	bool done;
};

void start_queue(unsigned slabs, size_t slab_size);

/* Reader: waits until a slab is free, and is its first user. */
struct slab *take_slab(void);
void let_go(struct slab *slab);
/* Reader: waits while the queue is full. */
void put_piece(enum kind kind, struct slab *slab, const uint8_t *in, size_t in_size);

/* Workers: the next piece to compress, waiting for one. */
struct piece *next_piece(void);
/* Workers: `out` now belongs to the queue. */
void finish_piece(struct piece *piece, uint8_t *out, size_t out_size);

/* Writer: waits for the oldest piece to be done; false when the reader has closed and nothing is left. */
bool oldest_piece(struct piece *piece);
void close_queue(void);

void *need(void *memory);
_Noreturn void die(const char *doing, const char *why);

#endif
