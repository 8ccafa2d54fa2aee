-- SPDX-License-Identifier: GPL-3.0-or-later
--[=[
Trains small runs, which takes about half a minute, and saves a figure of each kind: the gallery of docs/figures.md.

    barlow examples/figures.lua [FOLDER [EPOCHS]]

writes the figures into FOLDER (default: figures). Then `barlow verify FOLDER/*.svg` checks whether the runs still give
the same figures.
]=]
local folder, epochs = arg[1] or "figures", math.tointeger(tonumber(arg[2] or 6))
if not epochs or epochs < 1 then error("expected a whole number of epochs, got " .. arg[2], 0) end
local d = data.shapes{ n = 1024, size = 16, channels = 1, seed = 1 }
local queries = data.shapes{ n = 512, size = 16, channels = 1, seed = 2 } -- images that no run trains on

local function recipe(seed, lambda)
	return { data = d, encoder = nn.cnn{ channels = 1, widths = { 8, 16 }, image = 16 }, projector = { 64, 64 }, batch = 128, epochs = epochs,
		seed = seed, loss = loss.barlow{ lambda = lambda }, knn = { refs = d, queries = queries }, name = "gallery" }
end

local function train(seed, lambda)
	local t = trainer(recipe(seed, lambda))
	t:start():wait()
	return t
end

local s = sweep{ base = recipe(0, .005), space = { ["loss.lambda"] = { .001, .005, .02, .1 } }, seeds = 3, name = "gallery", validation = false }
local list = {}
for _, lambda in ipairs{ .005, .05 } do
	for seed = 1, 3 do list[#list + 1] = train(seed, lambda) end
end
s:run{ plain = true }

local some = d:subset(1, 300)
local features = eval.features(list[1].encoder, some)
local figures = {
	curves = plot.curves(list[1]),
	heatmap = plot.heatmap(list[1]),
	spectrum = plot.spectrum(list[1]),
	embedding = plot.embedding(features, { labels = some.labels }),
	sweep = plot.sweep(s, "loss.lambda", "invariance"),
	compare = plot.compare{ list[1], list[2], list[3], list[4], list[5], list[6], metric = "invariance" },
	lines = plot.lines{ { { 16, 64, 256, 1024 }, { 1 / 15 ^ .5, 1 / 63 ^ .5, 1 / 255 ^ .5, 1 / 1023 ^ .5 }, label = "1/sqrt(N-1)" }, title = "What chance gives",
		xlabel = "batch", ylabel = "rms of an element of C", logx = true, logy = true },
}
os.execute(("mkdir -p '%s'"):format(folder:gsub("'", "'\\''")))
for name, f in pairs(figures) do
	f:save(("%s/%s.svg"):format(folder, name), { width = "column" })
	print("saved " .. name)
end
