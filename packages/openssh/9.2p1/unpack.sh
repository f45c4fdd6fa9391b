set -e
tar xzf openssh_9.2p1.orig.tar.gz
cd openssh-9.2p1
for p in ../*.patch; do
	patch -p1 <"$p"
done
# One time for all, or make would want to make anew what is made of patched files.
find . -type f -exec touch -r ../control {} +
