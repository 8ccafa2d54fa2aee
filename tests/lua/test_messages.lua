-- SPDX-License-Identifier: GPL-3.0-or-later
-- Invalid input: every message says what was wrong, where, and what was expected.
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local test, fails, with_file = tap.test, tap.fails, tap.with_file

local function idx_images(n, side)
	return string.pack(">I4I4I4I4", 0x803, n, side, side) .. ("\7"):rep(n * side * side)
end
local function idx_labels(n) return string.pack(">I4I4", 0x801, n) .. ("\1"):rep(n) end

-- gzip with one stored block, without the checksum at its end
local function gzip_head(text)
	return "\31\139\8\0\0\0\0\0\0\3" .. string.pack("<BI2I2", 1, #text, ~#text & 0xffff) .. text
end

local function settings(more)
	local s = {
		data = data.shapes{ n = 40, size = 8, channels = 1 }, encoder = nn.sequential(nn.flatten(), nn.linear(64, 8)),
		projector = false, views = aug.crop(8), batch = 20, epochs = 2,
	}
	for k, v in pairs(more or {}) do s[k] = v end
	return s
end

test("a message names the line of the user's script, and none in barlow's own Lua files", function()
	local function place_of(f, ...)
		local fine, message = pcall(f, ...)
		if fine then error("it did not fail", 2) end
		if message:find "barlow%.[%w_]+:%d" then error(message, 2) end
		return message:match "^[^:]*test_messages.lua:%d+: " and "here" or "none"
	end
	local function bad_layer() return nn.sequential(nn.func(function(x) if not os then error "broken" end return x end), nn.flatten()) end
	tap.equal(place_of(function() trainer(settings{ encoder = bad_layer(), folder = false }):run{ quiet = true } end), "here")
	tap.equal(place_of(function() trainer(settings{ folder = false }):export_features{ path = "/nonexistent/x.npy" } end), "here")
	local t = trainer(settings{ folder = false })
	t.recipe.data.size = 0
	tap.equal(place_of(function() trainer(setmetatable({ data = setmetatable({ size = 0 }, getmetatable(t.recipe.data)) },
		getmetatable(t.recipe))) end), "here")
	for _, f in ipairs{
		function() runs.resume "/nonexistent" end, function() runs.find "nothing" end, function() runs.list{ where = "x >" } end,
		function() sweep.open "/nonexistent" end, function() plot.curves{ "/nonexistent" } end,
		function() aug.preview(aug.crop(8), data.shapes{ n = 1 }, { path = "/nonexistent/x.png" }) end,
	} do place_of(f) end
end)

test("an error that ends a script names the nearest global, and the nearest method of an object written in Lua", function()
	local function said(code)
		local pipe = assert(io.popen(("'%s' -e '%s' 2>&1"):format(os.getenv "BARLOW", code)))
		local text = pipe:read "a"
		pipe:close()
		return text
	end
	for code, words in pairs{
		["trainr{}"] = "global 'trainr') (did you mean 'trainer'?)",
		["runs() local run = {} run:journl()"] = "method 'journl') (did you mean 'journal'?)",
		["local run = {} run:qqqqqqq()"] = "method 'qqqqqqq')\n",
	} do
		local text = said(code)
		if not text:find(words, 1, true) then error(text) end
	end
end)

test("a method that is called with a dot says how it is called", function()
	local x = tensor.zeros(2, 3)
	fails(function() x.size() end, "tensor expected, got no value; a method is called with ':', as t:size()")
	fails(function() x.unsqueeze(1) end, "tensor expected, got number 1; a method is called with ':', as t:unsqueeze()")
	fails(function() nn.relu().parameters() end, "a method is called with ':', as net:parameters()")
	fails(function() data.shapes{ n = 4 }.subset(1, 2) end, "got number 1; a method is called with ':', as ds:subset()")
	fails(function() x:mm(3) end, "tensor expected, got number)")
end)

test("the settings that may be set are listed, with the invalid value", function()
	local t = trainer(settings{ folder = false })
	fails(function() t:set{ lr = "abc" } end, "set: 'lr' must be a number, got string 'abc'")
	fails(function() t:set{ lambda = true } end, "set: 'lambda' must be a number, got true")
	fails(function() t:set{ 3 } end, "set: expected names with numbers, as in set{lr = .001}, got number 1 as a name")
	fails(function() t:set{ lrr = 1 } end, "nothing called 'lrr' can be set", "did you mean 'lr'?")
end)

test("a sandboxed function may print 64 KiB per call", function()
	local code = ([[local f = aug.func(function(x) for i = 1, 9000 do print(("x"):rep(30)) end return x end)
		for i = 1, 2 do f(tensor.rand(1, 2, 2), i) end]]):gsub("%s+", " ")
	local pipe = assert(io.popen(("'%s' -e '%s' 2>&1"):format(os.getenv "BARLOW", code)))
	local text = pipe:read "a"
	pipe:close()
	tap.equal(select(2, text:gsub("prints more than 64 KiB: the rest is left out\n", "")), 2)
	tap.equal(#text > 120000 and #text < 132000, true, #text)
end)

test("missing file", function()
	fails(function() return data.idx{ images = "/nonexistent/images" } end, "/nonexistent/images", "No such file")
	fails(function() return data.fashion{ folder = "/nonexistent" } end, "/nonexistent", "dataset-fashion-mnist")
end)

test("truncated IDX", function()
	with_file(idx_images(3, 4):sub(1, 40), function(path)
		fails(function() return data.idx{ images = path } end, path, "3 x 4 x 4", "24 bytes")
	end)
	with_file(idx_images(3, 4):sub(1, 9), function(path) fails(function() return data.idx(path) end, path, "9") end)
end)

test("gzip cut short", function()
	with_file(gzip_head(idx_images(3, 4)):sub(1, 50), function(path)
		fails(function() return data.idx{ images = path } end, path, "gzip")
	end)
end)

test("wrong magic", function()
	with_file("hello, world, this is no IDX file", function(path)
		fails(function() return data.idx{ images = path } end, path, "magic")
	end)
end)

test("labels that do not match the images", function()
	with_file(idx_images(3, 4), function(images)
		with_file(idx_labels(2), function(labels)
			fails(function() return data.idx{ images = images, labels = labels } end, labels, "2", "3")
		end)
	end)
end)

test("a valid IDX file is read", function()
	with_file(idx_images(3, 4), function(images)
		with_file(idx_labels(3), function(labels)
			local ds = data.idx{ images = images, labels = labels }
			tap.equal(#ds, 3)
			tap.equal(ds[3].label, 2)
			tap.near(ds[1].image[{ 1, 2, 3 }], 7 / 255, 1e-6)
			fails(function() return ds[4] end, "4", "1..3")
			fails(function() return ds.lables end, "did you mean 'labels'")
			fails(function() return ds:subset(1, 4) end, "4", "1..3")
			fails(function() return ds:subset{ 0 } end, "0", "1..3")
		end)
	end)
end)

test("batch larger than the set, batch of 1", function()
	fails(function() return trainer(settings{ batch = 41 }) end, "41", "40")
	fails(function() return trainer(settings{ batch = 1 }) end, "batch", "1")
	local four = data.shapes{ n = 4, size = 8 }
	fails(function() return data.loader{ data = four, batch = 5, views = aug.crop(8) } end, "5", "4")
end)

test("settings of methods that are written in Lua are refused at the line of the user's call", function()
	local folder = os.tmpname()
	os.remove(folder)
	local t = trainer(settings{ folder = folder, name = "past", steps = 2 })
	t:start():wait()
	local r, name = runs.get(folder), debug.getinfo(1, "S").short_src
	local function refused(f, message)
		local _, why = pcall(f)
		local line = debug.getinfo(f, "S").linedefined
		if why ~= ("%s:%d: %s"):format(name, line, message) then error(why) end
	end
	refused(function() local _ = r:at(1, "quick") end, "run:at: expected a table of settings, got a string")
	refused(function() local _ = r:at(1, { quick = true }) end, "run:at: unknown key 'quick' (did you mean 'quiet'?)")
	refused(function() local _ = r:first(print, { from = "a" }) end, "run:first: 'from' must be an integer, got string")
	fails(function() return r:at(1, { path = {} }) end, "run:at: 'path' must be a string, got table")
	fails(function() return t:at(1, { path = {} }) end, "at: 'path' must be a string, got a table")
	refused(function() local _ = sweep{ bass = {} } end, "sweep: unknown key 'bass' (did you mean 'base'?)")
	os.execute("rm -r " .. folder)
end)

test("arguments of functions that are written in Lua are refused by what was expected", function()
	fails(function() return runs.resume(print) end, "runs.resume: expected the name or folder of a run", "got a function")
	fails(function() return runs.tag("x") end, "expected a tag, as in runs.tag")
	fails(function() return runs.export{ path = print } end, "path must be a string, got a function")
	fails(function() return runs.get{} end, "expected the name of a run, got a table")
	fails(function() return runs.best{ metric = {} } end, "metric must be the name of a column, got a table")
	fails(function() return runs.query() end, "runs.query: expected a question in SQL, got a nil")
	fails(function() return linspace(0, 1, 1 << 40) end, "linspace: the count must be an integer from 2 to 1000000")
	fails(function() return plot.lines({ { { 1, 2 }, { 1, 2 } } }, { title = "a" }) end, "must be in the same table as the series")
	fails(function() return plot.lines({ { { 1, 2 }, { 1, 2 } }, title = "a" }, 3) end, "must be in the same table as the series")
end)

test("unknown keys name the nearest known one", function()
	fails(function() return trainer(settings{ epoch = 3 }) end, "trainer: unknown key 'epoch'", "did you mean 'epochs'")
	fails(function() return trainer(settings{ knn = { ref = 1 } }) end, "knn", "did you mean 'refs'")
	fails(function() return data.shapes{ sise = 3 } end, "did you mean 'size'")
	fails(function() return aug.crop{ size = 8, ratios = 1 } end, "did you mean 'ratio'")
	fails(function() return aug.paper{ sizes = 8 } end, "did you mean 'size'")
	fails(function() return eval.knn{ trian = 1 } end, "did you mean 'train'")
end)

test("a field that does not exist", function()
	local ds = data.shapes{ n = 4, size = 8 }
	local message = fails(function() return ds.zebra end, "dataset: unknown field 'zebra' (known: balance, channels, classes,")
	if message:find("zebra: unknown", 1, true) then error(message) end
	fails(function() return ds[{ 1, 3 }] end, "dataset: expected an index or the name of a field, got table")
	fails(function() return nn.relu()[true] end, "module: expected", "got true")
end)

test("wrong types name key, expected and got", function()
	fails(function() return trainer(settings{ data = 3 }) end, "'data' must be a dataset", "number 3")
	fails(function() return trainer(settings{ encoder = {} }) end, "'encoder' must be a module", "table")
	fails(function() return trainer(settings{ views = 3 }) end, "views", "aug.twin", "number 3")
	fails(function() return trainer(settings{ projector = "x" }) end, "projector", "widths", "string 'x'")
	fails(function() return trainer(settings{ loss = optim.sgd{} }) end, "'loss' must be a loss", "optimiser")
	fails(function() return trainer{ encoder = nn.relu() } end, "'data' is missing")
	fails(function() return trainer{ data = data.shapes{ n = 4 } } end, "'encoder' is missing")
	fails(function() return trainer(settings{ schedule = "line" }) end, "constant, cosine", "line")
	fails(function() return trainer() end, "table expected")
	fails(function() return eval.knn{ train = 3, test = 4 } end, "train", "number 3")
	fails(function() return eval.knn{ train = tensor.zeros(2, 3), test = tensor.zeros(2, 3) } end, "train_labels")
	fails(function() return eval.knn{ train = tensor.zeros(2, 3), train_labels = { 1 }, test = tensor.zeros(2, 3) } end, "1 label", "features of 2 images")
	fails(function() return aug.compose{ 3 } end, "item 1", "number 3")
	fails(function() return aug.crop(8)(tensor.zeros(8, 8)) end, "(C, H, W)", "(8, 8)")
	fails(function() return aug.flip(2) end, "flip", "2")
	fails(function() return plot.lines{ { { 1, 2 }, { 1 } } } end, "2 values of x for 1 of y")
	local fine = { { 1, 2 }, { 1, 2 } }
	fails(function() return plot.lines{ fine, { { 1, 2 }, { 1, 2 }, lable = "a" } } end,
		"plot.lines: series 2: unknown key 'lable' (did you mean 'label'?)")
	fails(function() return plot.lines{ { { 1 }, { 1 }, { 1 } } } end, "series 1: unknown key '3' (known: x, y, label, low, high)")
	fails(function() return plot.lines{ { { 1 }, { 1 }, label = 3 } } end, "series 1: 'label' must be a string, got number 3")
	fails(function() return plot.lines{ { { 1 }, y = 3 } } end, "series 1: 'y' must be a list of numbers or a tensor, got number 3")
	fails(function() return plot.lines{ { 1, 2 } } end, "series 1: 'x' must be a list of numbers or a tensor, got number 1")
	fails(function() return plot.lines{ 3 } end, "series 1 must be a table")
	fails(function() return plot.lines{ { { 1 }, { "a" } } } end, "'y' must be numbers, got string 'a' at 1")
	fails(function() return plot.lines{ fine, { { 1, 2 }, { 0 / 0, 1 / 0 }, label = "loss" } } end,
		"series 2 ('loss') has no point that can be drawn: all its values are NaN, infinite or beyond 1e300")
	fails(function() return plot.lines{ { { 1, 2 }, { -1, 0 } }, logy = true } end, "a logarithmic axis shows finite numbers above 0 only")
	fails(function() return plot.heatmap(tensor.full({ 2, 2 }, 0 / 0)) end, "of shape (2, 2), are NaN or infinite")
end)

test("shapes that do not match are both named", function()
	fails(function() return tensor.zeros(2, 3):mm(tensor.zeros(4, 5)) end, "(2, 3)", "(4, 5)")
	fails(function() return trainer(settings{ encoder = nn.linear(5, 6) }) end, "linear", "5")
	local encoder = nn.sequential(nn.flatten(), nn.linear(65, 8))
	fails(function() return trainer(settings{ encoder = encoder }) end, "65", "64")
	local colour = data.shapes{ n = 64, size = 8, channels = 3 }
	for _, projector in ipairs{ false, { 8 } } do
		fails(function() return trainer(settings{ encoder = nn.cnn{ widths = { 4 }, image = 8 }, data = colour, projector = projector }) end,
			"takes images of 1 channel, these have 3: make it with channels = 3")
	end
end)

test("messages name a layer as a user can type it, from 1", function()
	local net = nn.sequential(nn.flatten(), nn.sequential(nn.relu(), nn.linear(5, 4)))
	local place = fails(function() net(tensor.zeros(2, 1, 8, 8)) end, "(linear 5 -> 4): expected (N, 5), got (2, 64)"):match "(%[[%[%]%d]*) %(linear"
	tap.equal(load("return function(net) return net" .. place .. " end")()(net) == net[2][2], true)
	fails(function() trainer(settings{ encoder = net }) end, "trainer: views of 8 x 8: encoder[2][2] (linear 5 -> 4): ")
	fails(function() trainer(settings{ encoder = nn.resnet{ depth = 18, width = 4, channels = 3 } }) end,
		"encoder.conv1 (conv2d 3 -> 4")
	fails(function() trainer(settings{ encoder = nn.sequential(nn.residual(nn.conv2d(1, 1, 3))) }) end,
		"encoder[1]: residual: the branch gives")
	tap.equal(net:parameters()(), "1.1.weight") -- names of weights are PyTorch's
end)

test("NaN names step and module", function()
	local broken = nn.linear(64, 8)
	local t = trainer(settings{ encoder = nn.sequential(nn.flatten(), broken) })
	t:step(2)
	local _, w = broken:parameters()()
	w[{ 1, 1 }] = 0 / 0
	fails(function() t:step(1) end, "step 3", "encoder[2] (linear", "NaN")
end)

test("lambda negative", function()
	fails(function() return loss.barlow{ lambda = -.1 } end, "lambda", "at least 0", "-0.1")
	fails(function() return trainer(settings()):set{ lambda = -1 } end, "lambda", "at least 0")
	fails(function() return trainer(settings()):set{ lamda = 1 } end, "did you mean 'lambda'")
end)

test("numbers that are too large or NaN, and settings that are not a table", function()
	fails(function() trainer(settings()):run(50) end, "trainer:run", "a table of settings", "number 50")
	fails(function() trainer(settings{ batch = 1 << 40 }) end, "'batch' must be an integer, at most 2147483647, got 1099511627776")
	fails(function() trainer(settings{ batch = "20" }) end, "'batch' must be an integer, got string '20'")
	fails(function() trainer(settings{ epochs = math.huge }) end, "'epochs' must be a number between", "got inf")
	fails(function() loss.barlow{ lambda = -(0 / 0) } end, "'lambda'", "at least 0, got nan")
end)

test("a binary chunk is refused by the name of its file", function()
	with_file(string.dump(function() end), function(path)
		fails(function() dofile(path) end, path, "binary chunk", "expected the text of a Lua script")
	end)
end)
tap.done()
