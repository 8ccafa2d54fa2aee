-- SPDX-License-Identifier: GPL-3.0-or-later
-- prompt_hints.lua: commands and words of Python and IPython, and their counterparts at this prompt.
local hints = {}

-- Commands of IPython that have another name at this prompt.
hints.alias = {
	timeit = "bench", whos = "who", who_ls = "who", hist = "history", prun = "prof", lsmagic = "help", magic = "help",
	quickref = "help", tb = "traceback", reset_selective = "reset",
}

-- Commands that are passed to the shell.
hints.shell = { ls = true, pwd = true, cat = true, mkdir = true, rmdir = true, rm = true, cp = true, mv = true, less = true,
	man = true, clear = true, env = true, ll = "ls -l" }

local packages = "barlow has no packages to install; require \"name\" loads a Lua module from the folders in LUA_PATH"
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
	{ "[%(,]%s*%[[^%[].*%]", "lists are written in braces: {1, 2}" },
	{ "%(%s*%([^()]*,", "sizes are given one by one, or in braces: f(2, 3), f{2, 3}" },
	{ "{%s*[%w\"'_]+%s*:", "in Lua: {name = value} or {[1] = value}" },
	{ "[%w_%])]%s*@%s*[%w_(]", "the product of matrices is a:mm(b) or a:matmul(b)" },
	{ "%[[^%]]*:[^%]]*%]", "a part of a tensor is t:narrow(dim, start, length), t:select(dim, i) or t[i]" },
	{ "^%s*barlow%s+%l", "a command of the shell: $ barlow ..." },
	{ "^%s*try%s*:", "in Lua: ok, message = pcall(f)" },
	{ "^%s*assert%s+[%w_]", "in Lua: assert(x, message)" },
	{ "%sif%s.*%selse%s", "in Lua: x = a and b or c" },
	{ ":[%a_][%w_]*%s*$", "a method is called with (): t:stop()" },
}

-- Hints for names: functions of Python that are called, and modules that are indexed.
local names = {
	len = "the length of x is #x", range = "in Lua: for i = 1, n do ... end", dir = "t:<Tab> and t.<Tab> list what t has, ?t shows more",
	str = "tostring(x)", int = "math.tointeger(x) or x // 1", float = "tonumber(x)", enumerate = "ipairs(list)",
	abs = "math.abs(x), or t:abs() of a tensor", min = "math.min(a, b), or t:min() of a tensor",
	max = "math.max(a, b), or t:max() of a tensor", sum = "t:sum() of a tensor", sorted = "table.sort(list)",
	round = "math.floor(x + .5)", isinstance = "type(x)", input = "io.read()", torch = "tensors are made by tensor{...}, tensor.zeros(2, 3): ?tensor",
	np = "tensors are made by tensor{...}, tensor.zeros(2, 3): ?tensor", numpy = "tensors are made by tensor{...}: ?tensor",
	plt = "plot.curves, plot.lines and others draw: ?plot", F = "operations are methods of tensors: ?tensor", open = "io.open(path)",
	cd = hints.instead.cd,
}

local device = "barlow computes on the CPU, and tensors are float32"

-- What is to be written instead of names of PyTorch and other libraries, by owner and kind of the unknown name in the message.
local unknown = {
	["tensor field"] = { T = "t:t() of a matrix, t:transpose(1, 2)", to = device, cuda = device, cpu = device, device = device, dtype = device,
		float = device, half = device, numpy = "t:save(\"x.npy\") writes NumPy's format, t:totable() gives a table",
		tolist = "t:totable()", ndim = "t:dim()", nelement = "t:numel()", add = "a + b", sub = "a - b", mul = "a * b", div = "a / b",
		bmm = "a:matmul(b)", requires_grad_ = "t:requires_grad(true)" },
	["module field"] = { forward = "net(x)", to = device, cuda = device, cpu = device, state_dict = "net:save(\"x.safetensors\") and net:load keep it",
		load_state_dict = "net:load(\"x.safetensors\")", weight = "for name, p in net:parameters() do ... end",
		bias = "for name, p in net:parameters() do ... end", named_parameters = "for name, p in net:parameters() do ... end" },
	["dataset field"] = { shape = "#ds, ds.channels, ds.height and ds.width", size = "#ds", len = "#ds", targets = "ds.labels",
		transform = "views are made by trainer{views = ...}: ?aug" },
	["trainer key"] = { lr = "optim = optim.adamw{lr = ...}", weight_decay = "optim = optim.adamw{weight_decay = ...}",
		lambda = "loss = loss.barlow{lambda = ...}", device = device, gpus = device, model = "encoder = ...", backbone = "encoder = ...",
		batch_size = "batch = ...", max_epochs = "epochs = ...", num_workers = "workers = ...", augment = "views = ...",
		transform = "views = ...", dataset = "data = ..." },
	["trainer field"] = { fit = "t:run() trains, t:start() in the background", train = "t:run() trains, t:start() in the background",
		model = "t.encoder and t.projector", history = "t.records", lambda = "t.terms.lambda is its value, t:set{lambda = ...} changes it" },
}

-- Replaces the list of known names after an unknown name by what is to be written, if `unknown` has it.
local function explain_unknown(message)
	return (message:gsub("(%l+): unknown (%l+) '([%w_]+)' %b()", function(owner, thing, name)
		local of_owner = unknown[owner .. " " .. thing]
		return of_owner and of_owner[name] and ("%s: unknown %s '%s' (%s)"):format(owner, thing, name, of_owner[name])
	end, 1))
end

-- Adds the methods of an object written in Lua to a message about one that it lacks: `x:name(` in the entry, x a global.
local function explain_method(input, message)
	local name = message:match "nil value %(method '([%w_]+)'%)"
	local variable = name and input:match("([%a_][%w_]*)%s*:%s*" .. name .. "%f[^%w_]")
	local meta = variable and getmetatable(rawget(_G, variable))
	local kind = type(meta) == "table" and type(rawget(_G, variable)) == "table" and meta.__name
	local has, of_trainer = {}, false
	for _, e in ipairs(kind and require "barlow.registry".entries() or {}) do
		if e.group == kind and e.kind == "method" then has[#has + 1] = e.last end
		of_trainer = of_trainer or e.name == "trainer:" .. name
	end
	if #has == 0 then return message end
	table.sort(has)
	local maker = kind == "run" and of_trainer and (": runs.fork(%s) makes a trainer of it, which has '%s'"):format(variable, name) or ""
	return (message:gsub(" %(did you mean.*", "")) .. (" (a %s has %s%s)"):format(kind, table.concat(has, ", "), maker)
end

-- Returns a hint for a setting that counts as missing since the variable given for it is nil, or nil.
local function nil_setting(input, message)
	local key = message:match "'([%w_]+)' is missing"
	local name = key and input:match("%f[%w_]" .. key .. "%s*=%s*([%a_][%w_]*)%s*[,;}\n]")
	return name and name ~= "nil" and rawget(_G, name) == nil and (" ('%s' is nil here)"):format(name) or nil
end

-- Returns the message with its hints.
function hints.explained(input, message)
	local name = message:match "nil value %(global '([%w_]+)'%)"
	if name and names[name] then message = message:gsub(" %(did you mean.*", "") end
	message = explain_method(input, explain_unknown(message))
	return message .. (nil_setting(input, message) or hints.of(input, message))
end

-- Returns the hint that follows an error message, or "".
function hints.of(input, message)
	if message:find "for iterator" then return " (in Lua: for i, x in ipairs(list) do ... end; a data set is such a list)" end
	if message:find "attempt to add a 'string'" then return " (a .. b joins strings)" end
	if message:find(" near ", 1, true) or message:find("expected", 1, true) then
		for _, s in ipairs(syntax) do
			if input:find(s[1]) then return (" (%s)"):format(s[2]) end
		end
	end
	local name = message:match "nil value %(global '([%w_]+)'%)"
	if name == "f" and input:find "%f[%w_]f[\"']" then return " (in Lua: (\"%d\"):format(x))" end
	return name and names[name] and (" (%s)"):format(names[name]) or ""
end

return hints
