/*
 * compress [--threads N] ENCODING...: the encodings gzip-1 and zstd-1 of layer format 1 (docs/formats.md).
 *
 * Input: segments, each in chunks of any size (4 bytes, little endian, then that many bytes) up to a chunk of
 * no bytes. Output, in an order that depends on the segments alone: records of a kind (1 byte: 1 gzip-1,
 * 2 zstd-1, 3 end of segment), a size (4 bytes, little endian), and that many bytes. The bytes of one kind, put
 * together, are the segment in that encoding: every MiB one gzip member, every 8 MiB one zstd frame. Input that
 * ends within a segment is an error.
 */
#include "pieces.h"

#include <errno.h>
#include <libdeflate.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

/*
 * Past four threads the caller cannot write tar fast enough. Memory is bounded by the slabs, whatever the number of
 * threads: one of a zstd frame and its outputs can take 24 MiB, but rarely takes 13, one of a gzip member 2 MiB. With
 * three of zstd one is filled while two are compressed, which two processors need to have work all the time; with
 * gzip beside it there is always work, and not the memory.
 */
enum { GZIP_LEVEL = 6, ZSTD_LEVEL = 3, MOST_THREADS = 4, ZSTD_SLABS = 3, BOTH_SLABS = 2, MOST_GZIP_SLABS = 9 };

static const char help[] =
    "usage: compress [--threads N] gzip-1|zstd-1...\n"
    "Compress segments of layers; formats of input and output are in the source.\n"
    "Example: printf '\\5\\0\\0\\0hello\\0\\0\\0\\0' | compress gzip-1 | tail -c +6 | head -c -5 | zcat\n";

static bool with_gzip, with_zstd;

_Noreturn void die(const char *doing, const char *why)
{
	fprintf(stderr, "compress: %s: %s\n", doing, why);
	_exit(1);
}

/* Reads `size` bytes; false when the input ends before the first one, if that is allowed. */
static bool read_all(uint8_t *into, size_t size, bool may_end)
{
	for (size_t have = 0; have < size;) {
		ssize_t n = read(STDIN_FILENO, into + have, size - have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			die("read", strerror(errno));
		if (n == 0 && have == 0 && may_end)
			return false;
		if (n == 0)
			die("read", "the input ends within a segment");
		have += (size_t)n;
	}
	return true;
}

static void write_all(const uint8_t *from, size_t size)
{
	while (size > 0) {
		ssize_t n = write(STDOUT_FILENO, from, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			die("write", strerror(errno));
		from += n;
		size -= (size_t)n;
	}
}

static void gzip_piece(struct libdeflate_compressor *compressor, struct piece *piece)
{
	size_t bound = libdeflate_gzip_compress_bound(compressor, piece->in_size);
	uint8_t *out = need(malloc(bound));
	size_t size = libdeflate_gzip_compress(compressor, piece->in, piece->in_size, out, bound);
	if (size == 0)
		die("gzip-1", "libdeflate failed");
	finish_piece(piece, out, size);
}

/* A fresh context for each piece, so that no piece can depend on an earlier one. */
static void zstd_piece(struct piece *piece)
{
	size_t bound = ZSTD_compressBound(piece->in_size);
	uint8_t *out = need(malloc(bound));
	ZSTD_CCtx *context = need(ZSTD_createCCtx());
	if (ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, ZSTD_LEVEL)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 1)))
		die("zstd-1", "zstd refuses its parameters");
	size_t size = ZSTD_compress2(context, out, bound, piece->in, piece->in_size);
	if (ZSTD_isError(size))
		die("zstd-1", ZSTD_getErrorName(size));
	ZSTD_freeCCtx(context);
	finish_piece(piece, out, size);
}

static void *work(void *unused)
{
	struct libdeflate_compressor *compressor = need(libdeflate_alloc_compressor(GZIP_LEVEL));
	for (;;) {
		struct piece *piece = next_piece();
		if (piece->kind == GZIP)
			gzip_piece(compressor, piece);
		else
			zstd_piece(piece);
	}
	return unused;
}

static void *write_out(void *unused)
{
	struct piece piece;
	while (oldest_piece(&piece)) {
		uint8_t header[5] = {(uint8_t)piece.kind};
		for (int i = 0; i < 4; i++)
			header[1 + i] = (uint8_t)(piece.out_size >> (8 * i));
		write_all(header, sizeof header);
		write_all(piece.out, piece.out_size);
		free(piece.out);
		if (piece.slab)
			let_go(piece.slab);
	}
	return unused;
}

/* What is left of the chunk that is being read, and whether the segment's last one has been. */
static uint32_t chunk_left;
static bool ended;

/* False if there is no chunk, which is only allowed between segments. */
static bool next_chunk(bool first)
{
	uint8_t header[4];
	if (!read_all(header, sizeof header, first))
		return false;
	chunk_left = 0;
	for (int i = 3; i >= 0; i--)
		chunk_left = chunk_left << 8 | header[i];
	ended = chunk_left == 0;
	return true;
}

/* Reads `size` bytes of the segment, fewer only at its end. */
static size_t read_piece(uint8_t *into, size_t size)
{
	size_t have = 0;
	while (have < size && !ended) {
		size_t part = size - have < chunk_left ? size - have : chunk_left;
		read_all(into + have, part, false);
		have += part;
		chunk_left -= (uint32_t)part;
		if (chunk_left == 0 && have < size)
			next_chunk(false);
	}
	return have;
}

/* One slab: its gzip pieces while it fills, then its zstd piece, so both encodings cut at the same places. */
static void read_slab(size_t slab_size)
{
	struct slab *slab = take_slab();
	size_t have = 0;
	while (have < slab_size && !ended) {
		size_t size = read_piece(slab->bytes + have, GZIP_PIECE);
		if (with_gzip && size > 0)
			put_piece(GZIP, slab, slab->bytes + have, size);
		have += size;
	}
	if (with_zstd && have > 0)
		put_piece(ZSTD, slab, slab->bytes, have);
	let_go(slab);
}

static void read_segments(size_t slab_size)
{
	while (next_chunk(true)) {
		while (!ended)
			read_slab(slab_size);
		put_piece(END, NULL, NULL, 0);
	}
}

static unsigned usable_cpus(void)
{
	cpu_set_t set;
	if (sched_getaffinity(0, sizeof set, &set) < 0)
		return 1;
	int count = CPU_COUNT(&set);
	return count < 1 ? 1 : count > MOST_THREADS ? MOST_THREADS : (unsigned)count;
}

static void start_thread(pthread_t *thread, void *(*run)(void *))
{
	int error = pthread_create(thread, NULL, run, NULL);
	if (error)
		die("start a thread", strerror(error));
}

int main(int argc, char **argv)
{
	unsigned threads = usable_cpus();
	bool bad = argc < 2;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "gzip-1") == 0) {
			with_gzip = true;
		} else if (strcmp(argv[i], "zstd-1") == 0) {
			with_zstd = true;
		} else if (strcmp(argv[i], "--threads") == 0 && i + 1 < argc) {
			threads = (unsigned)strtoul(argv[++i], NULL, 10);
		} else if (strcmp(argv[i], "--help") == 0) {
			return fputs(help, stdout) < 0;
		} else if (strcmp(argv[i], "--version") == 0) {
			return printf("compress, gzip-1: libdeflate %s, zstd-1: zstd %s\n", LIBDEFLATE_VERSION_STRING,
			              ZSTD_versionString()) < 0;
		} else {
			bad = true;
		}
	}
	if (bad || !(with_gzip || with_zstd) || threads < 1 || threads > 64) {
		fputs(help, stderr);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	size_t slab_size = with_zstd ? ZSTD_PIECE : GZIP_PIECE;
	unsigned gzip_slabs = 2 * threads + 1 < MOST_GZIP_SLABS ? 2 * threads + 1 : MOST_GZIP_SLABS;
	unsigned slabs = with_zstd ? (with_gzip ? BOTH_SLABS : ZSTD_SLABS) : gzip_slabs;
	start_queue(slabs, slab_size);
	pthread_t worker, writer;
	start_thread(&writer, write_out);
	for (unsigned i = 0; i < threads; i++)
		start_thread(&worker, work);
	read_segments(slab_size);
	close_queue();
	pthread_join(writer, NULL);
	return 0;
}
