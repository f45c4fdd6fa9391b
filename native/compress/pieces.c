#include "pieces.h"
#include "compress.h"

#include <pthread.h>
#include <stdlib.h>

/* Pieces at a time. */
enum { CAPACITY = 256 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

/* A ring: written <= put, and what a lane has taken lies between; counts from the start are places modulo CAPACITY. */
static struct piece ring[CAPACITY];
static size_t put, taken[LANES], written;
/*
 * Bytes of outputs that are being made, each as long as its input, or wait to be written. No piece is begun that would
 * make them more than the slabs hold. Pieces are begun in order, so the writer never waits for one that waits for it.
 */
static size_t held;
static bool closed;

static struct slab *slabs;
static unsigned slab_count;
static size_t bytes_in_slab;

void start_queue(unsigned count, size_t size)
{
	slab_count = count;
	bytes_in_slab = size;
	slabs = need(calloc(count, sizeof *slabs));
}

static struct slab *free_slab(void)
{
	for (unsigned i = 0; i < slab_count; i++)
		if (slabs[i].users == 0)
			return &slabs[i];
	return NULL;
}

struct slab *take_slab(void)
{
	struct slab *slab;
	pthread_mutex_lock(&mutex);
	while (!(slab = free_slab()))
		pthread_cond_wait(&changed, &mutex);
	slab->users = 1;
	pthread_mutex_unlock(&mutex);
	if (!slab->bytes)
		slab->bytes = need(malloc(bytes_in_slab));
	return slab;
}

void let_go(struct slab *slab)
{
	pthread_mutex_lock(&mutex);
	slab->users--;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&mutex);
}

void put_piece(struct piece piece)
{
	pthread_mutex_lock(&mutex);
	while (put - written == CAPACITY)
		pthread_cond_wait(&changed, &mutex);
	if (piece.slab)
		piece.slab->users++;
	ring[put++ % CAPACITY] = piece;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&mutex);
}

static bool is_compressed(const struct piece *piece)
{
	return piece->kind == GZIP || piece->kind == ZSTD;
}

static bool has_room(const struct piece *piece)
{
	return held == 0 || held + piece->in_size <= slab_count * bytes_in_slab;
}

static bool belongs_to(const struct piece *piece, enum lane lane)
{
	return !piece->done && is_compressed(piece) == (lane == COMPRESS);
}

struct piece *next_piece(enum lane lane)
{
	size_t *next = &taken[lane];
	pthread_mutex_lock(&mutex);
	for (;;) {
		if (*next < written)
			*next = written;
		while (*next < put && !belongs_to(&ring[*next % CAPACITY], lane))
			++*next;
		if (*next < put && (lane == DIGEST || has_room(&ring[*next % CAPACITY])))
			break;
		pthread_cond_wait(&changed, &mutex);
	}
	struct piece *piece = &ring[(*next)++ % CAPACITY];
	if (lane == COMPRESS)
		held += piece->in_size;
	pthread_mutex_unlock(&mutex);
	return piece;
}

void finish_piece(struct piece *piece, uint8_t *out, size_t out_size)
{
	pthread_mutex_lock(&mutex);
	piece->out = out;
	piece->out_size = out_size;
	piece->done = true;
	if (is_compressed(piece))
		held = held - piece->in_size + out_size;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&mutex);
}

bool oldest_piece(struct piece *piece)
{
	pthread_mutex_lock(&mutex);
	while (written < put ? !ring[written % CAPACITY].done : !closed)
		pthread_cond_wait(&changed, &mutex);
	bool found = written < put;
	if (found) {
		*piece = ring[written++ % CAPACITY];
		if (is_compressed(piece))
			held -= piece->out_size;
	}
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&mutex);
	return found;
}

void close_queue(void)
{
	pthread_mutex_lock(&mutex);
	closed = true;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&mutex);
}
