/* What the parts of the compressor share. */
#ifndef COMPRESS_H
#define COMPRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

extern bool with_gzip, with_zstd;

/* The threads: they compress, hash and write until the process ends, or the queue is closed. */
void *compress_pieces(void *unused);
void *hash_pieces(void *unused);
void *write_pieces(void *unused);

/* Reads every segment of the input. What could not be read, if that is a file: then the rest has not been read. */
const char *read_segments(size_t slab_size);

void *need(void *memory);
_Noreturn void die(const char *doing, const char *why);

static inline void put_number(uint8_t *into, uint64_t number, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		into[i] = (uint8_t)(number >> (8 * i));
}

static inline uint64_t get_number(const uint8_t *from, size_t bytes)
{
	uint64_t number = 0;
	for (size_t i = bytes; i > 0; i--)
		number = number << 8 | from[i - 1];
	return number;
}

#endif
