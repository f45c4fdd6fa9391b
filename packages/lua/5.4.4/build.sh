set -e
cd lua-5.4.4

# Modules are looked for where the root shows every package's, and beside the script. "generic" would leave
# out popen and mkstemp; loading C modules is not possible in a static program.
sed -i -e 's,"/usr/local/","/",' src/luaconf.h
make $MAKE_JOBS -C src all CC="$CC" SYSCFLAGS=-DLUA_USE_POSIX SYSLDFLAGS="-static -s" AR="ar rc"

out=$PKG_INSTDIR$PKG_DIR
mkdir -p "$out/bin" "$out/include" "$out/lib" "$out/share/licenses/lua"
cp src/lua src/luac "$out/bin/"
cp src/lua.h src/luaconf.h src/lualib.h src/lauxlib.h src/lua.hpp "$out/include/"
cp src/liblua.a "$out/lib/"
sed -n '/^\* Copyright/,/SOFTWARE\.$/p' src/lua.h >"$out/share/licenses/lua/LICENSE"
