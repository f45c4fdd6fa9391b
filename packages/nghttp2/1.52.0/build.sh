set -e
cd nghttp2-1.52.0/lib

# The archive has no configure; for the library alone this is what it would say.
sed -e 's/@PACKAGE_VERSION@/1.52.0/' -e 's/@PACKAGE_VERSION_NUM@/0x013400/' includes/nghttp2/nghttp2ver.h.in >includes/nghttp2/nghttp2ver.h
cat >config.h <<'H'
#define HAVE_ARPA_INET_H 1
#define HAVE_NETINET_IN_H 1
#define HAVE_TIME_H 1
#define HAVE_CLOCK_GETTIME 1
#define HAVE_DECL_CLOCK_MONOTONIC 1
H
tools=
if command -v "$ARCH-ar" >/dev/null; then
	tools=$ARCH-
fi
for name in nghttp2_*.c; do
	$CC -std=gnu99 -O2 -g0 -DHAVE_CONFIG_H -DNGHTTP2_STATICLIB -I. -Iincludes -c -o "${name%.c}.o" "$name"
done
"${tools}ar" rc libnghttp2.a nghttp2_*.o
"${tools}ranlib" libnghttp2.a

out=$PKG_INSTDIR$PKG_DIR
mkdir -p "$out/include/nghttp2" "$out/lib" "$out/share/licenses/nghttp2"
cp includes/nghttp2/nghttp2.h includes/nghttp2/nghttp2ver.h "$out/include/nghttp2/"
cp libnghttp2.a "$out/lib/"
cp ../COPYING "$out/share/licenses/nghttp2/"
