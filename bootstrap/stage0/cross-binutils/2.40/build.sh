set -e
# The C++ compiler of the same maker as CC.
case $CC in
*clang*) CXX=clang++ ;;
*) CXX=c++ ;;
esac
mkdir build
cd build

# Libraries are looked for where the compiler says, and in /lib of its sysroot.
../binutils-2.40/configure --prefix="$PKG_DIR" \
	--build="$ARCH_BUILD" --host="$ARCH_BUILD" --target="$ARCH" \
	--with-sysroot=/ --with-lib-path==/lib \
	--disable-gdb --disable-gprof --disable-gprofng --disable-plugins --disable-nls --disable-shared --disable-werror \
	--disable-multilib --without-zstd --without-debuginfod --without-msgpack --enable-deterministic-archives \
	CXX="$CXX" CFLAGS="-O1 -g0" CXXFLAGS="-O1 -g0" LDFLAGS=-s
make $MAKE_JOBS MAKEINFO=true
make install MAKEINFO=true DESTDIR="$PKG_INSTDIR"

rm -r "$PKG_INSTDIR$PKG_DIR/share"
