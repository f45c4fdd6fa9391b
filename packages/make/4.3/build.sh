set -e
cd make-dfsg-4.3

# The archive is a repack without configure. config.h stands for what configure would find out about musl;
# neither make, nor awk, nor ar is needed, so make does not need make.
cp ../config.h src/config.h
cp lib/fnmatch.in.h lib/fnmatch.h
cp lib/glob.in.h lib/glob.h

sources="src/ar.c src/arscan.c src/commands.c src/default.c src/dir.c src/expand.c src/file.c src/function.c
	src/getopt.c src/getopt1.c src/guile.c src/hash.c src/implicit.c src/job.c src/load.c src/loadapi.c
	src/main.c src/misc.c src/output.c src/posixos.c src/read.c src/remake.c src/remote-stub.c src/rule.c
	src/signame.c src/strcache.c src/variable.c src/version.c src/vpath.c
	lib/basename-lgpl.c lib/concat-filename.c lib/dirname-lgpl.c lib/findprog-in.c lib/fnmatch.c lib/glob.c
	lib/stripslash.c lib/xconcat-filename.c"
objects=
for s in $sources; do
	o=${s##*/}
	o=${o%.c}.o
	$CC -O2 -DHAVE_CONFIG_H -Isrc -Ilib -Dxalloc_die=abort -DMAKE_HOST="\"$ARCH\"" \
		-DLIBDIR='"/lib"' -DINCLUDEDIR='"/include"' \
		-DLOCALEDIR='"/share/locale"' -c -o $o $s
	objects="$objects $o"
done
$CC -static -s -o make $objects

out=$PKG_INSTDIR$PKG_DIR
mkdir -p "$out/bin" "$out/include" "$out/share/licenses/make"
cp make "$out/bin/make"
cp src/gnumake.h "$out/include/gnumake.h"
cp COPYING "$out/share/licenses/make/COPYING"
