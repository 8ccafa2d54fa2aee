-- SPDX-License-Identifier: GPL-3.0-or-later
-- A run's live file that another process removes, replaces or damages during training is rewritten with all records.
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

-- Runs a script that trains, runs `damage` on its live file (path), and continues until `again` is true.  Then
-- checks what another process reads of the run, and what the script printed.
local function try(name, damage, again, times)
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
	equal(told, times and 2 or 1)
	if times and not said:find(times .. " times in all: ", 1, true) then error(said) end
	if not said:find "written again" then error(said) end
	local left = pipe(("ls '%s'"):format(folder))
	if left:find "%.new" then error(left) end
end

test("replaced by another file", function()
	try("replaced", [[os.execute(("echo no run > '%s.x'; mv '%s.x' '%s'"):format(path, path, path))]], "read(0, 64) == head")
end)
test("replaced by another run's file", function()
	try("stranger", ([[os.execute(("cp '%s' '%%s'.x; mv '%%s.x' '%%s'"):format(path, path, path))]]):format(base .. "/replaced/live"),
		"t.iteration > 100 and read(0, 64) == head")
end)
test("replaced by a link to another file", function()
	try("link", [[os.execute(("ln -s /dev/null '%s.x'; mv '%s.x' '%s'"):format(path, path, path))]], "read(0, 64) == head")
end)
test("moved away", function() try("moved", "os.rename(path, path .. '.old')", "read(0, 64) == head") end)
test("replaced at the last moment", function()
	try("last", [[os.execute(("echo no run > '%s.x'; mv '%s.x' '%s'"):format(path, path, path))]], "true")
end)
test("removed", function() try("removed", "os.remove(path)", "#read(0, 64) == 64") end)
test("removed again and again: reported once, and counted", function()
	try("again", "for _ = 1, 3 do os.remove(path) while #read(0, 64) < 64 do t:wait(.001) end end", "true", 3)
end)
test("damaged in its header", function()
	try("head", "write(0, ('x'):rep(64))", "read(0, 64) == head")
end)
test("damaged in columns and records", function()
	try("middle", "local size = #read(0, 1e9) for at = 4096, size - 4096, 4096 do write(at + 100, ('y'):rep(3000)) end local n = t.iteration",
		"t.iteration > n and not read(0, 1e9):find(('y'):rep(3000))")
end)
test("cut short", function() try("cut", "assert(io.open(path, 'w')):close()", "read(0, 64) == head") end)

-- In a script that trains and stops, `between` happens; then the run has to be resumed.
local function go_on_after(name, between)
	local folder, script = base .. "/" .. name, base .. "/" .. name .. ".lua"
	local file = assert(io.open(script, "w"))
	file:write(([[
		local folder, barlow = %q, %q
		local t = trainer{data = data.shapes{n = 64, size = 8, channels = 1}, encoder = nn.mlp(64, {widths = {8}, flatten = true}),
			projector = {8}, batch = 32, epochs = 2e4, folder = folder}
		t:break_when(function(v) return v.iteration == 10 end):start():wait()
		t:break_when(nil):save()
		%s
		local before = t.iteration
		local goes_on, why = pcall(t.start, t)
		print(goes_on, why)
		while goes_on and t.iteration == before do t:wait(.001) end
		t:stop()
		print("steps " .. t.iteration - before)
	]]):format(folder, barlow, between))
	file:close()
	return pipe(("'%s' '%s' 2>&1"):format(barlow, script)), folder
end

test("a run that was resumed elsewhere is reported with the process, and its files are left alone", function()
	local said, folder = go_on_after("elsewhere", [[
		t:stop()
		os.execute(("'%s' resume --plain '%s' > '%s/../said' 2>&1"):format(barlow, folder, folder))]])
	local other = pipe(("grep '\"pid\"' '%s/run.json'"):format(folder)):match "%d+"
	if not said:find("was resumed elsewhere, by process " .. other, 1, true) then error(said) end
	equal(said:match "steps (%d+)", "0")
	local _, lines = pipe(("'%s' watch --jsonl '%s'"):format(barlow, folder)):gsub('"step"', "")
	equal(lines, 40000)
end)
test("a training run is not resumed by another process while its live file is temporarily invalid", function()
	local said = go_on_after("training", [[
		os.execute(("echo no run > '%s/live.x'; mv '%s/live.x' '%s/live'; '%s' resume --plain '%s' 2>&1"):format(
			folder, folder, folder, barlow, folder))]])
	if not said:find("the run is going on in process", 1, true) then error(said) end
end)
test("a stopped run whose live file was replaced is resumed", function()
	local said = go_on_after("stopped", [[t:stop() os.execute(("echo no run > '%s/live.x'; mv '%s/live.x' '%s/live'"):format(
		folder, folder, folder))]])
	if said:match "steps (%d+)" == "0" then error(said) end
end)

-- --- Damage in the file of a finished run

local function write(path, from, bytes)
	local f = assert(io.open(path, "r+b"))
	f:seek("set", from)
	f:write(bytes)
	f:close()
end
local function noise(n)
	local t = {}
	for i = 1, n do t[i] = string.char(i * 7919 % 251) end
	return table.concat(t)
end
local finished = base .. "/finished"
pipe(([['%s' -e 'local t = trainer{data = data.shapes{n = 64, size = 8, channels = 1}, encoder = nn.mlp(64, {widths = {8}, flatten = true}),
	projector = {8}, batch = 32, epochs = 1000, folder = "%s"}
	t:break_when(function(v) return v.iteration == 500 end):start():wait() t:stop()']]):format(
	barlow, finished))

-- Reads a copy in which these bytes were written at these positions.
local function damaged(name, ...)
	local folder = base .. "/" .. name
	os.execute(("cp -r '%s' '%s'"):format(finished, folder))
	for _, d in ipairs{ ... } do write(folder .. "/live", d[1], d[2]) end
	local out = pipe(("'%s' watch --jsonl '%s' 2>'%s/err'; echo $?"):format(barlow, folder, folder))
	local _, lines = out:gsub('"step"', "")
	return lines, out:match "(%d+)\n$", pipe(("cat '%s/err'"):format(folder)), folder
end
local whole, status, said = damaged "whole"
test("the file of a finished run is read completely", function()
	if whole ~= 500 or status ~= "0" or said ~= "" then error(("%d lines, status %s: %s"):format(whole, status, said)) end
end)
test("damage of its tables and some records: the other records are shown, and these are named", function()
	local lines, status, said, folder = damaged("tables", { 12 << 10, noise(16 << 10) })
	local from, to = said:match "records (%d+) to (%d+) are damaged\n$"
	if not from then error(said) end
	equal(lines, whole - (to - from + 1))
	equal(status, "1")
	local frame = pipe(("'%s' watch --once --size 100x30 '%s' 2>&1"):format(barlow, folder))
	if not frame:find(("live file: records %d to %d are damaged"):format(from, to), 1, true) then error(frame) end
end)
test("damage within the records", function()
	local lines, _, said = damaged("records", { 30 << 10, noise(8) }, { 40 << 10, noise(8) }, { 44 << 10, noise(500) })
	if not said:find "records %d+, %d+, %d+ to %d+ are damaged\n$" then error(said) end
	if lines >= whole - 3 or lines < whole - 20 then error(lines) end
end)
test("a damaged header hides no records", function()
	local lines, status, said = damaged("start", { 0, noise(64) })
	equal(lines, whole)
	equal(status, "1")
	if not said:find("its header is damaged", 1, true) then error(said) end
end)
test("a file that is not a live file is refused", function()
	local _, status, said = damaged("none", { 0, noise(64 << 10) })
	equal(status, "1")
	if not said:find("not a live file", 1, true) then error(said) end
end)
test("resume keeps the intact records, and reports the others", function()
	local lines, _, _, folder = damaged("resumed", { 12 << 10, noise(16 << 10) })
	local said = pipe(("'%s' resume --plain '%s' 2>&1"):format(barlow, folder))
	if not said:find("records %d+ to %d+ are damaged; the rest is kept") then error(said) end
	local _, after = pipe(("'%s' watch --jsonl '%s' 2>&1"):format(barlow, folder)):gsub('"step"', "")
	equal(after, 2000 - whole + lines)
end)

os.execute("rm -r " .. base)
tap.done()
