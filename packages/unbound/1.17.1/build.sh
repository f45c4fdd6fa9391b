set -e
cd unbound-1.17.1

./configure --prefix="$PKG_DIR" --build="$ARCH_BUILD" --host="$ARCH" --disable-shared --enable-static --disable-flto \
	--with-ssl=/ --with-libexpat=/ --with-libevent=/ --with-libnghttp2=/ --with-pthreads --without-pythonmodule --without-pyunbound \
	--disable-rpath --with-conf-file=/etc/unbound/unbound.conf --with-run-dir=/etc/unbound --with-chroot-dir= --with-pidfile=/run/unbound.pid \
	--with-rootkey-file=/run/root.key --with-username= --with-share-dir="$PKG_DIR/share" \
	CFLAGS="-O2 -g0 -DNGHTTP2_STATICLIB" LDFLAGS="-static -s"
make $MAKE_JOBS LDFLAGS="-all-static -s" unbound unbound-checkconf unbound-control unbound-host unbound-anchor

out=$PKG_INSTDIR$PKG_DIR
mkdir -p "$out/bin" "$out/etc/unbound" "$out/share/licenses/unbound"
cp unbound unbound-checkconf unbound-control unbound-host unbound-anchor "$out/bin/"
cp ../unbound.conf "$out/etc/unbound/"
cp LICENSE "$out/share/licenses/unbound/"
