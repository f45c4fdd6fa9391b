set -e
cd tini-0.19.0/src

sed -e 's/@tini_VERSION_MAJOR@.@tini_VERSION_MINOR@.@tini_VERSION_PATCH@/0.19.0/' -e 's/@tini_VERSION_GIT@//' \
	tiniConfig.h.in >tiniConfig.h
$CC -std=gnu99 -O2 -g0 -D_GNU_SOURCE -I. -static -s -o tini tini.c

out=$PKG_INSTDIR$PKG_DIR
mkdir -p "$out/bin" "$out/share/licenses/tini"
cp tini "$out/bin/"
cp ../LICENSE "$out/share/licenses/tini/"
