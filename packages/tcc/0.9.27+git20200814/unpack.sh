set -e
mkdir tcc
cd tcc
tar xjf ../tcc_0.9.27+git20200814.62c30a4a.orig.tar.bz2
patch -p1 <../static.patch
