set -e
tar xzf musl_1.2.3.orig.tar.gz
cd musl-1.2.3
for p in ../*.patch; do
	patch -p1 <"$p"
done
