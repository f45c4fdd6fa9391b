set -e
tar xjf busybox_1.35.0.orig.tar.bz2
cd busybox-1.35.0
for p in ../*.patch; do
	patch -p1 <"$p"
done
