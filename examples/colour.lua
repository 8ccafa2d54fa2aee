-- SPDX-License-Identifier: GPL-3.0-or-later
--[[
Colour pictures from files: the icons of Debian's package oxygen-icon-theme, 48 x 48, whose folders (actions, apps,
devices ...) are the classes.  An encoder is trained without labels; then the classes of held-out icons are predicted by kNN
on its features, on those of the same encoder before training, and on raw pixels.

    barlow examples/colour.lua [--steps N] [--seed N] [--icons FOLDER]

--steps   training steps of 128 icons (120)
--seed    seed of the split, the weights and the views (1)
--icons   folder that contains the class folders (/usr/share/icons/oxygen/base/48x48)

data.folder follows links, and many icons are links to others.  Each picture is used once, so that none is on both sides of
the split, and only classes of at least 50 pictures: 1046 icons in 5 classes.

Training does not help here, and the example says so.  Accuracy of plain and of whitened kNN on 314 held-out icons (seed 1):
    raw pixels       .736  .576
    before training  .713  .732
    trained          .592  .640     with these views, after 120 steps
With the 1044 icons that are files and not links, the trained encoder reached .65 and .68 after 40 to 160 steps, and .63 and .71
after 300 steps with noise and crops of at least half the area.
A likely reason, which was not tested: classes differ by position and colour (a mimetype is a sheet of paper in the same place),
to which views make an encoder invariant, and 730 icons are too few to learn other features.  So the views here change colour and
position only slightly; the stronger views that were tried gave lower accuracies.
]]

local function options(list)
	local o = { steps = 120, seed = 1, icons = "/usr/share/icons/oxygen/base/48x48" }
	for i = 1, #list, 2 do
		local name, value = list[i]:match "^%-%-(%a+)$", list[i + 1]
		if o[name] == nil then error(("unknown option '%s'"):format(list[i]), 0) end
		o[name] = name == "icons" and value or math.tointeger(tonumber(value))
		if not o[name] or (name ~= "icons" and o[name] < 1) then error(list[i] .. ": expected a whole number of at least 1", 0) end
	end
	return o
end

local o = options(arg)
local SIZE, LEAST = 48, 50

-- Returns the rows without repeated pictures (a link repeats its file) of the classes that still have enough pictures,
-- and whether there are several such classes.
local function find_rows(ds)
	local seen, rows, counts, weights = {}, {}, {}, {}
	for i = 1, #ds do
		local pixels = ds[i].image:contiguous():view(-1)
		local n = #pixels
		weights[n] = weights[n] or tensor.rand(n)
		local key = n .. " " .. (pixels * weights[n]):sum():item()
		if not seen[key] then
			seen[key], rows[#rows + 1] = true, i
			counts[ds.labels[i]] = (counts[ds.labels[i]] or 0) + 1
		end
	end
	local kept, classes = {}, {}
	for _, i in ipairs(rows) do
		local label = ds.labels[i]
		if counts[label] >= LEAST then kept[#kept + 1], classes[label] = i, true end
	end
	return kept, next(classes, next(classes)) ~= nil
end

local found, icons = pcall(data.folder, { o.icons, size = SIZE, background = 1, cache = "memory" })
local rows, several = find_rows(found and icons or {})
if not several then
	error(("%s: no folders of %d and more icons: sudo apt-get install oxygen-icon-theme, or --icons FOLDER%s"):format(o.icons, LEAST,
		found and "" or " (" .. icons .. ")"), 0)
end
local all = icons:subset(rows)
print(all)
local train, test = all:split(.7, o.seed)

local views = aug.repeated(aug.compose{
	aug.crop{ size = SIZE, scale = { .8, 1 }, ratio = { 1, 1 } },
	aug.jitter{ brightness = .2, contrast = .2, saturation = .2, hue = .02, p = .8 },
	aug.cutout{ size = .5, p = .8 },
	aug.noise{ std = .02, p = .5 },
}, 2)

local function encoder()
	return nn.cnn{ channels = 3, widths = { 32, 64, 128, 256 }, strides = { 2, 2, 2, 2 }, image = SIZE }:init(o.seed)
end

local function accuracies(name, e)
	local plain = eval.knn{ encoder = e, train = train, test = test, k = 5 }
	local white = eval.knn{ encoder = e, train = train, test = test, k = 5, whiten = true }
	print(("%-20s %.3f  %.3f"):format(name, plain, white))
end

local counts = {}
for _, label in ipairs(test.labels) do counts[label] = (counts[label] or 0) + 1 end
print(("\n%-20s %s  %s"):format("kNN", "plain", "whitened"))
print(("%-20s %.3f"):format("largest class", math.max(table.unpack(counts)) / #test))
accuracies("raw pixels", nn.flatten())
accuracies("before training", encoder())

local began = os.time()
local t = trainer{
	name = "icons", folder = false, data = train, views = views, encoder = encoder(), projector = { 256, 256, 256 },
	batch = 128, steps = o.steps, seed = o.seed, optim = optim.adamw{ lr = 1e-3, weight_decay = .01 },
}
t:step(o.steps)
accuracies("trained", t.encoder)
print(("%d steps in %d s"):format(o.steps, os.time() - began))
