-- SPDX-License-Identifier: GPL-3.0-or-later
-- documents.lua: tests a document: entries at the prompt, scripts and commands in it are run and their output is compared, and a
-- block that is not run has to state why: <!-- not run: REASON --> on the line before it.
-- In expected output "…" stands for any text, and a line with nothing else for any lines.  Numbers with a point may differ by a
-- tenth, because another CPU type rounds differently and training amplifies that.
package.path = os.getenv "SRCDIR" .. "/tests/lua/?.lua;" .. package.path
local tap = require "tap"
local documents = {}

local function ok(fine, name, why)
	tap.test(name, function() if not fine then error(why or "it is not so", 0) end end)
end

-- --- Blocks of code ------------------------------------------------------------------------------

local HOW = {
	barlow = "typed at the prompt; what is printed is compared",
	lua = "run as a script, each by itself",
	sh = "lines behind $ are commands; what is printed is compared",
}

-- The fenced blocks of a document: {language =, line =, why = reason that it is not run, lines = {...}}.  An indented line after
-- an empty one would be a block, too; the numbers of such lines are returned, since they would not be run.
local function read_blocks(path)
	local blocks, indented, number, inside, before, why = {}, {}, 0, nil, "", nil
	for line in io.lines(path) do
		number = number + 1
		local language = line:match "^```(.*)$"
		if inside and language == "" then
			inside, why = nil, nil
		elseif inside then
			table.insert(inside.lines, line)
		elseif language then
			inside = { language = language, line = number, why = why, lines = {} }
			blocks[#blocks + 1] = inside
		elseif line:match "^    %S" and before == "" then
			indented[#indented + 1] = number
		else
			why = line:match "^<!%-%- not run: (.+) %-%->$"
		end
		before = line
	end
	return blocks, indented
end

-- The entries of those blocks in the language that are run: {{text = input, line = its number, prints = {lines}}, ...}
local function entries_of(blocks, language, prompt, continued)
	local entries = {}
	for _, block in ipairs(blocks) do
		for i, line in ipairs(block.language == language and not block.why and block.lines or {}) do
			local typed, more = line:match(prompt), continued and line:match(continued)
			local entry = entries[#entries]
			if typed then
				entries[#entries + 1] = { text = typed, line = block.line + i, prints = {} }
			elseif more then
				entry.text = entry.text .. "\n" .. more
			else
				table.insert(entry.prints, line)
			end
		end
	end
	return entries
end

-- --- Sessions at the prompt ----------------------------------------------------------------------

local MARK = "-- entry %d --"

-- Runs the entries in one session and returns the output of each.  Echoed input is removed.
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
		repeat -- repeat -- the output follows prompts on the same line
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

-- Splits a line into numbers and the texts between them.
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

-- Did it print an error that the document does not show?
local function fails(want, got)
	if table.concat(want, "\n"):find "stdin:%d" then return false end
	for _, line in ipairs(got) do
		local stated = false
		for _, w in ipairs(want) do stated = stated or w ~= "…" and same_line(w, line) end
		if not stated and (line:find "^stdin:%d+:" or line:find "^%a[%w_.]*: " and not line:find "^%a[%w_.]*: %d+ entr") then return true end
	end
	return false
end

-- --- All documents -------------------------------------------------------------------------------

local root = os.getenv "SRCDIR" .. "/"
local needs_fashion = { ["README.md"] = true }
local has_fashion = pcall(data.fashion, {})

local function compare(name, entries, printed, check_errors)
	for i, e in ipairs(entries) do
		local got = printed[i] or {}
		ok(same(e.prints, got) and not (check_errors and fails(e.prints, got)),
			("%s, line %d: %s"):format(name, e.line, e.text:match "^[^\n]*"), "printed:\n" .. table.concat(got, "\n"))
	end
end

local function check_sessions(name, blocks)
	local entries = entries_of(blocks, "barlow", "^barlow> (.*)$", "^    %.%.> (.*)$")
	if #entries == 0 then return end
	if needs_fashion[name] and not has_fashion then
		return print(("# %s: its session needs Fashion-MNIST (Debian: dataset-fashion-mnist)"):format(name))
	end
	local printed, reached = run(entries)
	ok(reached == #entries + 1, name .. ": the session comes to its end", ("entry %d of %d"):format(reached, #entries))
	compare(name, entries, printed, name ~= "docs/tutorial.md")
end

local function quoted(text) return "'" .. text:gsub("'", "'\\''") .. "'" end

-- Runs the command in the folder, with `barlow` on the PATH.  Returns its lines of output, and whether it succeeded.
local function shell(folder, command)
	local p = io.popen(("cd %s && PATH=%s:$PATH XDG_DATA_HOME=%s XDG_CACHE_HOME=%s sh -c %s 2>&1 </dev/null"):format(quoted(folder),
		quoted(os.getenv "BARLOW":match "^(.*)/"), quoted(folder), quoted(folder), quoted(command)))
	local lines = {}
	for line in p:lines() do lines[#lines + 1] = line end
	return lines, (p:close())
end

local function check_scripts(name, blocks, folder)
	for _, block in ipairs(blocks) do
		if block.language == "lua" and not block.why then
			local path = folder .. "/block.lua"
			local f = assert(io.open(path, "w"))
			f:write(table.concat(block.lines, "\n"), "\n")
			f:close()
			local lines, fine = shell(folder, "barlow block.lua")
			ok(fine, ("%s, line %d: the script runs"):format(name, block.line), table.concat(lines, "\n"))
		end
	end
end

local function check_commands(name, blocks, folder)
	local entries, printed = entries_of(blocks, "sh", "^%$ (.*)$"), {}
	for i, e in ipairs(entries) do printed[i] = shell(folder, e.text) end
	compare(name, entries, printed, true)
end

local function exists(path)
	local f = io.open(path)
	return f and f:close()
end

-- Links to files, and files of the source tree that are named in `code`, have to exist.
local function check_paths(name)
	local missing, folder = {}, name:match "^(.*/)" or ""
	for line in io.lines(root .. name) do
		for link in line:gmatch "%]%(([^)#]+)[^)]*%)" do
			if not link:match "^https?:" and not exists(root .. folder .. link) then missing[#missing + 1] = link end
		end
		for code in line:gmatch "`([^`]+)`" do
			for path in code:gmatch "%f[%w./-]((%a+)/[%w_./-]+%.%l+)%f[^%w_./-]" do
				local top = path:match "^%a+"
				if (top == "examples" or top == "docs" or top == "bench" or top == "tests" or top == "src" or top == "lua" or top == "include")
					and not path:find "NAME" and not exists(root .. path) then missing[#missing + 1] = path end
			end
		end
	end
	ok(#missing == 0, name .. ": what it links to and names is there", table.concat(missing, ", "))
end

-- Files that are named without a folder, and functions of the C library (bl_NAME), have to exist, or at least to occur in the
-- sources, as files do that the build makes.
local function check_names(name)
	local p = io.popen(("cd %s && find src include lua tests bench -type f && cat $(find src include tests bench "
		.. "'(' -name '*.[ch]' -o -name '*.sh' -o -name '*.mk' -o -name '*.lua' ')')"):format(quoted(root)))
	local sources, missing = p:read "a", {}
	p:close()
	for line in io.lines(root .. name) do
		for file in line:gmatch "`([%w_]+%.%l+)`" do
			local ending = file:match "%.(%l+)$"
			if (ending == "c" or ending == "h" or ending == "lua" or ending == "sh" or ending == "def") and not sources:find(file, 1, true) then
				missing[#missing + 1] = file
			end
		end
		for symbol in line:gmatch "%f[%w_](bl_[%l%d_]+)%f[^%w_]" do
			if not sources:find(symbol, 1, true) then missing[#missing + 1] = symbol end
		end
	end
	ok(#missing == 0, name .. ": files and functions that it names are in the sources", table.concat(missing, ", "))
end

-- Checks the document with this path in the source tree.
function documents.check(name)
	local folder = os.tmpname()
	os.remove(folder)
	assert(os.execute("mkdir " .. folder))
	local blocks, indented = read_blocks(root .. name)
	ok(#indented == 0, name .. ": no indented blocks, which nobody would run", "lines " .. table.concat(indented, ", "))
	for _, block in ipairs(blocks) do
		if not HOW[block.language] and not (name == "docs/prompt.md" and block.language == "python") then
			ok(block.why, ("%s, line %d: a block that is not run says why"):format(name, block.line),
				("expected barlow, lua or sh behind the fence, or <!-- not run: REASON --> before it, got '%s'"):format(block.language))
		end
	end
	check_sessions(name, blocks)
	check_scripts(name, blocks, folder)
	check_commands(name, blocks, folder)
	check_paths(name)
	os.execute("rm -rf " .. folder)
end

documents.ok, documents.quoted, documents.root, documents.same, documents.same_text = ok, quoted, root, same, same_text
documents.check_paths, documents.check_names = check_paths, check_names
return documents
