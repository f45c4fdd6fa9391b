set -e
cd openssh-9.2p1

./configure --prefix="$PKG_DIR" --build="$ARCH_BUILD" --host="$ARCH" --sysconfdir=/etc/ssh --with-pid-dir=/run \
	--with-privsep-path=/run/sshd --with-privsep-user=nobody --without-pie --without-openssl-header-check --disable-security-key \
	--disable-lastlog --disable-utmp --disable-utmpx --disable-wtmp --disable-wtmpx --disable-pututline --disable-pututxline \
	--with-mantype=doc --with-default-path=/bin --without-shadow \
	CFLAGS="-O2 -g0" LDFLAGS="-static -s"
make $MAKE_JOBS

out=$PKG_INSTDIR$PKG_DIR
mkdir -p "$out/bin" "$out/etc/ssh" "$out/share/licenses/openssh"
cp ssh scp sftp ssh-add ssh-agent ssh-keygen ssh-keyscan "$out/bin/"
cp ssh_config "$out/etc/ssh/"
cp LICENCE "$out/share/licenses/openssh/"

server=$PKG_INSTDIR/packages/openssh-server/${PKG_DIR##*/}
mkdir -p "$server/bin" "$server/etc/ssh" "$server/share/licenses/openssh-server"
cp sshd sftp-server "$server/bin/"
sed 's,^Subsystem.*,Subsystem sftp /bin/sftp-server,' sshd_config >"$server/etc/ssh/sshd_config"
cp LICENCE "$server/share/licenses/openssh-server/"
