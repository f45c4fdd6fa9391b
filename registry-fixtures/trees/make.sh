#!/bin/sh
# Makes one of the awkward trees. usage: make.sh NAME DIR   (DIR must not exist). Needs no rights and no network.
set -eu
export LC_ALL=C
umask 022

# file PATH [BYTES]: a file of so many bytes of numbered lines, which compress, but not to nothing.
file() {
  mkdir -p "$(dirname -- "$1")"
  if [ "${2:-0}" -gt 0 ]; then seq 1000001 99999999 | head -c "$2" >"$1"; else : >"$1"; fi
}

# repeat TEXT TIMES
repeat() { i=0; while [ "$i" -lt "$2" ]; do printf %s "$1"; i=$((i + 1)); done; }

empty() { :; }

# What a small package looks like.
plain() {
  mkdir -p bin lib include share/doc
  printf 'Package: plain\nVersion: 1\n' >control
  file bin/plain 40000
  chmod 755 bin/plain
  ln -s plain bin/other
  ln -s /packages/other/1/lib/other.a lib/other.a
  file lib/plain.a 9000
  echo '#define PLAIN 1' >include/plain.h
}

# Around every size where something changes: blocks, batches of reading, members (1 MiB), frames (8 MiB).
sizes() {
  for size in 0 1 511 512 513 261631 261632 261633 262143 262144 262145 1048575 1048576 1048577 8388608 9000001; do
    file "$size" "$size"
  done
}

# Names at the limits of a header: the path is packages/t/1/… (13 bytes), a directory's has a slash more.
long_names() {
  file "$(repeat a 87)" 1
  file "$(repeat b 88)" 2
  mkdir "$(repeat c 86)" "$(repeat d 87)"
  file "$(repeat e 255)" 3
  file "$(repeat f 86)/g" 4
  ln -s "$(repeat t 100)" target100
  ln -s "$(repeat t 101)" target101
  ln -s "$(repeat u 4000)" target4000
  ln "$(repeat a 87)" z100
  ln "$(repeat b 88)" z101
}

# 150 directories in each other, 20 bytes a name.
deep() {
  i=0
  while [ "$i" -lt 144 ]; do
    name=$(printf '%020d' "$i")
    mkdir "$name"
    cd -P "$name"
    i=$((i + 1))
  done
  file bottom 5
}

# Names are bytes: none of these is special, and their order is that of bytes, a slash before all others.
odd_names() {
  for name in ' ' ' lead' 'trail ' '-n' '--' '~' '#' '%' '%41' '*' '?' '\' '\n' '"' "'" '$(x)' '...' '..x' '.x' '.wh' \
    'a' 'a b' 'a-b' 'a.b' 'a0' 'A' 'a=b' '1 path=x'; do
    printf '%s\n' "$name" >"$name"
  done
  mkdir a+ 'b' 'b-' 'b.d'
  for name in b/z b-/z b.d/z a+/z; do printf '%s\n' "$name" >"$name"; done
  # Newline, tab, escape, delete; e acute composed and not; U+FFFF and U+10000, which UTF-16 orders otherwise;
  # right-to-left override; not UTF-8: Latin 1, a lone continuation, overlong slash, a surrogate, a cut sequence.
  for name in 'new\nline' 'tab\t' '\033[31m' '\177' '\303\251' 'e\314\201' '\357\277\277' '\360\220\200\200' \
    '\342\200\256cod' '\351' '\200' '\300\257' '\355\240\200' '\360\237\230' '\377\376'; do
    name=$(printf "$name.")
    echo x >"${name%.}"
  done
  mkdir "$(printf 'd\377')"
  echo x >"$(printf 'd\377/\303\251')"
  ln -s "$(printf 'to\377')" link1
  ln -s "$(printf 'to \303\251')" link2
  ln "$(printf 'd\377/\303\251')" hard
}

# The first name in order is the file, wherever it is; links do not count, and links to links stay links.
hard_links() {
  mkdir a b c
  file b/first 700000
  i=0
  while [ "$i" -lt 300 ]; do
    ln b/first "$(printf 'c/%03d' "$i")"
    i=$((i + 1))
  done
  ln b/first a/first
  file b/.hidden 10
  ln b/.hidden b/a
  file empty
  ln empty also-empty
  file run 5
  chmod 755 run
  ln run Run
  ln -s run soft
  ln -P soft soft2
}

# Only "may anybody execute it" is kept.
modes() {
  for mode in 400 444 600 640 644 664 666 2644 1644; do file "f$mode" 3; chmod "$mode" "f$mode"; done
  for mode in 500 700 711 755 775 777 610 601 4755 6711; do file "x$mode" 3; chmod "$mode" "x$mode"; done
  for mode in 700 711 755 777 1777 2755; do mkdir "d$mode"; chmod "$mode" "d$mode"; done
  file bin/su 3000
}

many_files() {
  d=0
  while [ "$d" -lt 200 ]; do
    mkdir "$d"
    f=0
    while [ "$f" -lt 100 ]; do
      printf '%s\n' "file $f of directory $d" "$d$f$d$f" "$((d * f * 7919 % 65521))" >"$d/$f"
      f=$((f + 1))
    done
    d=$((d + 1))
  done
}

# Several frames of zstd and many members of gzip.
huge() { file huge 50000000; }

name=$1
mkdir -- "$2"
cd -- "$2"
"$name"
