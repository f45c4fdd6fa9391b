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
# The manual was taken out of the archive, and what is made from it would stop the installation.
sed -i '/^\$(srcdir)\/doc\/tm\.texi: s-tm-texi/d' gcc/Makefile.in

tar xJf ../gmp_6.2.1+dfsg1.orig.tar.xz
mv gmp-6.2.1 gmp
mkdir gmp/doc
printf 'all install clean distclean check:\n' >gmp/doc/Makefile.in
tar xJf ../mpfr4_4.2.0.orig.tar.xz
mv mpfr-4.2.0 mpfr
tar xzf ../mpclib3_1.3.1.orig.tar.gz
mv mpc-1.3.1 mpc
cd ..
tar xzf musl_1.2.3.orig.tar.gz
