set -e
cd musl-1.2.3

# A compiler of another libc gets musl-gcc, which builds the next packages until there is a compiler of ours.
wrapper=gcc
if [ "$ARCH_BUILD" = "$ARCH" ] || [ "$($CC -dumpmachine)" = "$ARCH" ]; then
	wrapper=no
fi
tools=
if command -v "$ARCH-ar" >/dev/null; then
	tools=$ARCH-
fi

./configure --prefix="$PKG_DIR" --target="$ARCH" --disable-shared --enable-wrapper=$wrapper CC="$CC"
make $MAKE_JOBS CROSS_COMPILE="$tools"
make install CROSS_COMPILE="$tools" DESTDIR="$PKG_INSTDIR"
install -D -m 644 COPYRIGHT "$PKG_INSTDIR$PKG_DIR/share/licenses/musl/COPYRIGHT"
