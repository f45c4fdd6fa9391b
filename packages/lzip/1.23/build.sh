set -e
cd lzip-1.23

./configure --prefix="$PKG_DIR" --build="$ARCH_BUILD" --host="$ARCH" \
	CFLAGS="-O2 -g0" CXXFLAGS="-O2 -g0" LDFLAGS="-static -s"
make $MAKE_JOBS
make install DESTDIR="$PKG_INSTDIR"

out=$PKG_INSTDIR$PKG_DIR
rm -rf "$out/share/info" "$out/share/man" "$out/share/doc"
mkdir -p "$out/share/licenses/lzip"
cp COPYING "$out/share/licenses/lzip/"
