-- SPDX-License-Identifier: GPL-3.0-or-later
-- prompt_hints.lua: commands and words of Python and IPython, and their counterparts at this prompt.
local hints = {}

-- Commands of IPython that have another name here.
hints.alias = {
	timeit = "bench", whos = "who", who_ls = "who", hist = "history", prun = "prof", lsmagic = "help", magic = "help",
	quickref = "help", tb = "traceback", reset_selective = "reset",
}

-- Commands that are passed to the shell.
hints.shell = { ls = true, pwd = true, cat = true, mkdir = true, rmdir = true, rm = true, cp = true, mv = true, less = true,
	man = true, clear = true, env = true, ll = "ls -l" }

local packages = "barlow has no packages to install; require \"name\" loads a Lua module, LUA_PATH says from where"
local extensions = "there are no extensions; package.loaded[\"name\"] = nil; require \"name\" loads a module again"
local debugger = "there is no debugger; %traceback prints all of the last error"

-- Commands without a counterpart, and what to do instead.
hints.instead = {
	cd = "a session stays in its folder, since paths of runs and data may be relative to it: start barlow in the other one",
	matplotlib = "figures are drawn in the terminal or saved as files: ?plot", pylab = "figures are saved as files: ?plot",
	pip = packages, conda = packages, load_ext = extensions, reload_ext = extensions, autoreload = extensions,
	pdb = debugger, debug = debugger, xmode = debugger,
	paste = "paste the text as it is: prompts in it are removed", cpaste = "paste the text as it is: prompts in it are removed",
	load = "%run FILE runs a script here, %edit FILE opens it first", writefile = "%save FILE writes the session's entries",
	logstart = "%history TEXT searches what all sessions have run", store = "tensor:save, net:save and %save FILE write to files",
	rerun = "Up and Ctrl-R bring entries back", recall = "Up and Ctrl-R bring entries back", rep = "Up and Ctrl-R bring entries back",
	macro = "a function does that: function name() ... end", alias = "a function does that: function ll() os.execute \"ls -l\" end",
	config = "init.lua in the folder that 'barlow doctor' names runs at the start", colors = "barlow --color never|always|auto",
	memit = "$ ps -o rss,args lists the memory of processes", cython = "nn.func and aug.func take Lua functions",
}

-- Hints for entries that are not valid Lua, by pattern.
local syntax = {
	{ "^%s*import%s", "barlow's modules need no import; require \"name\" loads others" },
	{ "^%s*from%s+[%w_.]+%s+import%s", "barlow's modules need no import; require \"name\" loads others" },
	{ "^%s*def%s", "in Lua: function name(x) ... end" },
	{ "^%s*class%s", "in Lua tables with metatables are classes" },
	{ "^%s*del%s", "in Lua: name = nil" },
	{ "^%s*with%s", "without gradients: tensor.no_grad(function() ... end)" },
	{ "^%s*for%s.*%sin%s.*:%s*$", "in Lua: for i, x in ipairs(list) do ... end" },
	{ "^%s*for%s.*:%s*$", "in Lua: for i = 1, n do ... end" },
	{ "^%s*if%s.*:%s*$", "in Lua: if x then ... end" },
	{ "^%s*while%s.*:%s*$", "in Lua: while x do ... end" },
	{ "%f[%w_]lambda%s+[%w_, ]*:", "in Lua: function(x) return ... end" },
	{ "[%w_%])]%s*[%+%-%*/]=", "in Lua: x = x + 1" },
	{ "!=", "'not equal' is ~=" },
	{ "%*%*", "x to the power of y is x ^ y" },
	{ "%s#%s", "comments begin with --" },
	{ "^%s*print%s+[%w_]", "in Lua: print(x)" },
	{ "^%s*%[.*%]%s*$", "lists are written in braces: {1, 2}" },
	{ "=%s*%[.*%]%s*$", "lists are written in braces: {1, 2}" },
	{ "%f[%w]f\"", "in Lua: (\"%d\"):format(x)" },
}

-- Hints for names: functions of Python that are called, and modules that are indexed.
local names = {
	len = "the length of x is #x", range = "in Lua: for i = 1, n do ... end", dir = "t:<Tab> and t.<Tab> list what t has, ?t says more",
	str = "tostring(x)", int = "math.tointeger(x) or x // 1", float = "tonumber(x)", enumerate = "ipairs(list)",
	abs = "math.abs(x), or t:abs() of a tensor", min = "math.min(a, b), or t:min() of a tensor",
	max = "math.max(a, b), or t:max() of a tensor", sum = "t:sum() of a tensor", sorted = "table.sort(list)",
	round = "math.floor(x + .5)", isinstance = "type(x)", input = "io.read()", torch = "tensors are made by tensor{...}, tensor.zeros(2, 3): ?tensor",
	np = "tensors are made by tensor{...}, tensor.zeros(2, 3): ?tensor", numpy = "tensors are made by tensor{...}: ?tensor",
	plt = "plot.curves, plot.lines and others draw: ?plot", F = "operations are methods of tensors: ?tensor", open = "io.open(path)",
	cd = hints.instead.cd,
}

-- Returns the hint that follows an error message, or "".
function hints.of(input, message)
	if message:find(" near ", 1, true) or message:find("expected", 1, true) then
		for _, s in ipairs(syntax) do
			if input:find(s[1]) then return (" (%s)"):format(s[2]) end
		end
	end
	local name = message:match "nil value %(global '([%w_]+)'%)"
	return name and names[name] and (" (%s)"):format(names[name]) or ""
end

return hints
