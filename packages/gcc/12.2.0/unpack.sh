set -e
tar xzf gcc-12_12.2.0.orig.tar.gz gcc-12-12.2.0/gcc-12.2.0-dfsg.tar.xz
tar xJf gcc-12-12.2.0/gcc-12.2.0-dfsg.tar.xz
rm -r gcc-12-12.2.0
mv gcc-12.2.0 gcc
cd gcc
# Half of the archive: tests (but a directory that gcc asks for), and languages that are not built (but D, which has
# a file that gcc's own tools read).
find gcc/testsuite -mindepth 1 -maxdepth 1 ! -name selftests -exec rm -r {} +
rm -r gcc/ada gcc/go libgo libphobos
patch -p2 <../CVE-2023-4039.patch
# The manual was taken out of the archive, and what is made from it would stop the installation.
sed -i '/^\$(srcdir)\/doc\/tm\.texi: s-tm-texi/d' gcc/Makefile.in
# Libraries go to lib, where roots look for them.
sed -i '/m64=/s/lib64/lib/' gcc/config/i386/t-linux64
sed -i '/lp64=/s/lib64/lib/' gcc/config/aarch64/t-aarch64-linux

tar xJf ../gmp_6.2.1+dfsg1.orig.tar.xz
mv gmp-6.2.1 gmp
mkdir gmp/doc
printf 'all install clean distclean check:\n' >gmp/doc/Makefile.in
(cd gmp && patch -p1 <../../gmp-CVE-2021-43618.patch)
tar xJf ../mpfr4_4.2.0.orig.tar.xz
mv mpfr-4.2.0 mpfr
tar xzf ../mpclib3_1.3.1.orig.tar.gz
mv mpc-1.3.1 mpc
# One time for all, or make would want to make anew what is made of patched files.
find . -type f -exec touch -r ../control {} +
cd ..
tar xJf mimalloc_2.0.9+ds.orig.tar.xz
