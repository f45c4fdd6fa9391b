set -e
tar xzf openssl_3.0.22.orig.tar.gz
