set -e
tar xJf patch_2.7.6.orig.tar.xz
cd patch-2.7.6
for p in ../*.patch; do
	patch -p1 <"$p"
done
# One time for all, or make would want to make anew what is made of patched files.
find . -type f -exec touch -r ../control {} +
