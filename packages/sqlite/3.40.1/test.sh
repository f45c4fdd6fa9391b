set -e
cd "$(mktemp -d)"
# "!" alone does not end the script.
not() {
	if "$@"; then
		echo "this should have failed: $*" >&2
		exit 1
	fi
}

sqlite3 shop.db <<'Q'
PRAGMA journal_mode = wal;
CREATE TABLE sale (day TEXT, item TEXT, price INTEGER);
INSERT INTO sale VALUES ('2026-01-01', 'bread', 3), ('2026-01-01', 'milk', 2), ('2026-01-02', 'bread', 4);
CREATE VIRTUAL TABLE note USING fts5(body);
INSERT INTO note VALUES ('static programs need no loader'), ('a loader loads');
Q
test "$(sqlite3 shop.db 'SELECT item, sum(price) FROM sale GROUP BY item ORDER BY 2')" = "milk|2
bread|7"
test "$(sqlite3 shop.db "SELECT rowid FROM note WHERE note MATCH 'static AND loader'")" = 1
test "$(sqlite3 -json shop.db "SELECT json_extract('{\"a\":[1,2]}', '\$.a[1]') AS second")" = '[{"second":2}]'
test "$(sqlite3 shop.db 'SELECT pow(2, 10), sqrt(2)')" = '1024.0|1.4142135623731'
test "$(sqlite3 shop.db 'PRAGMA integrity_check')" = ok

# A transaction that fails leaves nothing.
not sqlite3 -bail shop.db "BEGIN; INSERT INTO sale VALUES ('x', 'y', 1); SELECT * FROM nothing; COMMIT" 2>/dev/null
test "$(sqlite3 shop.db 'SELECT count(*) FROM sale')" = 3
