-- SPDX-License-Identifier: GPL-3.0-or-later
--[[
Measures what a Lua function in a pipeline costs: views per second and core with and without the function.

    barlow bench/func.lua [ROUNDS]

A rate is the number of views per second of CPU time of this process, which makes views with one thread and does little
else.  Other programs on the machine therefore disturb it less than they disturb wall-clock time.  Pipelines are
measured in turns.  Printed are the best rate of each pipeline, and the median, over the rounds, of its ratio to the
first one.
]]
local rounds = math.tointeger(tonumber(arg[1] or 7)) or error("expected a number of rounds, got " .. arg[1], 0)

local AHEAD = 3 -- batches that the loader has made in advance when the loop ends

local function rate(ds, views, batch, steps)
	local start = os.clock()
	for _ in data.loader{ data = ds, views = views, batch = batch, steps = steps, workers = 1 } do end
	return 2 * batch * (steps + AHEAD) / (os.clock() - start)
end

local function median(list)
	table.sort(list)
	return list[(#list + 1) // 2]
end

local function empty(img) return img end
local function darker(img) return img * .9 end

local function measure(title, ds, batch, steps, pipes)
	local best, ratios = {}, {}
	for _ = 1, rounds do
		local now = {}
		for i, p in ipairs(pipes) do
			now[i] = rate(ds, p.views, batch, steps)
			best[i] = math.max(best[i] or 0, now[i])
			ratios[i] = ratios[i] or {}
			table.insert(ratios[i], now[i] / now[1])
		end
	end
	print(title)
	for i, p in ipairs(pipes) do
		print(("  %-44s %9.0f views/s a core, ratio to the first %.2f"):format(p.name, best[i], median(ratios[i])))
	end
end

local grey = data.shapes{ n = 2048, size = 28, channels = 1, seed = 1 }
measure("28 x 28, 1 channel", grey, 256, 200, {
	{ name = "nothing", views = aug.compose{} },
	{ name = "aug.func, empty", views = aug.func(empty) },
	{ name = "aug.func, img * .9", views = aug.func(darker) },
})

local function main_job(...)
	return aug.compose{ aug.crop{ size = 28, scale = { .4, 1 } }, aug.flip(.5),
		aug.jitter{ brightness = .6, contrast = .6, saturation = 0, hue = 0, p = 1 }, ... }
end
measure("28 x 28, the main job's pipeline", grey, 256, 200, {
	{ name = "without", views = main_job() },
	{ name = "with an empty aug.func", views = main_job(aug.func(empty)) },
	{ name = "with img * .9", views = main_job(aug.func(darker)) },
})

local colour = data.shapes{ n = 512, size = 96, channels = 3, seed = 1 }
local paper = aug.paper{ size = 96 }
local function with(f) return aug.twin(aug.compose{ paper[1], aug.func(f) }, aug.compose{ paper[2], aug.func(f) }) end
measure("96 x 96, 3 channels, aug.paper", colour, 64, 40, {
	{ name = "without", views = paper },
	{ name = "with an empty aug.func", views = with(empty) },
	{ name = "with img * .9", views = with(darker) },
})
