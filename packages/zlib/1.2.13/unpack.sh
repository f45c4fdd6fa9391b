set -e
tar xjf zlib_1.2.13.dfsg.orig.tar.bz2
