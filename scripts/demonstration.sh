#!/bin/sh
# The end of npm start: a command that shows where it is, then what to try next.
set -eu
cd -- "$(dirname -- "$0")/.."

bin/withpkgs -d bootstrap/quickstart_packages -p mksh sbase tcc musl mini-httpd -- /bin/sh -c '
echo
echo "This shell runs in a root of its own, made a moment ago. It holds only what was asked for:"
for p in /packages/*/*; do printf "    %s\n" "$p"; done
printf "\n/bin is links to them (%s in all):\n" "$(ls /bin | wc -l)"
ls -l /bin/sh /bin/tcc /bin/ls | while read -r line; do printf "    %s\n" "/bin/${line#*/bin/}"; done
printf "\nIts processes, all of them:\n"
ps -o pid,user,comm | while read -r line; do printf "    %s\n" "$line"; done
printf "\nWho it is: %s. /etc/passwd has %s lines; the network is: %s\n" "$(id -un)" \
  "$(wc -l </etc/passwd)" "$(ls /sys /proc/sys/net/ipv4/conf 2>/dev/null | grep -c lo) loopback interface, nothing else"
cd /tmp
echo "int puts(const char *); int main(void) { puts(\"    hello from a program compiled in here\"); }" >hello.c
printf "\nIts compiler makes static programs:\n"
cc hello.c -o hello && ./hello
echo "    served by a web server in here" >page
mini_httpd -D -h 127.0.0.1 -p 80 -d /tmp >/dev/null 2>&1 &
printf "\nIts server answers on port 80 of its own network:\n"
tries=0
until wget -q -O - http://127.0.0.1/page 2>/dev/null; do
  tries=$((tries + 1))
  [ $tries -lt 50 ] || { echo "    it did not"; exit 1; }
  sleep 0.1
done
'

cat <<'EOT'

Every one of these packages was built from source by your machine. They carry Origin: host, because
the compiler was your machine's; the bootstrap makes packages that do not. Try next:

    bin/withpkgs -d bootstrap/quickstart_packages -p mksh sbase            a shell; exit leaves it
    bin/withpkgs -d bootstrap/quickstart_packages -p mksh sbase tcc musl -- sh -c 'cc -v'
    bin/withpkgs --help
    bin/pkgsolve -d bootstrap/quickstart_packages tcc
    bin/pkgimage build -d bootstrap/quickstart_packages -p mksh sbase -t tiny --entrypoint /bin/sh
    bin/pkgimage export tiny docker-archive:tiny.tar                       then: docker load -i tiny.tar
    bin/pkgbuild --help
    bin/withenv --doctor                                                   if something does not work
EOT
