set -e
cd mini_httpd-1.30
make $MAKE_JOBS mini_httpd CC="$CC" CFLAGS="-O2 -D_GNU_SOURCE -Dlinux=1" LDFLAGS="-static -s"

out=$PKG_INSTDIR$PKG_DIR
mkdir -p "$out/bin" "$out/share/licenses/mini-httpd"
cp mini_httpd "$out/bin/mini_httpd"
sed -n '/Copyright/,/^\*\//p' mini_httpd.c >"$out/share/licenses/mini-httpd/LICENSE"
