set -e
tar xJf binutils_2.40.orig.tar.xz
cd binutils-2.40
# Tests, and programs that are not built: half of the archive.
rm -rf gprofng gold sim gdb gdbserver gdbsupport readline gas/testsuite/gas ld/testsuite/ld-*
patch -p1 <../linklog.patch
