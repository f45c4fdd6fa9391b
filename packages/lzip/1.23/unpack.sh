set -e
tar xJf lzip_1.23.orig.tar.xz
