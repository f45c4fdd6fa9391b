set -e
cd bison-3.8.2

./configure --prefix="$PKG_DIR" --build="$ARCH_BUILD" --host="$ARCH" --disable-nls \
	CFLAGS="-O2 -g0" LDFLAGS="-static -s"
# Neither the manual nor its index is there, and no Perl to write it with.
make $MAKE_JOBS MAKEINFO=true PERL=true
make install MAKEINFO=true PERL=true DESTDIR="$PKG_INSTDIR"

out=$PKG_INSTDIR$PKG_DIR
rm -rf "$out/share/info" "$out/share/man" "$out/share/doc"
mkdir -p "$out/share/licenses/bison"
cp COPYING "$out/share/licenses/bison/"
