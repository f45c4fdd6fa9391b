# The compressor of layers: `make -C native compress DISTFILES=DIR`, DIR holding the two source archives, which
# the caller has verified (pkgfetch does). The versions are part of layer format 1: golden digests of blobs
# are in test/builder/encode.test.ts. The bytes that it writes do not depend on CC or COMPRESS_CFLAGS.

DISTFILES ?= ../distfiles/files
COMPRESS_CFLAGS ?= -O2
LIBDEFLATE := libdeflate_1.14.orig.tar.gz
ZSTD := libzstd_1.5.4+dfsg2.orig.tar.xz
VENDOR := $(BUILD)/vendor

compress: $(BUILD)/compress

# Of the sources, the libraries and their licences are kept.
$(VENDOR)/%: $(DISTFILES)/%
	rm -rf $@ $@.part && mkdir -p $@.part
	tar -x -f $< -C $@.part --strip-components=1 --no-same-owner
	find $@.part -mindepth 1 -maxdepth 1 ! -name lib ! -name '*.h' ! -name COPYING ! -name LICENSE -exec rm -rf {} +
	mv $@.part $@

own := $(patsubst %.c,$(BUILD)/compress-%.o,$(notdir $(wildcard compress/*.c sha256/*.c)))
vpath %.c compress sha256

$(BUILD)/compress-%.o: %.c $(wildcard compress/*.h sha256/*.h) compress.mk Makefile | $(VENDOR)/$(LIBDEFLATE) $(VENDOR)/$(ZSTD)
	$(CC) $(CFLAGS) $(COMPRESS_CFLAGS) -isystem $(VENDOR)/$(LIBDEFLATE) -isystem $(VENDOR)/$(ZSTD)/lib -c -o $@ $<

# ZSTD_DISABLE_ASM: that assembly only decompresses, and not every compiler takes it.
$(BUILD)/compress: $(own)
	cd $(VENDOR) && $(CC) $(COMPRESS_CFLAGS) -w -DNDEBUG -DZSTD_DISABLE_ASM -ffunction-sections -fdata-sections \
		-I$(LIBDEFLATE) $(LDFLAGS) -pthread -o $(abspath $@).part $(abspath $(own)) \
		$(LIBDEFLATE)/lib/deflate_compress.c $(LIBDEFLATE)/lib/gzip_compress.c $(LIBDEFLATE)/lib/crc32.c \
		$(LIBDEFLATE)/lib/utils.c $(LIBDEFLATE)/lib/*/cpu_features.c \
		$(ZSTD)/lib/common/*.c $(ZSTD)/lib/compress/*.c
	mv $@.part $@

.SECONDARY: $(VENDOR)/$(LIBDEFLATE) $(VENDOR)/$(ZSTD)
.PHONY: compress
