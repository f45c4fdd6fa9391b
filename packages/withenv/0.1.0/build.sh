set -e
make $MAKE_JOBS CC="$CC" build/withenv

out=$PKG_INSTDIR$PKG_DIR
mkdir -p "$out/bin" "$out/share/licenses/withenv"
cp build/withenv "$out/bin/withenv"
cp LICENSE "$out/share/licenses/withenv/LICENSE"
