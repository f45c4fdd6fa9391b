set -e
cd zlib-1.2.13.dfsg

CHOST=$ARCH CFLAGS="-O2 -g0" ./configure --static --prefix="$PKG_DIR"
make $MAKE_JOBS libz.a minigzip LDFLAGS="-static -s libz.a"

out=$PKG_INSTDIR$PKG_DIR
mkdir -p "$out/bin" "$out/include" "$out/lib" "$out/share/licenses/zlib"
cp minigzip "$out/bin/"
cp zlib.h zconf.h "$out/include/"
cp libz.a "$out/lib/"
cp LICENSE "$out/share/licenses/zlib/"
