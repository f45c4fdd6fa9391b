set -e
tar xJf catatonit_0.1.7.orig.tar.xz
