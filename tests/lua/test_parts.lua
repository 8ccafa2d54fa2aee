-- SPDX-License-Identifier: GPL-3.0-or-later
-- Data sets made of data sets, how they print, and how unreadable images are found.
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local test, equal, fails = tap.test, tap.equal, tap.fails

local recipe = require "barlow.recipe"

-- All pixels of image i have grey level first + i - 1 (default: i); counts[k] images of class k, in the order of the classes.
local function levels(counts, first)
	local labels, n = {}, 0
	for class, count in ipairs(counts) do
		for _ = 1, count do labels[#labels + 1] = class end
	end
	n = #labels
	local values = {}
	for i = 1, n do values[i] = ((first or 1) + i - 1) / 255 end
	return data.tensor(tensor(values):reshape(n, 1, 1, 1):expand{ n, 1, 2, 2 }:contiguous(), labels)
end
local function level(ds, i) return math.floor(ds[i].image[1][1][1] * 255 + .5) end
local function levels_of(ds)
	local out = {}
	for i = 1, #ds do out[i] = level(ds, i) end
	return out
end
local function text(list) return table.concat(list, " ") end
local function counts_of(ds)
	local counts = {}
	for _, label in ipairs(ds.labels) do counts[label] = (counts[label] or 0) + 1 end
	return text(counts)
end

test("few takes equally many of each class, and of all images in smaller classes", function()
	local ds = levels{ 30, 10, 20 }
	local five, nine = ds:few{ per_class = 5, seed = 4 }, ds:few(9, { seed = 4 })
	equal(counts_of(five), "5 5 5")
	equal(counts_of(nine), "9 9 9")
	local of_nine = {}
	for _, v in ipairs(levels_of(nine)) do of_nine[v] = (of_nine[v] or 0) + 1 end
	for _, v in ipairs(levels_of(five)) do equal(of_nine[v], 1) end
	equal(text(levels_of(five)), text(levels_of(ds:few{ per_class = 5, seed = 4 })))
	assert(text(levels_of(five)) ~= text(levels_of(ds:few{ per_class = 5, seed = 5 })))
	fails(function() ds:few(11) end, "class 2 has 10 images, expected at least 11")
	fails(function() ds:few(0) end, "per_class", "between 1")
	fails(function() ds:few() end, ":few: 'per_class' is missing")
	fails(function() data.tensor(tensor.rand(3, 1, 2, 2)):few(1) end, "has no labels")
end)

test("balance repeats small classes and cuts large ones", function()
	local ds = levels{ 7, 3, 0, 5 }
	local most, four = ds:balance(), ds:balance{ per_class = 4 }
	equal(#most, 21)
	local seen = {}
	for _, v in ipairs(levels_of(most)) do seen[v] = (seen[v] or 0) + 1 end
	for v = 1, 7 do equal(seen[v], 1) end
	local twos, threes = 0, 0
	for v = 8, 10 do
		twos, threes = twos + (seen[v] == 2 and 1 or 0), threes + (seen[v] == 3 and 1 or 0)
	end
	equal(twos, 2)
	equal(threes, 1)
	equal(#four, 12)
	equal(four.labels[4], 1)
	equal(four.labels[8], 2)
	equal(four.labels[12], 4)
end)

test("concat appends sets", function()
	local a, b = levels{ 2, 2 }, levels({ 1, 1, 1 }, 101)
	local ds = a:concat(b:subset{ 3, 1 }, a)
	equal(text(levels_of(ds)), "1 2 3 4 103 101 1 2 3 4")
	equal(text(ds.labels), "1 1 2 2 3 1 1 1 2 2")
	equal(text(levels_of(ds:subset{ 6, 10 }:concat(ds:subset(5, 5)))), "101 4 103")
	local mean = a:concat(b):statistics()
	tap.near(mean[1] * 255, (1 + 2 + 3 + 4 + 101 + 102 + 103) / 7, 1e-4)
	local without = a:concat(data.tensor(tensor.rand(3, 1, 2, 2)))
	equal(#without.classes, 0)
	equal(without[1].label, nil)
	fails(function() a:concat(data.shapes{ n = 3, size = 8 }) end, "has 1 channel", "has 3")
	fails(function() a:concat() end, "expected another data set")
	local causes = data.shapes{ n = 4, size = 8 }:concat(data.shapes{ n = 2, size = 8, seed = 9 })
	equal(causes[5].factors.x, data.shapes{ n = 2, size = 8, seed = 9 }[1].factors.x)
	for _, batch in data.loader{ data = ds, views = aug.compose{}, batch = 10 } do equal(batch:size(1), 10) end
end)

local formats = tap.root .. "tests/reference/photographs"
local function with_folders(f)
	local root = os.tmpname()
	os.remove(root)
	local function sh(command) assert(os.execute((command:gsub("%%", "'" .. root .. "'")))) end
	sh("mkdir -p %/a/cat %/a/dog %/b/ant %/b/dog")
	for _, place in ipairs{ "a/cat", "a/dog", "b/ant", "b/dog" } do
		sh(("cp '%s'/palette.png %%/%s/"):format(formats, place))
	end
	local fine, message = xpcall(f, debug.traceback, root, sh)
	sh "rm -r %"
	if not fine then error(message, 0) end
end

test("concat merges classes of the same name, and keeps paths", function()
	with_folders(function(root)
		local ds = data.folder(root .. "/a"):concat(data.folder(root .. "/b"))
		equal(text(ds.classes), "cat dog ant")
		equal(text(ds.labels), "1 2 3 2")
		equal(ds[3].path, root .. "/b/ant/palette.png")
		equal(ds[3].image:size(1), 3)
	end)
end)

test("verify names damaged images", function()
	with_folders(function(root, sh)
		equal(#data.folder{ root .. "/a", verify = true }:verify(), 0)
		sh "head -c 200 %/a/cat/palette.png >%/a/cat/cut.png; : >%/a/dog/empty.jpg"
		local ds = data.folder(root .. "/a")
		local broken = ds:verify()
		equal(#broken, 2)
		assert(broken[1]:find("/a/cat/cut.png", 1, true), broken[1])
		assert(broken[2]:find("/a/dog/empty.jpg: 0 bytes", 1, true), broken[2])
		fails(function() data.folder{ root .. "/a", verify = true } end, "2 of 4 images cannot be read", "cut.png", "empty.jpg")
	end)
end)

test("sets print with classes and counts, mean and standard deviation", function()
	equal(tostring(levels{ 3, 1 }), "tensor: 4 images 2 x 2, 1 channel, 2 classes\n  1 3, 2 1\n  mean 0.010, std 0.004")
	equal(tostring(levels{ 2, 2 }):match "\n([^\n]*)", "  2 of each: 1, 2")
	local many = {}
	for i = 1, 40 do many[i] = i % 3 + 1 end
	local lines = tostring(levels(many))
	assert(lines:find("24 1, and 16 more\n", 1, true), lines)
	for line in lines:gmatch "[^\n]+" do assert(#line <= 100, line) end
	with_folders(function(root, sh)
		sh ": >%/a/dog/empty.png"
		assert(tostring(data.folder(root .. "/a")):find("mean and std are not known: ", 1, true))
	end)
end)

test("show draws an image with its label and properties", function()
	local script = ("'%s' -e 'data.shapes{n = 3, size = 8, channels = 1}:show(2)' 2>&1"):format(os.getenv "BARLOW")
	local pipe = assert(io.popen(script))
	local out = pipe:read "a"
	pipe:close()
	assert(out:find("shapes, image 2: 8 x 8, ", 1, true), out)
	assert(not out:find "\27", "no colours where there is no terminal")
	equal(select(2, out:gsub("\n", "\n")), 33)
	fails(function() data.shapes{ n = 3, size = 8 }:show(4) end, "show: image 4 is outside of 1..3")
end)

test("recipes state how parts are made, with their seeds", function()
	local ds = data.shapes{ n = 200, size = 8, channels = 1 }
	local made = ds:few(4):concat(ds:balance{ seed = 7 })
	local line = recipe.text(recipe.copy(made))
	assert(line:find(":few({per_class = 4, seed = 0})", 1, true), line)
	assert(line:find(":balance({seed = 7})", 1, true), line)
	local back = load("return " .. line)()
	equal(#back, #made)
	for _, i in ipairs{ 1, 17, 40, #made } do tap.close(back[i].image, made[i].image, 0, 0) end
end)

test("a run on parts is resumed", function()
	local folder = os.tmpname()
	os.remove(folder)
	local ds = data.shapes{ n = 300, size = 8, channels = 1 }
	local function run(more)
		local s = { data = ds:few(8, { seed = 3 }):concat(ds:balance{ per_class = 3 }), projector = { 8 }, batch = 32,
			encoder = nn.cnn{ channels = 1, widths = { 4 }, image = 8 }, seed = 5 }
		for k, v in pairs(more) do s[k] = v end
		return trainer(s)
	end
	local whole, cut = run{ folder = false, epochs = 100 }, run{ folder = folder, epochs = 100 }
	whole:step(100)
	tap.stop_at(cut, 7)
	local again = runs.resume(folder)
	again:step(93)
	for i = 1, 100 do equal(again:record(i).total, whole:record(i).total, "loss of step " .. i) end
	os.execute(("rm -r '%s'"):format(folder))
end)

tap.done()
