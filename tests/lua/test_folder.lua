-- SPDX-License-Identifier: GPL-3.0-or-later
-- data.folder as a user sees it: images, training, evaluation, recipes, and errors.
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local test, equal, near, fails = tap.test, tap.equal, tap.near, tap.fails

local photographs = tap.root .. "tests/reference/photographs"

-- Two classes of the reference's images, cut into four, in a new folder.
local function with_classes(f)
	local folder = os.tmpname()
	os.remove(folder)
	local function sh(command) assert(os.execute((command:gsub("%%", "'" .. folder .. "'")))) end
	sh("mkdir -p %/day %/night && cp '" .. photographs .. "'/*.jpg %/day && cp '" .. photographs .. "'/*.png %/night")
	local fine, message = xpcall(f, debug.traceback, folder)
	sh "rm -r %"
	if not fine then error(message, 0) end
end

local function settings(ds, more)
	local s = {
		data = ds, encoder = nn.sequential(nn.flatten(), nn.linear(3 * 16 * 16, 8)), projector = false,
		views = aug.paper{ size = 16 }, batch = 4, epochs = 1, folder = false,
	}
	for k, v in pairs(more or {}) do s[k] = v end
	return s
end

test("images, labels and paths", function()
	with_classes(function(folder)
		local ds = data.folder(folder)
		equal(#ds, 8)
		equal(table.concat(ds.classes, " "), "day night")
		equal(ds[1].label, 1)
		equal(ds[8].label, 2)
		equal(ds[8].path, folder .. "/night/palette.png")
		equal(table.concat(ds[3].image:shape(), " "), "3 41 53")
		equal(tostring(ds):match ": ([^\n]*)", "8 images 41 x 53, 3 channels, 2 classes")
		equal(#ds.skipped, 0)
		equal(table.concat(data.folder{ path = folder, channels = 1 }[3].image:shape(), " "), "1 41 53")
	end)
end)

test("files in a folder that are not images are counted and named", function()
	with_classes(function(folder)
		for _, name in ipairs{ "notes.txt", "day/clip.mp4", "night/.hidden" } do assert(io.open(folder .. "/" .. name, "w")):close() end
		local ds = data.folder(folder)
		equal(#ds, 8)
		equal(table.concat(ds.skipped, "; "),
			"notes.txt: its name is not that of an image file; day/clip.mp4: its name is not that of an image file")
		equal(tostring(ds):match "classes, ([^\n]*)", "2 files not read (ds.skipped)")
		assert(io.open(folder .. "/day/z.jpg", "w")):close()
		ds = data.folder{ path = folder, skip_broken = true }
		equal(#ds, 8)
		equal(#ds.skipped, 3)
		equal(ds.skipped[3]:match ": .*", ": 0 bytes, expected a JPEG, PNG, WebP, TIFF, GIF, BMP or PNM file")
	end)
end)

test("endings select the files, and recipes of 0.1 keep theirs", function()
	local formats = tap.root .. "tests/reference/formats"
	local ds = data.folder{ path = formats, endings = "webp GIF", size = 8 }
	for i = 1, #ds do assert(ds[i].path:find "%.webp$" or ds[i].path:find "%.gif$") end
	equal(#ds, 8)
	local function described(call, t) return setmetatable(t, { call = call, single = true, n = 1, result = 1, results = 1 }) end
	local old = described("trainer", { data = described("data.folder", { path = formats, size = 8 }) })
	local folder = require "barlow.versions".complete(old).data
	equal(#load("return " .. require "barlow.recipe".text(folder))(), 14)
end)

test("alpha over a background, and rotated images", function()
	local formats = tap.root .. "tests/reference/formats"
	local function first(settings, name)
		settings.path, settings.labels, settings.size = formats, false, 17
		local ds = data.folder(settings)
		for i = 1, #ds do
			if ds[i].path:match "[^/]*$" == name then return ds[i].image end
		end
	end
	local ground = first({ background = { .2, .4, .8 } }, "alpha.png")
	tap.close(ground:permute{ 2, 3, 1 } * 255, tensor.load(formats .. "/alpha.png.over.npy"), 1e-4, 1e-4)
	local way = first({ orient = true }, "way6.jpg")
	equal(table.concat(way:shape(), " "), "3 23 17")
	fails(function() data.folder{ formats, background = { 1, 2, 3 } } end, "'background' must be a list of 1 to 3 numbers")
	fails(function() data.folder{ formats, background = { 1, 0 } } end, "'background' has 2 numbers, expected 1 or 3")
end)

test("without classes, and with a size", function()
	local ds = data.folder{ path = photographs, size = { 20, 30 } }
	equal(#ds, 8)
	equal(#ds.classes, 0)
	equal(ds[1].label, nil)
	equal(table.concat(eval.features(nil, ds):shape(), " "), "8 1800")
	equal(data.folder{ path = photographs, size = 16 }.width, 16)
	near(ds:statistics()[1], .5, .1)
end)

test("evaluation with backend pil gives whole bytes", function()
	local function pixels(backend)
		local ds = data.folder{ path = photographs, size = 16, backend = backend }
		equal(eval.features(nil, ds:subset(2, 3), { like = ds }):allclose(eval.features(nil, ds):narrow(1, 2, 2), 0, 0), true)
		local mean, std = ds:statistics()
		local x = eval.features(nil, ds):reshape(8, 3, 16, 16)
		return (x * tensor(std):reshape(1, 3, 1, 1) + tensor(mean):reshape(1, 3, 1, 1)) * 255
	end
	local pil, ours = pixels "pil", pixels "tensor"
	local whole, fractions = 0, 0
	for _, v in ipairs(pil:reshape(pil:numel()):totable()) do if math.abs(v - math.floor(v + .5)) > .01 then whole = whole + 1 end end
	for _, v in ipairs(ours:reshape(ours:numel()):totable()) do if math.abs(v - math.floor(v + .5)) > .01 then fractions = fractions + 1 end end
	equal(whole, 0)
	equal(fractions > 1000, true)
	near((pil - ours):abs():mean():item(), 0, 8)
	fails(function() data.folder{ path = photographs, backend = "PIL" } end, "'backend' must be one of tensor, pil")
end)

test("a trainer with kNN, its views and its recipe", function()
	with_classes(function(folder)
		local ds = data.folder{ path = folder, size = 16 }
		local t = trainer(settings(ds, { epochs = 2, knn = { refs = ds, queries = ds, k = 1 } }))
		t:start():wait()
		equal(t.state, "done")
		local recipe = tostring(t.recipe)
		assert(recipe:find(("path = %q"):format(folder), 1, true), recipe)
		assert(recipe:find('fingerprint = "v1 8 files, names ', 1, true), recipe)
		local mine, theirs = data.loader{ data = ds, views = aug.paper{ size = 16 }, batch = 8, seed = 5, workers = 1 },
			data.loader{ data = ds, views = aug.paper{ size = 16 }, batch = 8, seed = 5, workers = 3 }
		local _, a = mine()
		local _, b = theirs()
		tap.close(a, b, 0, 0)
	end)
end)

test("a file that is damaged during the run ends it with the file's name", function()
	with_classes(function(folder)
		local ds = data.folder{ path = folder, size = 16 }
		ds:statistics()
		local file = assert(io.open(folder .. "/night/palette.png", "wb"))
		file:write "no longer a picture"
		file:close()
		fails(function() trainer(settings(ds, { batch = 8 })):run() end,
			"night/palette.png: it has been changed or replaced since it was listed (", "bytes then, 19 now)")
		ds = data.folder{ path = folder, size = 16 }
		fails(function() return ds[8] end, "night/palette.png: byte 0")
		fails(function() return eval.features(nil, ds) end, "night/palette.png: byte 0")
		local rest = data.folder{ path = folder, skip_broken = true }
		equal(#rest, 7)
		assert(rest.skipped[1]:find("night/palette.png: byte 0", 1, true))
	end)
end)

test("invalid folders and settings are refused", function()
	fails(function() return data.folder{} end, "data.folder", "path")
	fails(function() return data.folder "/nonexistent" end, "/nonexistent: No such file")
	fails(function() return data.folder{ path = photographs, size = 2.5 } end, "'size'", "2.5")
	fails(function() return data.folder{ path = photographs, size = 0 } end, "'size'", "between 1 and 16384")
	fails(function() return data.folder{ path = photographs, channels = 2 } end, "channels = 2, expected 3 or 1")
	fails(function() return data.folder{ path = photographs, skip = true } end, "unknown key 'skip'")
	fails(function() return data.folder{ photographs, endings = "xyz" } end, "no image file in it (names end in xyz; ")
	fails(function() return data.folder(photographs .. "\0/elsewhere") end, "data.folder: 'path' contains a zero byte")
end)

tap.done()
