set -e
cd gmp-6.2.1

./configure --prefix="$PKG_DIR" --build="$ARCH_BUILD" --host="$ARCH" --disable-shared --enable-cxx \
	CFLAGS="-O2 -g0" CXXFLAGS="-O2 -g0" LDFLAGS="-static -s"
make $MAKE_JOBS
make install DESTDIR="$PKG_INSTDIR"

out=$PKG_INSTDIR$PKG_DIR
rm -rf "$out/share/info" "$out/share/man" "$out/share/doc" "$out"/lib/*.la
mkdir -p "$out/share/licenses/gmp"
cp COPYING.LESSERv3 COPYINGv2 COPYINGv3 "$out/share/licenses/gmp/"
