set -e
cd mpfr-4.2.0

./configure --prefix="$PKG_DIR" --build="$ARCH_BUILD" --host="$ARCH" --disable-shared \
	CFLAGS="-O2 -g0" LDFLAGS="-static -s"
make $MAKE_JOBS
make install DESTDIR="$PKG_INSTDIR"

out=$PKG_INSTDIR$PKG_DIR
rm -rf "$out/share/info" "$out/share/man" "$out/share/doc" "$out"/lib/*.la
mkdir -p "$out/share/licenses/mpfr"
cp COPYING.LESSER "$out/share/licenses/mpfr/"
