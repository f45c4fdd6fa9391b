set -e
tar xjf dropbear_2022.83.orig.tar.bz2
cd dropbear-2022.83
for p in ../*.patch; do
	patch -p1 <"$p"
done
# One time for all, or make would want to make anew what is made of patched files.
find . -type f -exec touch -r ../control {} +
