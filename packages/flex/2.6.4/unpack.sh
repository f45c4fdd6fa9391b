set -e
tar xzf flex_2.6.4.orig.tar.gz
