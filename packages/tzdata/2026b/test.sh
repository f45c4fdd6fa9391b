set -e

# The C library finds them where the root shows them. Winter and summer of both hemispheres, and half hours.
at() { TZ=$1 date -d "@$2" '+%Y-%m-%d %H:%M %Z'; }
test "$(at Europe/Berlin 1704067200)" = '2024-01-01 01:00 CET'
test "$(at Europe/Berlin 1719792000)" = '2024-07-01 02:00 CEST'
test "$(at Australia/Sydney 1704067200)" = '2024-01-01 11:00 AEDT'
test "$(at Asia/Kolkata 1704067200)" = '2024-01-01 05:30 IST'
# A change by law of the year this list is of: British Columbia stays at -07 from 2026 on.
test "$(TZ=America/Vancouver date -d @1798761600 +%z)" = -0700
# Names of old are kept.
cmp /share/zoneinfo/Asia/Calcutta /share/zoneinfo/Asia/Kolkata
test "$(wc -l </share/zoneinfo/zone1970.tab)" -gt 300
