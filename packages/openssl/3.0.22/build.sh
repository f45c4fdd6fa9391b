set -e
cd openssl-3.0.22

# The default directory is the one where certificates and the configuration of a root are, whichever package
# brings them. Nothing can be loaded in static programs, so engines are left out and legacy is compiled in.
# Configure must not see -static: it would take threads for something that static programs do not have.
./Configure "linux-${ARCH%%-*}" --prefix="$PKG_DIR" --libdir=lib --openssldir=/etc/ssl \
	no-shared no-pic no-module no-dso no-engine no-async no-tests no-ktls no-afalgeng no-devcryptoeng \
	CC="$CC" CFLAGS="-O2 -g0" LDFLAGS="-s"
make $MAKE_JOBS build_libs
make $MAKE_JOBS apps/openssl LDFLAGS="-static -s"
grep -q "define OPENSSL_THREADS" include/openssl/configuration.h

out=$PKG_INSTDIR$PKG_DIR
mkdir -p "$out/bin" "$out/etc/ssl" "$out/share/licenses/openssl"
cp apps/openssl "$out/bin/"
cp apps/openssl.cnf "$out/etc/ssl/"
cp LICENSE.txt "$out/share/licenses/openssl/"

dev=$PKG_INSTDIR/packages/openssl-dev/${PKG_DIR##*/}
mkdir -p "$dev/include/openssl" "$dev/lib" "$dev/share/licenses/openssl-dev"
cp include/openssl/*.h "$dev/include/openssl/"
cp libcrypto.a libssl.a "$dev/lib/"
cp LICENSE.txt "$dev/share/licenses/openssl-dev/"
