#include "compress.h"
#include "pieces.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

void *write_pieces(void *unused)
{
	struct piece piece;
	while (oldest_piece(&piece)) {
		if (piece.kind != HASH) {
			uint8_t header[5] = {(uint8_t)piece.kind};
			put_number(header + 1, piece.out_size, 4);
			write_all(header, sizeof header);
			write_all(piece.out, piece.out_size);
		}
		free(piece.out);
		if (piece.slab)
			let_go(piece.slab);
	}
	return unused;
}
