#include "compress.h"
#include "pieces.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <zstd.h>

enum { GZIP_LEVEL = 6, ZSTD_LEVEL = 3 };

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

void *compress_pieces(void *unused)
{
	struct libdeflate_compressor *compressor = need(libdeflate_alloc_compressor(GZIP_LEVEL));
	for (;;) {
		struct piece *piece = next_piece(COMPRESS);
		if (piece->kind == GZIP)
			gzip_piece(compressor, piece);
		else
			zstd_piece(piece);
	}
	return unused;
}
