set -e
mkdir -p d/e
echo text >d/e/f
ln d/e/f d/g
ln -s e/f d/h
/packages/tar/*/bin/tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf a.tar d
/packages/tar/*/bin/tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -czf a.tar.gz d
mkdir out
/packages/tar/*/bin/tar -C out -xzf a.tar.gz
[ "$(cat out/d/h)" = text ]
[ out/d/g -ef out/d/e/f ]
