set -e
cd xz-5.4.1

./configure --prefix="$PKG_DIR" --build="$ARCH_BUILD" --host="$ARCH" --disable-nls --disable-shared --disable-doc --disable-scripts \
	CFLAGS="-O2 -g0" LDFLAGS="-static -s"
make $MAKE_JOBS
make install DESTDIR="$PKG_INSTDIR"

out=$PKG_INSTDIR$PKG_DIR
rm -rf "$out/share/info" "$out/share/man" "$out/share/doc" "$out"/lib/*.la
mkdir -p "$out/share/licenses/xz"
cp COPYING "$out/share/licenses/xz/"
