set -e
cd sqlite3-3.40.1

# The archive is the tree that its makers work in; the one file that everybody compiles is made by programs in Tcl.
./configure --prefix="$PKG_DIR" --build="$ARCH_BUILD" --host="$ARCH" --disable-shared --disable-tcl --disable-readline \
	BUILD_CC="$CC" BUILD_CFLAGS="-O1 -static"
make sqlite3.c shell.c TCLSH_CMD=tclsh

tools=
if command -v "$ARCH-ar" >/dev/null; then
	tools=$ARCH-
fi
flags="-O2 -g0 -I. -DSQLITE_THREADSAFE=1 -DSQLITE_OMIT_LOAD_EXTENSION -DSQLITE_ENABLE_FTS3 -DSQLITE_ENABLE_FTS4
	-DSQLITE_ENABLE_FTS5 -DSQLITE_ENABLE_RTREE -DSQLITE_ENABLE_MATH_FUNCTIONS -DSQLITE_ENABLE_COLUMN_METADATA
	-DSQLITE_ENABLE_DBSTAT_VTAB -DSQLITE_ENABLE_SESSION -DSQLITE_ENABLE_PREUPDATE_HOOK -DSQLITE_ENABLE_UNLOCK_NOTIFY
	-DHAVE_FDATASYNC=1 -DHAVE_USLEEP=1 -DHAVE_LOCALTIME_R=1 -DHAVE_GMTIME_R=1"
$CC $flags -c -o sqlite3.o sqlite3.c
"${tools}ar" rc libsqlite3.a sqlite3.o
"${tools}ranlib" libsqlite3.a
$CC $flags -static -s -o sqlite3 shell.c libsqlite3.a -lm

out=$PKG_INSTDIR$PKG_DIR
mkdir -p "$out/bin" "$out/share/licenses/sqlite"
cp sqlite3 "$out/bin/"
cp LICENSE.md "$out/share/licenses/sqlite/"

dev=$PKG_INSTDIR/packages/sqlite-dev/${PKG_DIR##*/}
mkdir -p "$dev/include" "$dev/lib" "$dev/share/licenses/sqlite-dev"
cp sqlite3.h src/sqlite3ext.h "$dev/include/"
cp libsqlite3.a "$dev/lib/"
cp LICENSE.md "$dev/share/licenses/sqlite-dev/"
