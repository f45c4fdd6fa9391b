#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collect.h"
#include "../sha256/sha256.h"

enum { BUFFER = 1 << 20 };

static size_t read_some(int from, unsigned char *buffer, const char *path)
{
	for (;;) {
		ssize_t n = read(from, buffer, BUFFER);
		if (n >= 0)
			return (size_t)n;
		if (errno != EINTR)
			fail("reading", path);
	}
}

static void write_all(int to, const unsigned char *data, size_t length, const char *path)
{
	while (length > 0) {
		ssize_t n = write(to, data, length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			fail("writing", path);
		data += n;
		length -= (size_t)n;
	}
}

void take_file(struct collector *collector, int from, int to, unsigned mode)
{
	const char *path = collector->path.text;
	char digest[65], text[100], size[24], bits[12];
	struct sha256 hash;
	struct search search;
	uint64_t total = 0;
	size_t length;
	sha256_start(&hash);
	start_search(&search, collector->looked_for);
	do {
		length = read_some(from, collector->buffer, path);
		total += length;
		collector->bytes += length;
		if (collector->bytes > collector->limits.bytes)
			stop("bytes", path);
		sha256_update(&hash, collector->buffer, length);
		if (look_in(&search, collector->buffer, length, length == 0, text))
			say("trait", path, "build-path", text, NULL);
		if (to >= 0)
			write_all(to, collector->buffer, length, path);
	} while (length > 0);
	sha256_finish(&hash, digest);
	snprintf(size, sizeof size, "%llu", (unsigned long long)total);
	snprintf(bits, sizeof bits, "%o", mode);
	say("file", path, bits, size, digest, NULL);
	look_at_program(to >= 0 ? to : from, total, path);
}
