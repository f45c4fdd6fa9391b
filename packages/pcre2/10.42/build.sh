set -e
cd pcre2-10.42

./configure --prefix="$PKG_DIR" --build="$ARCH_BUILD" --host="$ARCH" --disable-shared --enable-static --enable-jit \
	--disable-pcre2grep-libz --disable-pcre2grep-libbz2 --disable-pcre2grep-callout-fork \
	CFLAGS="-O2 -g0" LDFLAGS="-static -s"
make $MAKE_JOBS LDFLAGS="-all-static -s" libpcre2-8.la libpcre2-posix.la pcre2grep pcre2test

out=$PKG_INSTDIR$PKG_DIR
mkdir -p "$out/bin" "$out/include" "$out/lib" "$out/share/licenses/pcre2"
cp pcre2grep pcre2test "$out/bin/"
cp src/pcre2.h src/pcre2posix.h "$out/include/"
cp .libs/libpcre2-8.a .libs/libpcre2-posix.a "$out/lib/"
cp LICENCE "$out/share/licenses/pcre2/"
