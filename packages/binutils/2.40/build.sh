set -e
if [ "$ARCH_BUILD" != "$ARCH" ]; then
	export CC_FOR_BUILD=cc
fi
mkdir build
cd build

# Without plug-ins: a static program cannot load any. Without libtool's own idea of static: where there is no
# shared library, what is linked is static.
../binutils-2.40/configure --prefix="$PKG_DIR" \
	--build="$ARCH_BUILD" --host="$ARCH" --target="$ARCH_TARGET" \
	--with-lib-path=/lib --disable-gdb --disable-gold --disable-gprof --disable-gprofng --disable-plugins \
	--disable-nls --disable-shared --disable-werror --disable-multilib --enable-deterministic-archives \
	--without-zstd --without-debuginfod --without-msgpack --without-system-zlib \
	CFLAGS="-O2 -g0" LDFLAGS=-s
make $MAKE_JOBS MAKEINFO=true tooldir="$PKG_DIR"
make install MAKEINFO=true tooldir="$PKG_DIR" DESTDIR="$PKG_INSTDIR"

out=$PKG_INSTDIR$PKG_DIR
rm -rf "$out/share" "$out/lib/bfd-plugins" "$out"/lib/*.la
# Where it was before libtool sorted: the same bytes as ever, so nothing that is built with them is built again.
"$(command -v "$ARCH-ar" || echo ar)" mD "$out/lib/libbfd.a" libsframe_la-sframe-error.o
mkdir -p "$out/share/licenses/binutils"
cp ../binutils-2.40/COPYING3 "$out/share/licenses/binutils/COPYING3"
