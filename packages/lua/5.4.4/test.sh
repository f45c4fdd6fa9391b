set -e
cd "$(mktemp -d)"

cat >greet.lua <<'L'
local words = {}
return function(name)
	words[#words + 1] = name
	return ('hello %s, number %d of %d'):format(name, #words, 1 << 4)
end
L
cat >run.lua <<'L'
local greet = require 'greet'
print(greet 'maria')
print(select('#', table.unpack({ 1, 2, 3 })), 7 // 2, 2^10, utf8.len 'größe')
print(pcall(error, { code = 1 }))
print(io.popen('echo from a shell'):read 'l')
local co = coroutine.wrap(function() for i = 1, 2 do coroutine.yield(i) end end)
print(co(), co())
L
lua run.lua >out
test "$(sed 's/table: .*/table/' out | tr '\t' ' ')" = "hello maria, number 1 of 16
3 3 1024.0 5
false table
from a shell
1 2"
# Compiled ahead, it is the same.
luac -s -o run.luac run.lua
lua run.luac | sed 's/table: .*/table/' >again
sed 's/table: .*/table/' out | cmp - again
