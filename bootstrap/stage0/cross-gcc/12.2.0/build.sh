set -e
# The C++ compiler of the same maker as CC. What mpfr takes for clang's _Float128, glibc's headers do not.
case $CC in
*clang*) CXX=clang++ mpfr=--disable-float128 ;;
*) CXX=c++ mpfr= ;;
esac
sysroot=$PWD/sysroot
for dir in /packages/cross-binutils/*/bin; do
	binutils=$dir
done

# One build of gcc: the compiler needs the C library's headers, the C library the compiler, libstdc++ both.
make -C musl-1.2.3 ARCH="${ARCH%%-*}" prefix= DESTDIR="$sysroot" install-headers

mkdir build
cd build
../gcc/configure --prefix="$PKG_DIR" \
	--build="$ARCH_BUILD" --host="$ARCH_BUILD" --target="$ARCH" \
	--with-sysroot="$PKG_DIR/sysroot" --with-build-sysroot="$sysroot" --with-native-system-header-dir=/include \
	--with-as="$binutils/$ARCH-as" --with-ld="$binutils/$ARCH-ld" \
	--enable-languages=c,c++ --enable-checking=release \
	--disable-bootstrap --disable-multilib --disable-shared --disable-nls --disable-lto --disable-plugin \
	--disable-analyzer --disable-libatomic --disable-libgomp --disable-libitm --disable-libquadmath \
	--disable-libsanitizer --disable-libssp --disable-libvtv --disable-libstdcxx-pch \
	--without-zstd --without-isl $mpfr \
	MAKEINFO=missing CXX="$CXX" CFLAGS="-O1 -g0" CXXFLAGS="-O1 -g0" LDFLAGS=-s \
	CFLAGS_FOR_TARGET="-O2 -g0" CXXFLAGS_FOR_TARGET="-O2 -g0"
make $MAKE_JOBS all-gcc
make $MAKE_JOBS all-target-libgcc

cd ../musl-1.2.3
./configure --prefix=/ --target="$ARCH" --disable-shared \
	CC="$PWD/../build/gcc/xgcc -B$PWD/../build/gcc/" LIBCC="$PWD/../build/$ARCH/libgcc/libgcc.a" \
	AR="$binutils/$ARCH-ar" RANLIB="$binutils/$ARCH-ranlib"
make $MAKE_JOBS AR="$binutils/$ARCH-ar" RANLIB="$binutils/$ARCH-ranlib"
make install DESTDIR="$sysroot" AR="$binutils/$ARCH-ar" RANLIB="$binutils/$ARCH-ranlib"

cd ../build
make $MAKE_JOBS all-target-libstdc++-v3
make install-gcc install-target-libgcc install-target-libstdc++-v3 DESTDIR="$PKG_INSTDIR"

out=$PKG_INSTDIR$PKG_DIR
cp -R "$sysroot" "$out/sysroot"
rm -rf "$out/share"
