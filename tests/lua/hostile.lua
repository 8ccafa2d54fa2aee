-- SPDX-License-Identifier: GPL-3.0-or-later
--[[
hostile.lua: hostile recipes, {name, text}.  "@" in a text is the path of a folder with the user's files, in which no recipe
may create, change or remove anything: "@/mark" must not appear, and "@/victim" must stay.
]]
local settings = [[projector = {8}, batch = 32, epochs = 40, seed = 1, name = "hostile"}]]
local set = [[data = data.shapes{n = 64, size = 8, channels = 1, seed = 1}]]
local network = [[nn.mlp(64, {widths = {8}, flatten = true})]]

-- A trainer with the given layer in front; its network is that of the run whose recipe is replaced.
local function with_layer(layer)
	return ("return trainer{%s, encoder = nn.sequential(%s, %s), %s"):format(set, layer, network, settings)
end
local plain = with_layer "nn.func(function(x) return x end)"
local function head(text) return text .. "\n" .. plain end
-- A layer that executes the given text whenever it runs.
local function body(text) return with_layer(("nn.func(function(x) %s return x end)"):format(text)) end
local function with_data(text) return (plain:gsub("data = data%b{}", function() return "data = " .. text end)) end
local function with_setting(text) return (plain:gsub("seed = 1, name", function() return "seed = 1, " .. text .. ", name" end)) end

local function nested(open, inner, close, n) return open:rep(n) .. inner .. close:rep(n) end

return {
	plain = plain,
	-- What the text of a recipe could call.
	{ "os.execute", head [[os.execute "touch @/mark"]] },
	{ "io.open", head [[io.open("@/mark", "w"):close()]] },
	{ "io.popen", head [[io.popen("touch @/mark"):close()]] },
	{ "os.remove", head [[os.remove "@/victim"]] },
	{ "os.rename", head [[os.rename("@/victim", "@/mark")]] },
	{ "require", head [[require "os".execute "touch @/mark"]] },
	{ "require native", head [[require "barlow.native".run_watch "@/mark"]] },
	{ "package.loadlib", head [[package.loadlib("libc.so.6", "system")]] },
	{ "load", head [[load "os.execute 'touch @/mark'" ()]] },
	{ "dofile", head [[dofile "@/script.lua"]] },
	{ "loadfile", head [[loadfile "@/script.lua" ()]] },
	{ "debug.getregistry", head [[debug.getregistry()._LOADED.os.execute "touch @/mark"]] },
	{ "debug.getupvalue", head [[select(2, debug.getupvalue(nn.linear, 1)).os.execute "touch @/mark"]] },
	{ "global table", head [[_G.os.execute "touch @/mark"]] },
	{ "environment", head [[_ENV.io.open("@/mark", "w")]] },
	{ "barlow's table", head [[barlow.os.execute "touch @/mark"]] },
	{ "string metatable", head [[getmetatable("").__index.dump(print)]] },
	{ "tensor.save", head [[tensor.save("@/victim", tensor.zeros(1))]] },
	{ "tensor method", head [[tensor.zeros(1):save "@/victim"]] },
	{ "method of a metatable", head [[getmetatable(tensor.zeros(1)).__methods.save(tensor.zeros(1), "@/victim")]] },
	{ "module:save", head [[nn.linear(2, 2):save "@/victim"]] },
	{ "module:save by a call's result", with_layer [[nn.linear(2, 2):init(1):save("@/victim")]] },
	{ "trainer:run", head [[trainer{data = 1}:run{}]] },
	{ "trainer:save", plain .. [[:save "@/victim"]] },
	{ "runs", head [[runs()[1]:delete()]] },
	{ "plot", head [[plot.lines{{{1, 2}, {1, 2}}}:save "@/victim"]] },
	{ "loader", head [[data.loader{data = data.shapes{}}]] },
	{ "tensor.load of any file", head [[tensor.load "@/victim"]] },
	{ "tensor.load upwards", head [[tensor.load "../../somebody/victim"]] },
	{ "coroutine", head [[coroutine.wrap(function() os.execute "touch @/mark" end)()]] },
	{ "bytecode", "\27Lua\x54\0\x19\x93\r\n\x1a\n\4\8\8" .. ("x"):rep(200) },
	{ "a call that is a text", head [[local call = data.shapes{}.split call("x", .5)]] },
	-- What a layer could do when it runs.
	{ "layer: os", body [[if os then os.execute "touch @/mark" end]] },
	{ "layer: io", body [[local f = io and io.open("@/mark", "w")]] },
	{ "layer: os by error", body [[os.execute "touch @/mark"]] },
	{ "layer: save", body [[pcall(function() x:save "@/victim" end) pcall(function() tensor.save("@/victim", x) end)]] },
	{ "layer: module", body [[pcall(function() nn.relu():save "@/victim" end) pcall(function() nn.linear(1, 1):load "@/victim" end)]] },
	{ "layer: string.dump and load", body [[if load then load "os.execute 'touch @/mark'" () end]] },
	{ "layer: trainer", body [[if trainer then trainer{}:run() end if runs then runs() end if plot then plot.lines{} end]] },
	{ "layer: through a global's function", with_layer [[(function() local t = tensor.load return nn.func(function(x) t "@/victim" return x end) end)()]] },
	{ "layer: within a layer", body [[nn.func(function(y) if os then os.execute "touch @/mark" end return y end)(x)]] },
	{ "layer: finalizer", body [[pcall(setmetatable, {}, {__gc = function() if os then os.execute "touch @/mark" end end})]] },
	{ "layer: endless", body [[while true do end]] },
	{ "layer: endless in pcall", body [[while true do pcall(function() while true do end end) end]] },
	{ "layer: memory", body [[local t = {} while true do t[#t + 1] = ("x"):rep(1e7) .. #t end]] },
	{ "layer: math.random", body [[x = x * math.random() * math.random(3) pcall(math.random, 1, 0) pcall(math.randomseed, 7)]] },
	{ "math.random", head [[for _, n in ipairs{0, 1, 1 << 62} do math.random(n) end math.random(-5, 5) math.randomseed(1, 2)]] },
	{ "math.random of nothing good", head [[pcall(math.random, 1, 2, 3) pcall(math.random, {}) math.random(2, 1)]] },
	{ "math.randomseed in pcall", head [[pcall(math.randomseed) pcall(math.randomseed, "x") pcall(math.randomseed, 0/0)]] },
	-- What a text could use up.
	{ "endless", head [[while true do end]] },
	{ "endless in pcall", head [[while true do pcall(function() while true do end end) end]] },
	{ "endless in a finalizer", head [[setmetatable({}, {__gc = function() while true do end end})]] },
	{ "endless in a closing variable", head [[local x <close> = setmetatable({}, {__close = function() while true do end end}) error "x"]] },
	{ "endless in C: rep", head [[string.rep("", 1e18)  local s = ("x"):rep(1e18)]] },
	{ "endless in C: pattern", head [[string.find(("a"):rep(10000), ("a*"):rep(30) .. "b")]] },
	{ "endless in C: move", head [[table.move({}, 1, 1e17, 2)]] },
	{ "gigabytes", head [[local t = {} while true do t[#t + 1] = ("x"):rep(1e7) .. #t end]] },
	{ "deep recursion", head [[local function f() return 1 + f() end f()]] },
	{ "deep recursion through pcall", head [[local function f() return pcall(f) end f() f()]] },
	{ "deep nesting", head("local x = " .. nested("{", "", "}", 10000)) },
	{ "deep description", "local m = nn.relu() for i = 1, 1e5 do m = nn.sequential(m) end return trainer{encoder = m}" },
	{ "a description that doubles", "local m = nn.relu() for i = 1, 60 do m = nn.sequential(m, m) end return trainer{encoder = m}" },
	{ "a table that doubles", "local t = {1} for i = 1, 60 do t = {t, t} end return trainer{knn = t}" },
	{ "a table in itself", "local t = {} t[1] = t return trainer{knn = t}" },
	{ "many labels", "do " .. ("::a%d:: "):rep(20000):gsub("%%d", (function() local i = 0 return function() i = i + 1 return i end end)()) .. " end " .. plain },
	{ "an error that is a table", head [[error(setmetatable({}, {__tostring = function() while true do end end}))]] },
	{ "an error with escapes", head [[error("\27]0;title\7\27[2J")]] },
	{ "an endless print", head [[while true do print(("x"):rep(99), "y") end]] },
	{ "one long print", head [[for i = 1, 9 do print(("x"):rep(1e6)) end]] },
	{ "writing to libraries", head [[math.pi = 3]] },
	{ "writing to constructors", head [[nn.linear = nn.relu]] },
	{ "no text but a number", "return 3" },
	{ "a table that claims to be a call", [[return setmetatable({call = "os.execute", n = 1, "touch @/mark"}, {call = "os.execute"})]] },
	{ "no trainer", [[return nn.linear(2, 2)]] },
	-- What settings could do.
	{ "another folder", with_setting [[folder = "@/mark"]] },
	{ "a data set that is a FIFO", with_data [[data.idx{images = "@/fifo"}]] },
	{ "a data set that is a device", with_data [[data.idx{images = "/dev/zero"}]] },
	{ "a data set that is standard input", with_data [[data.idx{images = "/dev/stdin"}]] },
	{ "a table of images that is a FIFO", with_data [[data.csv{"@/fifo"}]] },
	{ "a table of images that is a device", with_data [[data.csv{"/dev/zero"}]] },
	{ "a table of images that is somebody's file", with_data [[data.csv{"@/victim", header = false, size = 8}]] },
	{ "an archive that is a FIFO", with_data [[data.tar{"@/fifo", size = 8}]] },
	{ "an archive that is a device", with_data [[data.tar{"/dev/zero", size = 8}]] },
	{ "archives without end", with_data [[data.tar{"@/s-{000000000..999999999}.tar", size = 8}]] },
	{ "a folder of images upwards", with_data [[data.folder{"@/..", size = 8, cache = "disk"}]] },
	{ "an image function: os", with_data [[data.func(64, function(i) if os then os.execute "touch @/mark" end
		pcall(function() io.open("@/mark", "w") end) return tensor.rand(1, 8, 8) end)]] },
	{ "an image function: save", with_data [[data.func(64, function(i) local x = tensor.rand(1, 8, 8)
		pcall(function() x:save "@/victim" end) pcall(function() tensor.save("@/mark", x) end) return x end)]] },
	{ "an image function: endless", with_data [[data.func(64, function(i) while true do pcall(function() while true do end end) end
		end, {seconds = 3600})]] },
	{ "an image function: memory", with_data [[data.func(64, function(i) local t = {} while true do t[#t + 1] = ("x"):rep(1e7) .. #t end
		end, {memory = 65536})]] },
	{ "an image function: numbers without end", with_data [[data.func(1e18, function(i) return tensor.rand(1, 8, 8) end)]] },
	{ "an image function: a huge image", with_data [[data.func(64, function(i) return tensor.zeros(64, 100000, 100000) end)]] },
	{ "a map: os", with_data [[data.shapes{n = 64, size = 8, channels = 1, seed = 1}:map(function(x)
		if os then os.execute "touch @/mark" end return x end)]] },
	{ "vectors of a file", with_data [[data.vectors(tensor.load "@/victim")]] },
	{ "weights that are a FIFO", with_layer [[nn.linear(8, 8):load "@/fifo"]] },
	{ "a huge layer", with_layer [[nn.linear(1000000000, 1000000000)]] },
	{ "a huge batch", with_setting "precision = 'float32', warmup = 1e300, workers = 1e9" },
	{ "terminal codes in its name", (plain:gsub('"hostile"', [["\27[2J\27]0;x\7"]])) },
}
