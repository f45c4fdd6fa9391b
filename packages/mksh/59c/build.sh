set -e
mkdir build
cd build

# Everything that Build.sh would ask the machine for is said here.
export CC TARGET_OS=Linux CFLAGS=-Os LDFLAGS="-static -s" LDSTATIC=-static
sh ../mksh/Build.sh -r

bin=$PKG_INSTDIR$PKG_DIR/bin
mkdir -p "$bin"
cp mksh "$bin/mksh"
ln -s mksh "$bin/sh"
