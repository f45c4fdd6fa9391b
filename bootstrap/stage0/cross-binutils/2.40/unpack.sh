set -e
tar xJf binutils_2.40.orig.tar.xz
