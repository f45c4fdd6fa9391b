set -e
tar xJf mpfr4_4.2.0.orig.tar.xz
