set -e
tar xzf lua5.4_5.4.4.orig.tar.gz
cd lua-5.4.4
for p in ../*.patch; do
	patch -p1 <"$p"
done
