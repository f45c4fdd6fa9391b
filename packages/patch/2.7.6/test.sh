set -e
printf '1\n2\n3\n' >a
printf '1\ntwo\n3\n' >b
diff -u a b >ab.patch || :
/packages/patch/*/bin/patch a ab.patch
cmp a b
