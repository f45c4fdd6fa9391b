set -e
cd curl-7.88.1

./configure --prefix="$PKG_DIR" --build="$ARCH_BUILD" --host="$ARCH" --disable-shared --enable-static \
	--with-openssl=/ --with-zlib=/ --with-nghttp2=/ --without-libpsl --without-brotli --without-zstd --without-libidn2 \
	--without-librtmp --without-libgsasl --without-libssh2 --disable-ldap --disable-manual --enable-threaded-resolver \
	--with-ca-bundle=/etc/ssl/certs/ca-certificates.crt --without-ca-path --disable-ntlm-wb \
	CFLAGS="-O2 -g0" CPPFLAGS="-DNGHTTP2_STATICLIB" LDFLAGS="-static -s" LIBS="-lssl -lcrypto"
make $MAKE_JOBS -C lib
make $MAKE_JOBS -C src LDFLAGS="-all-static -s"

out=$PKG_INSTDIR$PKG_DIR
mkdir -p "$out/bin" "$out/share/licenses/curl"
cp src/curl "$out/bin/"
cp COPYING "$out/share/licenses/curl/"

dev=$PKG_INSTDIR/packages/curl-dev/${PKG_DIR##*/}
mkdir -p "$dev/include/curl" "$dev/lib" "$dev/share/licenses/curl-dev"
cp include/curl/*.h "$dev/include/curl/"
cp lib/.libs/libcurl.a "$dev/lib/"
cp COPYING "$dev/share/licenses/curl-dev/"
