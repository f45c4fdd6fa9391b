set -e
cd Python-3.11.2

# A static program loads no modules, so all are compiled in, as far as there are libraries for them.
MODULE_BUILDTYPE=static ./configure --prefix="$PKG_DIR" --build="$ARCH_BUILD" --host="$ARCH" --disable-shared \
	--disable-test-modules --without-ensurepip --without-doc-strings --with-system-expat --with-openssl=/ \
	--with-ssl-default-suites=openssl --with-tzpath=/share/zoneinfo:/usr/share/zoneinfo --with-dbmliborder= \
	OPT="-DNDEBUG -fwrapv -O2 -g0" CFLAGS="-g0" LDFLAGS="-static -s" LINKFORSHARED=" " \
	LIBSQLITE3_CFLAGS=" " LIBSQLITE3_LIBS="-lsqlite3 -lm"
sed -e '/^\*shared\*/,$d' Modules/Setup.stdlib >Modules/Setup.local
printf '*disabled*\n_ctypes _curses _curses_panel _dbm _gdbm _tkinter _uuid nis ossaudiodev readline xxlimited xxlimited_35\n' >>Modules/Setup.local
make $MAKE_JOBS python platform

# The library, without what tests, draws windows, or needs to load modules. Not "make install": that compiles
# everything three times, with times in it that are not those of the files.
out=$PKG_INSTDIR$PKG_DIR
lib=$out/lib/python3.11
mkdir -p "$out/bin" "$lib/lib-dynload" "$out/share/licenses/python"
cp python "$out/bin/python3.11"
ln -s python3.11 "$out/bin/python3"
ln -s python3.11 "$out/bin/python"
cp -R Lib/. "$lib/"
rm -rf "$lib/test" "$lib/idlelib" "$lib/tkinter" "$lib/turtledemo" "$lib/turtle.py" "$lib/ensurepip" "$lib/lib2to3" "$lib/ctypes" \
	"$lib/distutils" "$lib/curses" "$lib/unittest/test" "$lib/sqlite3/test" "$lib/__phello__" "$lib/msilib"
find "$lib" -name __pycache__ -prune -exec rm -rf {} +
find "$lib" -type d \( -name test -o -name tests \) -prune -exec rm -rf {} +
echo 'There are no modules to load. Python looks for this directory.' >"$lib/lib-dynload/README"
sed "s,$PWD,.,g" "$(cat pybuilddir.txt)/"_sysconfigdata*.py >"$lib/$(basename "$(cat pybuilddir.txt)"/_sysconfigdata*.py)"
cp LICENSE "$lib/LICENSE.txt"
cp LICENSE "$out/share/licenses/python/"

# What is compiled is taken without a look at times, which say nothing here.
PYTHONHOME=$out PYTHONHASHSEED=0 "$out/bin/python3.11" -B -s -S -m compileall -q -f -j 1 --invalidation-mode unchecked-hash \
	-s "$PKG_INSTDIR" "$lib"
