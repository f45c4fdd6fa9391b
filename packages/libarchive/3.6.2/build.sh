set -e
cd libarchive-3.6.2

./configure --prefix="$PKG_DIR" --build="$ARCH_BUILD" --host="$ARCH" --disable-shared --enable-static \
	--without-xml2 --without-expat --without-openssl --without-nettle --without-mbedtls --without-cng \
	--without-lz4 --without-zstd --without-lzo2 --without-libb2 --without-iconv --disable-acl \
	CFLAGS="-O2 -g0" LDFLAGS="-static -s"
make $MAKE_JOBS LDFLAGS="-all-static -s" libarchive.la bsdtar bsdcpio bsdcat

out=$PKG_INSTDIR$PKG_DIR
mkdir -p "$out/include" "$out/lib" "$out/share/licenses/libarchive"
cp libarchive/archive.h libarchive/archive_entry.h "$out/include/"
cp .libs/libarchive.a "$out/lib/"
cp COPYING "$out/share/licenses/libarchive/"

tools=$PKG_INSTDIR/packages/bsdtar/${PKG_DIR##*/}
mkdir -p "$tools/bin" "$tools/share/licenses/bsdtar"
cp bsdtar bsdcpio bsdcat "$tools/bin/"
cp COPYING "$tools/share/licenses/bsdtar/"
