set -e
tar xzf mini-httpd_1.30.orig.tar.gz
cd mini_httpd-1.30
for p in ../*.patch; do
	patch -p1 <"$p"
done
