set -e
cd libevent-2.1.12-stable

./configure --prefix="$PKG_DIR" --build="$ARCH_BUILD" --host="$ARCH" --disable-shared --enable-static --disable-openssl \
	--disable-samples --disable-libevent-regress --disable-debug-mode CFLAGS="-O2 -g0" LDFLAGS="-static -s"
make $MAKE_JOBS
make install DESTDIR="$PKG_INSTDIR"

out=$PKG_INSTDIR$PKG_DIR
rm -rf "$out/bin" "$out"/lib/*.la "$out/lib/pkgconfig"
mkdir -p "$out/share/licenses/libevent"
cp LICENSE "$out/share/licenses/libevent/"
