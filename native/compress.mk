# The compressor of layers: `make -C native compress DISTFILES=DIR`, DIR holding the two source archives, which
# the caller has verified (pkgfetch does). The versions are part of layer format 1: golden digests of blobs
# are in test/builder/encode.test.ts. The bytes that it writes do not depend on CC or COMPRESS_CFLAGS.

DISTFILES ?= ../distfiles/files
COMPRESS_CFLAGS ?= -O2
LIBDEFLATE := libdeflate_1.14.orig.tar.gz
ZSTD := libzstd_1.5.4+dfsg2.orig.tar.xz
VENDOR := $(BUILD)/vendor

compress: $(BUILD)/compress

$(VENDOR)/%: $(DISTFILES)/%
	rm -rf $@ $@.part && mkdir -p $@.part
	tar -x -f $< -C $@.part --strip-components=1 --no-same-owner && mv $@.part $@ && touch $@

vendored = $(wildcard $(VENDOR)/$(LIBDEFLATE)/lib/$(1)) $(wildcard $(VENDOR)/$(ZSTD)/lib/$(1))

# ZSTD_DISABLE_ASM: that assembly only decompresses, and not every compiler takes it.
$(BUILD)/compress: $(wildcard compress/*.[ch]) compress.mk Makefile | $(VENDOR)/$(LIBDEFLATE) $(VENDOR)/$(ZSTD)
	for source in compress/*.c; do $(CC) $(CFLAGS) $(COMPRESS_CFLAGS) -isystem $(VENDOR)/$(LIBDEFLATE) \
		-isystem $(VENDOR)/$(ZSTD)/lib -c $$source -o $(BUILD)/compress-$$(basename $$source .c).o || exit 1; done
	cd $(VENDOR) && $(CC) $(COMPRESS_CFLAGS) -w -DNDEBUG -DZSTD_DISABLE_ASM -ffunction-sections -fdata-sections \
		-I$(LIBDEFLATE) -I$(ZSTD)/lib/common $(LDFLAGS) -pthread -o ../compress.part ../compress-*.o \
		$(LIBDEFLATE)/lib/deflate_compress.c $(LIBDEFLATE)/lib/gzip_compress.c $(LIBDEFLATE)/lib/crc32.c \
		$(LIBDEFLATE)/lib/utils.c $(LIBDEFLATE)/lib/*/cpu_features.c \
		$(ZSTD)/lib/common/*.c $(ZSTD)/lib/compress/*.c
	mv $(BUILD)/compress.part $(BUILD)/compress

.PHONY: compress
