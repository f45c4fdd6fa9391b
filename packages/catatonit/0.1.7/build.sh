set -e
cd catatonit-0.1.7

sed -e 's/@PACKAGE_NAME@/catatonit/' -e 's/@PACKAGE_VERSION@/0.1.7/' \
	-e 's,@PACKAGE_BUGREPORT@,https://github.com/openSUSE/catatonit/issues,' \
	-e 's,@PACKAGE_URL@,https://github.com/openSUSE/catatonit,' config.h.in >config.h
$CC -std=gnu99 -O2 -g0 -D_GNU_SOURCE -I. -static -s -o catatonit catatonit.c

out=$PKG_INSTDIR$PKG_DIR
mkdir -p "$out/bin" "$out/share/licenses/catatonit"
cp catatonit "$out/bin/"
cp COPYING "$out/share/licenses/catatonit/"
