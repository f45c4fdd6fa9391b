set -e
tar xJf m4_1.4.19.orig.tar.xz
