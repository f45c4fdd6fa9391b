set -e
tar xzf tcl8.6_8.6.13+dfsg.orig.tar.gz
