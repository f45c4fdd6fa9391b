set -e
tar xJf gzip_1.12.orig.tar.xz
