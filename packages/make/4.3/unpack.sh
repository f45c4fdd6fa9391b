set -e
tar xzf make-dfsg_4.3.orig.tar.gz
