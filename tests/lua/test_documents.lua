-- SPDX-License-Identifier: GPL-3.0-or-later
-- docs/tutorial.md and docs/prompt.md: what is typed there prints what stands there.
-- In what is printed "…" stands for any text, and a line of it alone for any lines.  Numbers with a point may differ by a tenth:
-- another CPU type rounds otherwise, and training carries that on.
package.path = os.getenv "SRCDIR" .. "/tests/lua/?.lua;" .. package.path
local tap = require "tap"
local function ok(fine, name, why)
	tap.test(name, function() if not fine then error(why or "it is not so", 0) end end)
end

-- {{text = what is typed, line = where, prints = {lines}}, ...}
local function read(path)
	local entries, inside, number = {}, false, 0
	for line in io.lines(path) do
		number = number + 1
		local typed, more = line:match "^barlow> (.*)$", line:match "^    %.%.> (.*)$"
		local entry = entries[#entries]
		if line:match "^```" then
			inside = line == "```barlow"
		elseif inside and typed then
			entries[#entries + 1] = { text = typed, line = number, prints = {} }
		elseif inside and more then
			entry.text = entry.text .. "\n" .. more
		elseif inside then
			table.insert(entry.prints, line)
		end
	end
	return entries
end

local MARK = "-- entry %d --"

-- What each entry prints, from one session.  Where the prompt echoes what is typed, that is left out.
local function run(entries)
	local typed = {}
	local dir = os.tmpname()
	os.remove(dir)
	assert(os.execute(("mkdir '%s'"):format(dir)))
	local f = assert(io.open(dir .. "/typed", "w"))
	local function put(text)
		f:write(text, "\n")
		for line in text:gmatch "[^\n]+" do typed[line] = true end
	end
	for i, e in ipairs(entries) do
		put(("print '%s'"):format(MARK:format(i)))
		put(e.text)
	end
	put(("print '%s'"):format(MARK:format(#entries + 1)))
	f:close()
	local command = ("cd '%s' && XDG_DATA_HOME='%s' XDG_STATE_HOME='%s' XDG_CACHE_HOME='%s' '%s' --no-init -i <typed 2>&1")
		:format(dir, dir, dir, dir, os.getenv "BARLOW")
	local p = io.popen(command)
	local text, printed, at = p:read "a", {}, 0
	p:close()
	for line in text:gmatch "[^\n]*" do
		repeat -- prompts are not followed by what was typed
			local n
			line, n = line:gsub("^barlow[^>\n]*> ", "")
			local m
			line, m = line:gsub("^    %.%.> ", "")
		until n + m == 0
		if line == MARK:format(at + 1) then
			at = at + 1
			printed[at] = {}
		elseif at > 0 and line ~= "" and not typed[line] then
			table.insert(printed[at], line)
		end
	end
	os.execute(("rm -rf '%s'"):format(dir))
	return printed, at
end

local function near(a, b)
	local x, y = tonumber(a), tonumber(b)
	if not (x and y and (a:find "%." or b:find "%.")) then return a == b end
	return math.abs(x - y) <= .1 * math.max(math.abs(x), math.abs(y))
end

-- Pieces of a line: numbers, and what is between them.
local function pieces(line)
	local list = {}
	for words, number in (line .. "\1"):gmatch "([^%d\1]*)(%d*%.?%d*)\1?" do
		if words ~= "" then list[#list + 1] = (words:gsub("%s+", " ")) end
		if number ~= "" then list[#list + 1] = number end
	end
	return list
end

local function same_text(want, got)
	local a, b = pieces(want), pieces(got)
	for i = 1, math.max(#a, #b) do
		if not (a[i] and b[i] and near(a[i], b[i])) then return false end
	end
	return true
end

local function same_line(want, got)
	if not want:find("…", 1, true) then return same_text(want, got) end
	local pattern = want:gsub("%p", "%%%0"):gsub("…", ".*")
	return got:find("^" .. pattern .. "$") ~= nil
end

local function same(want, got, i, j)
	i, j = i or 1, j or 1
	if i > #want then return j > #got end
	if want[i] == "…" then
		for k = j, #got + 1 do
			if same(want, got, i + 1, k) then return true end
		end
		return false
	end
	return got[j] ~= nil and same_line(want[i], got[j]) and same(want, got, i + 1, j + 1)
end

-- Does it print an error that does not stand in the text?
local function fails(want, got)
	if table.concat(want, "\n"):find "stdin:%d" then return false end
	for _, line in ipairs(got) do
		if line:find "^stdin:%d+:" or line:find "^%a[%w_.]*: " and not line:find "^%a[%w_.]*: %d+ entr" then return true end
	end
	return false
end

local function check(name, check_errors)
	local entries = read(os.getenv "SRCDIR" .. "/docs/" .. name)
	ok(#entries >= 20, name .. " has entries", #entries)
	local printed, reached = run(entries)
	ok(reached == #entries + 1, "the session comes to its end", ("entry %d of %d"):format(reached, #entries))
	for i, e in ipairs(entries) do
		local got = printed[i] or {}
		ok(same(e.prints, got) and not (check_errors and fails(e.prints, got)),
			("%s, line %d: %s"):format(name, e.line, e.text:match "^[^\n]*"), "printed:\n" .. table.concat(got, "\n"))
	end
end
check("tutorial.md", false)
check("prompt.md", true)

-- How many lines and keys each task of prompt.md takes on both sides, and what it says that these are.
local function count_tasks(path)
	local tasks, block = {}, nil
	for line in io.lines(path) do
		local task = tasks[#tasks]
		if line:match "^## %d" then
			tasks[#tasks + 1] = { name = line, python = { 0, 0 }, barlow = { 0, 0 } }
		elseif line:match "^IPython and lightly: .*barlow: " then
			task.says = line
		elseif line:match "^```" then
			block = line:match "^```(%a+)"
		elseif block and task then
			local text = block == "python" and line or line:match "^barlow> (.*)$"
			local count = task[block == "python" and "python" or "barlow"]
			if text then count[1], count[2] = count[1] + 1, count[2] + utf8.len(text) + 1 end
		end
	end
	return tasks
end

local function counted(count, none)
	if count[1] == 0 then return none end
	return ("%d line%s, %d keys"):format(count[1], count[1] == 1 and "" or "s", count[2])
end

local tasks = count_tasks(os.getenv "SRCDIR" .. "/docs/prompt.md")
ok(#tasks == 30, "thirty tasks", #tasks)
for _, task in ipairs(tasks) do
	local want = ("IPython and lightly: %s; barlow: %s."):format(counted(task.python, "not possible as it is"),
		counted(task.barlow, "nothing to type"))
	ok(task.says == want, task.name .. ": lines and keys", want)
end

-- The comparison itself
ok(same_text("mean 0.43", "mean 0.44") and not same_text("mean 0.43", "mean 0.63"), "numbers may differ by a tenth")
ok(not same_text("16 steps", "17 steps") and not same_text("a", "b"), "... whole ones not, and words not")
ok(same({ "a", "…", "b" }, { "a", "x", "y", "b" }) and not same({ "a", "…", "b" }, { "a", "x" }), "… stands for lines")
tap.done()
