set -e
cd "$(mktemp -d)"

cat >run.tcl <<'T'
package require Tcl 8.6
fconfigure stdout -encoding utf-8
puts [expr {2 ** 100}]
puts [lmap {a b} {1 2 3 4} {expr {$a * $b}}]
puts [string toupper "größe"]
puts [clock format 0 -gmt 1 -format %Y-%m-%d]
package require http
set server [socket -server {apply {{channel host port} {puts $channel "from the server"; close $channel}}} -myaddr 127.0.0.1 0]
set client [socket -async 127.0.0.1 [lindex [fconfigure $server -sockname] 2]]
fileevent $client readable {gets $client ::line}
vwait line
puts $line
T
test "$(tclsh -encoding utf-8 run.tcl)" = "1267650600228229401496703205376
2 12
GRÖßE
1970-01-01
from the server"
