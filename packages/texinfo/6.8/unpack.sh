set -e
tar xJf texinfo_6.8.orig.tar.xz
