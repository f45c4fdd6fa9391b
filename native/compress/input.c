#include "compress.h"
#include "pieces.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A record of the input: its kind and size, then so many bytes. */
enum record { BYTES = 'B', OF_FILE = 'F', DIGEST_ONLY = 'D', END_OF_SEGMENT = 'E' };

enum { HEADER = 5, BUFFER = 256 * 1024, MOST_NAMES = 32 * 1024 };

static uint8_t buffer[BUFFER];
static size_t next, end;

/* The slab that is being filled: how much it has, and up to where that is hashed, and cut into members of gzip. */
static struct slab *slab;
static size_t slab_size, have, hashed, cut;

/* Makes `size` bytes of the input be in the buffer, at `next`; false if it ends before the first and may. */
static bool look_ahead(size_t size, bool may_end)
{
	if (end - next >= size)
		return true;
	memmove(buffer, buffer + next, end - next);
	end -= next;
	next = 0;
	while (end < size) {
		ssize_t n = read(STDIN_FILENO, buffer + end, BUFFER - end);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			die("read", strerror(errno));
		if (n == 0 && end == 0 && may_end)
			return false;
		if (n == 0)
			die("read", "the input ends within a segment");
		end += (size_t)n;
	}
	return true;
}

static void hash_up_to(size_t to)
{
	if (to > hashed)
		put_piece((struct piece){HASH, slab, slab->bytes + hashed, to - hashed, NULL, 0, false});
	hashed = to;
}

static void cut_at(size_t to)
{
	hash_up_to(to);
	if (with_gzip)
		put_piece((struct piece){GZIP, slab, slab->bytes + cut, to - cut, NULL, 0, false});
	cut = to;
}

static void end_slab(void)
{
	if (!slab)
		return;
	if (have > cut)
		cut_at(have);
	if (with_zstd)
		put_piece((struct piece){ZSTD, slab, slab->bytes, have, NULL, 0, false});
	let_go(slab);
	slab = NULL;
}

/* How much can be put at `slab->bytes + have`, at least a byte, and then `add` be told of. */
static size_t room(void)
{
	if (!slab) {
		slab = take_slab();
		have = hashed = cut = 0;
	}
	return slab_size - have;
}

static void add(size_t size)
{
	have += size;
	while (have - cut >= GZIP_PIECE)
		cut_at(cut + GZIP_PIECE);
	if (have == slab_size)
		end_slab();
}

static void add_bytes(const uint8_t *from, size_t size)
{
	while (size > 0) {
		size_t most = room(), part = size < most ? size : most;
		memcpy(slab->bytes + have, from, part);
		add(part);
		from += part;
		size -= part;
	}
}

static void add_to_digest(const uint8_t *from, size_t size)
{
	uint8_t *own = need(malloc(size));
	memcpy(own, from, size);
	if (slab)
		hash_up_to(have);
	put_piece((struct piece){HASH, NULL, own, size, own, 0, false});
}

/* A record's bytes, as many at a time as are there. */
static void pass(size_t size, void (*take)(const uint8_t *from, size_t size))
{
	while (size > 0) {
		look_ahead(1, false);
		size_t part = size < end - next ? size : end - next;
		take(buffer + next, part);
		next += part;
		size -= part;
	}
}

/* 0, -1 if the file is not as long as it was said to be, or why it cannot be read. */
static int add_file(const char *path, uint64_t left)
{
	/* A link or fifo that has come in place of the file is neither followed nor waited for. */
	int file = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (file < 0)
		return errno;
	int error = 0;
	while (left > 0 && error == 0) {
		/* A byte more, to see in the same call whether it has grown: slabs have that byte. */
		size_t most = room(), wanted = left < most ? (size_t)left + 1 : most + (left == most);
		ssize_t n = read(file, slab->bytes + have, wanted);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			error = errno;
		else if (n == 0 || (uint64_t)n > left)
			error = -1;
		else
			add((size_t)n), left -= (uint64_t)n;
	}
	close(file);
	return error;
}

static const char *take_file(size_t size)
{
	static char names[MOST_NAMES + 1];
	if (size <= 8 || size > MOST_NAMES)
		die("read", "a file's name is too long, or there is none");
	look_ahead(size, false);
	const uint8_t *record = buffer + next;
	next += size;
	memcpy(names, record + 8, size - 8);
	names[size - 8] = '\0';
	int error = add_file(names, get_number(record, 8));
	if (error == 0)
		return NULL;
	uint8_t *out = need(malloc(4 + size));
	put_number(out, error < 0 ? 0 : (uint64_t)error, 4);
	memcpy(out + 4, record, size);
	put_piece((struct piece){FAULT, NULL, NULL, 0, out, 4 + size, true});
	return names;
}

const char *read_segments(size_t size_of_slab)
{
	slab_size = size_of_slab;
	for (bool within = false; look_ahead(HEADER, !within);) {
		uint8_t kind = buffer[next];
		size_t size = get_number(buffer + next + 1, 4);
		const char *unreadable = NULL;
		next += HEADER;
		within = kind != END_OF_SEGMENT;
		if (kind == BYTES)
			pass(size, add_bytes);
		else if (kind == DIGEST_ONLY)
			pass(size, add_to_digest);
		else if (kind == OF_FILE)
			unreadable = take_file(size);
		else if (kind == END_OF_SEGMENT && size == 0)
			end_slab(), put_piece((struct piece){.kind = END});
		else
			die("read", "this is no input of this version");
		if (unreadable)
			return unreadable;
	}
	return NULL;
}
