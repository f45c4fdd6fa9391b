set -e
tar xJf bison_3.8.2+dfsg.orig.tar.xz
