set -e
cd busybox-1.35.0

# The whole configuration, so that nothing depends on what this version takes for granted. Not in it: applets
# that need the kernel's headers, sh (mksh brings it), and running applets without looking at /bin first.
cp ../config .config
export KCONFIG_NOTIMESTAMP=1
tools=
if command -v "$ARCH-ar" >/dev/null; then
	tools=$ARCH-
fi
build() {
	make $MAKE_JOBS V=1 CROSS_COMPILE="$tools" ARCH="${ARCH%%-*}" CC="$CC" HOSTCC="$CC -static" LDFLAGS="-static -s" SKIP_STRIP=y "$@"
}
build silentoldconfig </dev/null
build busybox
build busybox.links

# The package is called sbase, so it is not at $PKG_DIR.
out=$PKG_INSTDIR/packages/sbase/${PKG_DIR##*/}
mkdir -p "$out/bin" "$out/share/licenses/sbase"
cp busybox "$out/bin/busybox"
while read -r link; do
	ln -s busybox "$out/bin/${link##*/}"
done <busybox.links
cp LICENSE "$out/share/licenses/sbase/LICENSE"
