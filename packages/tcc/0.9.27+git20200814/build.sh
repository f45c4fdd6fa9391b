set -e
cd tcc

# What tcc compiles uses the headers and libraries that the root shows in /include and /lib.
./configure --prefix="$PKG_DIR" --cpu="${ARCH%%-*}" --cc="$CC -static" --ar=ar --extra-cflags=-O2 --extra-ldflags=-static \
	--strip-binaries --config-musl \
	--sysincludepaths={B}/include:/include --libpaths={B}:/lib --crtprefix=/lib --triplet="$ARCH"
make $MAKE_JOBS tcc
make -C lib ../libtcc1.a

out=$PKG_INSTDIR$PKG_DIR
lib=$out/lib/tcc
mkdir -p "$out/bin" "$out/include" "$lib/include" "$out/share/licenses/tcc"
cp tcc "$out/bin/tcc"
ln -s tcc "$out/bin/cc"
cp libtcc1.a "$lib/libtcc1.a"
cp include/*.h tcclib.h "$lib/include/"
cp libtcc.h "$out/include/libtcc.h"
cp libtcc.a "$out/lib/libtcc.a"
cp COPYING "$out/share/licenses/tcc/COPYING"

# Makefiles ask for these; tcc is its own archiver, and its archives always have an index.
printf '#!/bin/sh\nexec tcc -ar "$@"\n' >"$out/bin/ar"
printf '#!/bin/sh\nexit 0\n' >"$out/bin/ranlib"
chmod 755 "$out/bin/ar" "$out/bin/ranlib"
