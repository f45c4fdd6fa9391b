set -e
cd tcl8.6.13/unix

./configure --prefix="$PKG_DIR" --build="$ARCH_BUILD" --host="$ARCH" --disable-shared --disable-load --enable-threads \
	--without-tzdata --enable-symbols=no CFLAGS="-O2 -g0" LDFLAGS="-static -s" tcl_cv_strtod_buggy=1
make $MAKE_JOBS tclsh
make install-binaries install-libraries INSTALL_ROOT="$PKG_INSTDIR" TZDATA=

out=$PKG_INSTDIR$PKG_DIR
rm -rf "$out/lib/pkgconfig" "$out/lib"/*.sh "$out/share/man"
ln -s tclsh8.6 "$out/bin/tclsh"
mkdir -p "$out/share/licenses/tcl"
cp ../license.terms "$out/share/licenses/tcl/"
