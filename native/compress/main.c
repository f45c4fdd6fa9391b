/*
 * compress [--threads N] ENCODING...: the encodings gzip-1 and zstd-1 of layer format 1 (docs/formats.md), and the
 * digest of what is encoded.
 *
 * Input and output are records of a kind (1 byte), a size (4 bytes, little endian), and that many bytes.
 *
 * Input: segments, each of any number of `B` (bytes), `F` (a file, by its size, 8 bytes, little endian, and its path: the
 * bytes in it; after a zero byte may follow what the caller calls it) and `D` (bytes that count for the digest alone), up
 * to `E`, which is empty. Input that ends within a segment is an error. A file that cannot be read or is not exactly as
 * long as was said ends the program.
 *
 * Output, in an order that depends on the segments alone: 1 gzip-1, 2 zstd-1, 3 end of segment, 4 a file's fault. The
 * bytes of one encoding, put together, are the segment in that encoding: every MiB one gzip member, every 8 MiB one
 * zstd frame. The end holds how many bytes count for the digest (8 bytes, little endian), and their SHA-256 in hex. A
 * fault holds the number of the error (4 bytes, little endian; 0 for another length) and the record of the file.
 */
#include "compress.h"
#include "pieces.h"

#include <libdeflate.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

/*
 * Past four threads files cannot be read and hashed fast enough. Memory is bounded by the slabs, whatever the number of
 * threads: one of a zstd frame and its outputs can take 24 MiB, but rarely takes 13, one of a gzip member 2 MiB. With
 * three of zstd one is filled while two are compressed, which two processors need to have work all the time; with
 * gzip beside it there is always work, and not the memory.
 */
enum { MOST_THREADS = 4, ZSTD_SLABS = 3, BOTH_SLABS = 2, MOST_GZIP_SLABS = 9 };

static const char help[] =
    "usage: compress [--threads N] gzip-1|zstd-1...\n"
    "Compress segments of layers; formats of input and output are in the source.\n"
    "Example: printf 'B\\5\\0\\0\\0helloE\\0\\0\\0\\0' | compress gzip-1 | tail -c +6 | head -c -77 | zcat\n";

bool with_gzip, with_zstd;

_Noreturn void die(const char *doing, const char *why)
{
	fprintf(stderr, "compress: %s: %s\n", doing, why);
	_exit(1);
}

void *need(void *memory)
{
	if (!memory)
		die("allocate", "no memory");
	return memory;
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
#ifdef __GLIBC__
	/*
	 * Else each thread keeps what it has freed for itself, and what one is freed of another cannot use; and once a large
	 * block was freed, blocks as large come from the heap, which is given back only from its end.
	 */
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_MMAP_THRESHOLD, 256 * 1024);
#endif
	size_t slab_size = with_zstd ? ZSTD_PIECE : GZIP_PIECE;
	unsigned gzip_slabs = 2 * threads + 1 < MOST_GZIP_SLABS ? 2 * threads + 1 : MOST_GZIP_SLABS;
	unsigned slabs = with_zstd ? (with_gzip ? BOTH_SLABS : ZSTD_SLABS) : gzip_slabs;
	/* Slabs have a byte more than they hold, see add_file. */
	start_queue(slabs, slab_size + 1);
	pthread_t worker, writer;
	start_thread(&writer, write_pieces);
	start_thread(&worker, hash_pieces);
	for (unsigned i = 0; i < threads; i++)
		start_thread(&worker, compress_pieces);
	const char *unreadable = read_segments(slab_size);
	close_queue();
	pthread_join(writer, NULL);
	if (unreadable)
		die(unreadable, "cannot be read, or is not as long as was said");
	return 0;
}
