-- SPDX-License-Identifier: GPL-3.0-or-later
-- A run's live file that somebody removes, replaces or damages while it trains is written anew, with all records.
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local test, equal = tap.test, tap.equal

local barlow, base = os.getenv "BARLOW", os.tmpname()
os.remove(base)
os.execute("mkdir " .. base)


local function pipe(command)
	local p = assert(io.popen(command))
	local text = p:read "a"
	p:close()
	return text
end

-- A script that trains, does that to its live file (path), and goes on until `again` is true of it; then what another
-- process reads of the run, and what the script said.
local function try(name, damage, again)
	local folder, script = base .. "/" .. name, base .. "/" .. name .. ".lua"
	local file = assert(io.open(script, "w"))
	file:write(([[
		local folder, path = %q, %q
		local t = trainer{data = data.shapes{n = 64, size = 8, channels = 1}, encoder = nn.mlp(64, {widths = {8}, flatten = true}),
			projector = {8}, batch = 32, epochs = 1e6, folder = folder}
		local function read(from, n)
			local f = io.open(path, "rb")
			if not f then return "" end
			f:seek("set", from)
			local bytes = f:read(n) or ""
			f:close()
			return bytes
		end
		local function write(from, bytes)
			local f = assert(io.open(path, "r+b"))
			f:seek("set", from)
			f:write(bytes)
			f:close()
		end
		t:start()
		while t.iteration < 50 do t:wait(.001) end
		local head = read(0, 64)
		%s
		for _ = 1, 60000 do
			t:wait(.001)
			if %s then break end
		end
		t:stop()
		print("steps " .. t.iteration)
	]]):format(folder, folder .. "/live", damage, again))
	file:close()
	local said = pipe(("'%s' '%s' 2>&1"):format(barlow, script))
	local steps = tonumber(said:match "steps (%d+)")
	local _, lines = pipe(("'%s' watch --jsonl '%s' 2>&1"):format(barlow, folder)):gsub('"step"', "")
	equal(lines, steps)
	local _, told = said:gsub("live file", "")
	equal(told, 1)
	if not said:find "written anew" then error(said) end
	local left = pipe(("ls '%s'"):format(folder))
	if left:find "%.new" then error(left) end
end

test("removed", function() try("removed", "os.remove(path)", "#read(0, 64) == 64") end)
test("damaged at its head", function()
	try("head", "write(0, ('x'):rep(64))", "read(0, 64) == head")
end)
test("damaged where columns and records lie", function()
	try("middle", "local size = #read(0, 1e9) for at = 4096, size - 4096, 4096 do write(at + 100, ('y'):rep(3000)) end local n = t.iteration",
		"t.iteration > n and not read(0, 1e9):find(('y'):rep(3000))")
end)
test("cut short", function() try("cut", "assert(io.open(path, 'w')):close()", "read(0, 64) == head") end)

os.execute("rm -r " .. base)
tap.done()
