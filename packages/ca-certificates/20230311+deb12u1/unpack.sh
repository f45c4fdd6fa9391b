set -e
tar xJf ca-certificates_20230311+deb12u1.tar.xz
