set -e
cd bzip2-1.0.8

tools=
if command -v "$ARCH-ar" >/dev/null; then
	tools=$ARCH-
fi
make $MAKE_JOBS CC="$CC" AR="${tools}ar" RANLIB="${tools}ranlib" \
	CFLAGS="-O2 -g0 -D_FILE_OFFSET_BITS=64" LDFLAGS="-static -s" libbz2.a bzip2 bzip2recover

out=$PKG_INSTDIR$PKG_DIR
mkdir -p "$out/bin" "$out/include" "$out/lib" "$out/share/licenses/bzip2"
cp bzip2 bzip2recover "$out/bin/"
ln -s bzip2 "$out/bin/bunzip2"
ln -s bzip2 "$out/bin/bzcat"
cp bzlib.h "$out/include/"
cp libbz2.a "$out/lib/"
cp LICENSE "$out/share/licenses/bzip2/LICENSE"
