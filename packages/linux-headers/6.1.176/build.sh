set -e
cd linux-6.1.176

case $ARCH in
aarch64-*) arch=arm64 ;;
*) arch=${ARCH%%-*} ;;
esac
# Its programs run here and now; what they make are the headers.
if [ "$ARCH_BUILD" = "$ARCH" ]; then
	host="$CC -static"
else
	host=cc
fi
make $MAKE_JOBS ARCH="$arch" HOSTCC="$host" headers

out=$PKG_INSTDIR$PKG_DIR
mkdir -p "$out/include" "$out/share/licenses/linux-headers"
cp -R usr/include/* "$out/include/"
find "$out/include" -type f ! -name '*.h' -exec rm {} +
cp COPYING "$out/share/licenses/linux-headers/COPYING"
