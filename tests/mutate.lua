-- SPDX-License-Identifier: GPL-3.0-or-later
-- mutate.lua: for tests/mutate: the areas, and the faults that are put into their files, drawn from a seed.

local function paths(form)
	return function(names) return names:gsub("%S+", form) .. " " end
end
local C, LUA = paths "tests/c/test_%0", paths "tests/lua/test_%0.lua"

-- name, files (patterns of the shell), tests that are nearest to them
local AREAS = {
	{ "base", "src/base/*.c", C "base file field budget" .. LUA "profile recipe" },
	{ "tensor", "src/tensor/*.c src/tensor/*/*.c", C "tensor npy conv winograd choice gemm_bf16 shapes no_memory_lua" .. LUA "arrays" },
	{ "grad", "src/grad/*.c", C "grad_ops gradcheck tape reference" .. LUA "nn tensor tensor_linalg tensor_select" },
	{ "nn", "src/nn/*.c", C "nn reference" .. LUA "nn warm" },
	{ "augment", "src/augment/*.c", C "augment draws pil" .. LUA "aug_frozen aug_func aug_ramp aug_change aug_views aug_look defaults" },
	{ "data", "src/data/*.c", C "dataset loader folder decode formats idx" .. "tests/fuzz/replay "
		.. LUA "csv tar sets parts cache folder vectors defaults" },
	{ "loss", "src/loss/*.c src/loss/barlow/*.c", C "loss losses squares no_memory_lua" .. LUA "loss algorithm1 defaults" },
	{ "optim", "src/optim/*.c", C "optim checkpoint reference" .. LUA "nn defaults" },
	{ "live", "src/live/*.c", C "live frozen" .. LUA "livefile" },
	{ "eval", "src/eval/*.c", C "eval lbfgs statistics no_memory_lua" .. LUA "eval" },
	{ "monitor", "src/monitor/*.c", C "monitor budget embed" },
	{ "train", "src/train/*.c", C "trainer checkpoint journal budget" .. LUA "trainer set resume break journal"
		.. "tests/term/test_save_signal.sh " },
	{ "store", "src/store/*.c", C "weights checkpoint place index run_file runs trials journal choice"
		.. LUA "runs runs_list fork resume tune" },
	{ "figure", "src/figure/*.c", C "figure" .. LUA "verify aug_look" },
	{ "view", "src/view/*.c", C "view screens heatmap keys runs_view sixel" .. "tests/term/test_watch.sh " },
	{ "bindings", "src/lua/kit/*.c src/lua/bind/*.c", C "states no_memory_lua"
		.. LUA "registry defaults messages tensor tensor_select tensor_linalg nn trainer eval func rebuild parts runs loss verify" },
	{ "lua", "lua/*.lua", LUA "trainer recipe resume fork sweep runs runs_list help prompt_split complete printing rebuild source verify"
		.. LUA "versions replay profile run_report" .. "tests/term/test_doctor.sh " },
}

local function chosen(names)
	if #names == 0 then return AREAS end
	local out = {}
	for _, name in ipairs(names) do
		for _, area in ipairs(AREAS) do
			if area[1] == name then out[#out + 1] = area end
		end
	end
	if #out < #names then
		io.stderr:write(("mutate: unknown area among '%s': mutate -l lists them\n"):format(table.concat(names, " ")))
		os.exit(2)
	end
	return out
end

-- Pairs that are swapped, as words between spaces; what both languages have comes first.
local SWAPS = { { " < ", " <= " }, { " <= ", " < " }, { " > ", " >= " }, { " >= ", " > " }, { " + ", " - " }, { " - ", " + " },
	{ " * ", " / " }, { " += ", " -= " }, { " == ", " != ", " ~= " }, { " != ", " == " }, { " ~= ", " == " },
	{ " && ", " || " }, { " || ", " && " }, { " and ", " or " }, { " or ", " and " } }

-- A line without what is in quotes, and without comments, of the same length: only what is left may change.
local function bare(line, lua)
	local function hide(s) return ("\1"):rep(#s) end
	line = line:gsub('"[^"]*"', hide):gsub("'[^']*'", hide):gsub(lua and "%-%-.*" or "/%*.*", hide)
	if line:find(lua and "^%s*%-%-" or "^%s*[%*#]") or line:find "^%s*/[%*/]" then return "" end
	return line
end

local function put(line, from, to, text) return line:sub(1, from - 1) .. text .. line:sub(to + 1) end

-- All lines that `line` may become.
local function variants(line, lua)
	local out, code = {}, bare(line, lua)
	local inside = code:find "^%s" and true
	if not inside or code:find "_Static_assert" then return out end
	for _, swap in ipairs(SWAPS) do
		local from, to = code:find(swap[1], 1, true)
		-- "* " behind a type declares a pointer
		if from and not (swap[1] == " * " and code:find "^%s*[%w_ ]+ %* ?[%w_]+ ?[=;,)]") then
			out[#out + 1] = put(line, from, to, lua and swap[3] or swap[2])
		end
	end
	-- A failure that is returned is lost; that it is another negative number changes nothing, nor that an array is larger.
	local from, to = code:find("return -1;", 1, true)
	if from then out[#out + 1] = put(line, from, to, "return 0;") end
	local without = from or code:find "^%s*[%w_ ]+ %*?[%w_]+%[%d+%]"
	for from, number, to in code:gmatch "()%f[%w_.]([1-9]%d?%d?)%f[^%w_.]()" do
		if not without and not code:find "^%s*case" then out[#out + 1] = put(line, from, to - 1, tostring(math.tointeger(number) + 1)) end
	end
	for from, number, to in code:gmatch "()%f[%w_.](%d*%.%d+)%f[^%w_.]()" do
		out[#out + 1] = put(line, from, to - 1, ("%g"):format(2 * tonumber(number)))
	end
	local head, condition, tail = code:match(lua and "^(%s*if )(.-)( then.*)$" or "^(%s*if %()(.*)(%)%s*)$")
	if condition and not condition:find "\1" then
		out[#out + 1] = head .. (lua and "not (" or "!(") .. condition .. ")" .. tail
	end
	-- What is not released any more only the sanitizers' run of the suite can see.
	local releases = code:find "free" or code:find "unref" or code:find "close" or code:find "give" or code:find "destroy"
	if not code:find "return" and not releases and code:find(lua and "^%s*[%w_.:]+%b()%s*$" or "^%s*[%w_]+%b();%s*$") then
		out[#out + 1] = line:match "^%s*" .. (lua and "" or ";")
	end
	return out
end

local function lines_of(path)
	local out, f = {}, assert(io.open(path))
	for line in f:lines() do out[#out + 1] = line end
	f:close()
	return out
end

-- Which of the lines are part of a long comment of Lua?
local function commented(lines)
	local out, open = {}, nil
	for i, line in ipairs(lines) do
		if not open then
			local equals = line:match "^%s*%-%-%[(=*)%["
			open = equals and "]" .. equals .. "]"
		end
		out[i] = open ~= nil
		if open and line:find(open, 1, true) then open = nil end
	end
	return out
end

local function files_of(root, patterns)
	local out, pipe = {}, io.popen(("cd '%s' && ls %s"):format(root, patterns))
	for name in pipe:lines() do
		if not name:find "embed%.c$" and not name:find "/commands%.c$" then out[#out + 1] = name end
	end
	pipe:close()
	return out
end

-- An area, a file by its number of lines, and a line of it: so that no large file is spared, nor a small area.
local function fault(root, seed, turn, path, areas)
	math.randomseed(seed, turn)
	local area = areas[math.random(#areas)]
	local all = {}
	for _, name in ipairs(files_of(root, area[2])) do
		for i = 1, #lines_of(root .. "/" .. name) do all[#all + 1] = { name, i } end
	end
	for _ = 1, 10000 do
		local place = all[math.random(#all)]
		local lines = lines_of(root .. "/" .. place[1])
		local lua = place[1]:find "%.lua$"
		local made = lua and commented(lines)[place[2]] and {} or variants(lines[place[2]], lua)
		if #made > 0 then
			lines[place[2]] = made[math.random(#made)]
			local f = assert(io.open(path, "w"))
			f:write(table.concat(lines, "\n"), "\n")
			f:close()
			print(place[1])
			print(area[3])
			return
		end
	end
	error("mutate: nothing to change in area " .. area[1], 0)
end

local function rest(from) return chosen(table.pack(table.unpack(arg, from))) end

if arg[1] == "list" then
	for _, area in ipairs(AREAS) do print(("%-9s %s\n          %s"):format(area[1], area[2], area[3])) end
elseif arg[1] == "check" then
	rest(2)
elseif arg[1] == "tests" then
	local seen = {}
	for _, area in ipairs(rest(2)) do
		for name in area[3]:gmatch "%S+" do
			if not seen[name] then print(name) end
			seen[name] = true
		end
	end
elseif arg[1] == "fault" then
	fault(arg[2], math.tointeger(arg[3]), math.tointeger(arg[4]), arg[5], rest(6))
end
