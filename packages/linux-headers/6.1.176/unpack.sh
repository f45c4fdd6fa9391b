set -e
# What the headers are made of, and nothing else of the kernel.
s=linux-6.1.176
tar xJf linux_6.1.176.orig.tar.xz $s/Makefile $s/Kbuild $s/Kconfig $s/COPYING $s/LICENSES/preferred $s/LICENSES/exceptions \
	$s/scripts $s/include/uapi $s/include/asm-generic $s/include/linux $s/arch/x86 $s/arch/arm64 $s/tools/include $s/usr
