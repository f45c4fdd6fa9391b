set -e
cd tar-1.34+dfsg

./configure --prefix="$PKG_DIR" --build="$ARCH_BUILD" --host="$ARCH" --disable-nls --without-selinux --without-posix-acls --without-xattrs \
	CFLAGS="-O2 -g0" LDFLAGS="-static -s"
make $MAKE_JOBS
make install DESTDIR="$PKG_INSTDIR"

out=$PKG_INSTDIR$PKG_DIR
rm -rf "$out/share/info" "$out/share/man" "$out/share/doc"
mkdir -p "$out/share/licenses/tar"
cp COPYING "$out/share/licenses/tar/"
