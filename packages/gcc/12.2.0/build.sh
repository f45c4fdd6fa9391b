set -e

# The first time it is built by a compiler on another machine: then what runs meanwhile is compiled by that
# machine's, and CC says where the C library is, which the others find in /include and /lib.
if [ "$ARCH_BUILD" = "$ARCH" ]; then
	optimise=-O2
	tools=
	CXX=g++
	set --
else
	optimise=-O1
	tools=$ARCH-
	CXX=$ARCH-g++
	sysroot=${CC#*--sysroot=}
	if [ "$sysroot" != "$CC" ]; then
		CXX="$CXX --sysroot=$sysroot"
		set -- --with-build-sysroot="$sysroot"
	fi
	export CC_FOR_BUILD=cc CXX_FOR_BUILD=c++ CFLAGS_FOR_BUILD="-O1 -g0" CXXFLAGS_FOR_BUILD="-O1 -g0"
fi

# A compiler is a fifth faster with an allocator that keeps memory for the next request, which musl's does not.
# Without the last macro, which musl does not define, aligned_alloc would be musl's, and its memory freed by the other.
mimalloc=$PWD/mimalloc.o
$CC -O2 -g0 -DNDEBUG -DMI_MALLOC_OVERRIDE -D__USE_ISOC11=1 \
	-I"mimalloc-2.0.9+ds/include" -c -o "$mimalloc" "mimalloc-2.0.9+ds/src/static.c"

# By the environment: what configure is told as arguments is shown by gcc -v, and it must not tell of this directory.
map=-ffile-prefix-map=$PWD=.
export CXX CFLAGS="$optimise -g0 $map" CXXFLAGS="$optimise -g0 $map" LDFLAGS="-static -s -Wl,$mimalloc"
export CFLAGS_FOR_TARGET="-O2 -g0 $map" CXXFLAGS_FOR_TARGET="-O2 -g0 $map" MAKEINFO=missing
mkdir build
cd build
../gcc/configure --prefix="$PKG_DIR" \
	--build="$ARCH_BUILD" --host="$ARCH" --target="$ARCH_TARGET" \
	--with-native-system-header-dir=/include \
	--enable-languages=c,c++ --enable-checking=release \
	--disable-bootstrap --disable-multilib --disable-shared --disable-nls --disable-lto --disable-plugin \
	--disable-analyzer --disable-libgomp --disable-libitm --disable-libquadmath \
	--disable-libsanitizer --disable-libssp --disable-libvtv --disable-libstdcxx-pch \
	--disable-libcc1 --without-zstd --without-isl "$@"
libraries="target-libgcc target-libstdc++-v3 target-libatomic"
make $MAKE_JOBS all-gcc $(printf 'all-%s ' $libraries)
make install-gcc $(printf 'install-%s ' $libraries) DESTDIR="$PKG_INSTDIR"

out=$PKG_INSTDIR$PKG_DIR
# Where libraries go is said by the compiler that compiles them: a cross compiler may take lib64.
if [ -d "$out/lib64" ]; then
	mv "$out"/lib64/* "$out/lib/"
	rmdir "$out/lib64"
fi
rm -rf "$out/share" "$out"/lib/*.la "$out"/lib/*.py "$out"/lib/gcc/*/*/install-tools "$out"/libexec/gcc/*/*/install-tools
# libgcc is always compiled with what debuggers want, the directory of the build in it.
"${tools}strip" -g -D "$out"/lib/gcc/*/*/*.[ao]
ln -s gcc "$out/bin/cc"
mkdir -p "$out/share/licenses/gcc"
cp ../gcc/COPYING3 ../gcc/COPYING.RUNTIME "$out/share/licenses/gcc/"
