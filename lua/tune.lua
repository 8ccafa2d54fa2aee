-- SPDX-License-Identifier: GPL-3.0-or-later
--[[
tune.lua: measures which convolution algorithm is fastest for which shape (barlow tune, trainer:tune).

Results are stored in a file, from which later runs choose their algorithms.  Existing runs keep the choices
that were recorded with them.
]]
local native = require "barlow.native"
local recipe = require "barlow.recipe"
local versions = require "barlow.versions"

local tune = {}

local directions, algorithms = native.tune_names()

local function heading()
	local cells = {}
	for i, a in ipairs(algorithms) do cells[i] = ("%9s"):format(a) end
	return ("%-28s %6s  %-16s %s  chosen"):format("shape, ms", "images", "direction", table.concat(cells, " "))
end

-- Formats the line of one direction of a shape.
local function line(row, direction)
	local cells, found = {}, row[direction]
	for i, a in ipairs(algorithms) do cells[i] = found[a] and ("%9.3f"):format(found[a]) or ("%9s"):format("-") end
	return ("%-28s %6d  %-16s %s  %s"):format(row.shape, row.images, direction, table.concat(cells, " "), found.best)
end

local function lines(row)
	local out = {}
	for i, d in ipairs(directions) do out[i] = line(row, d) end
	return table.concat(out, "\n")
end

local function text(report)
	local out = { heading() }
	for i, row in ipairs(report) do out[i + 1] = lines(row) end
	out[#out + 1] = report.note
	return table.concat(out, "\n")
end

local class = { __tostring = text, __name = "tuning" }

-- Measures shapes with `images` images each.  For each shape, appends a row to the report, {shape =, images =, forward =
-- {gather = ms, best = name}, ...}, and calls on_row with the row.
local function measure(shapes, images, report, on_row)
	local progress <close> = native.progress "tune"
	for i, shape in ipairs(shapes) do
		progress(i - 1, #shapes)
		local row = native.tune_measure(shape, images)
		row.shape, row.images = shape, images
		report[#report + 1] = row
		if on_row then on_row(row) end
	end
end

--[[
tune(): measures the shapes of a trainer's convolutions, and stores the results.  A trainer that has not started uses them;
a trainer that has started keeps its choices.
]]
function tune.trainer(t, on_row)
	local report = setmetatable({}, class)
	t:between(measure, native.tune_trainer(t), t.batch, report, on_row)
	native.tune_load()
	if t.state == "new" and t.iteration == 0 then
		native.tune_renew(t)
	else
		report.note = "this run continues with the choices that it started with"
	end
	return report
end

-- barlow tune

local function workloads()
	local nn = require "barlow".nn
	return {
		{ "small CNN, 28 x 28", nn.cnn{ channels = 1 }, 1, 28, 256 },
		{ "wider CNN, 28 x 28", nn.cnn{ channels = 1, widths = { 32, 64, 128, 256 }, pool = true }, 1, 28, 256 },
		{ "ResNet-18 on 32 x 32", nn.resnet{ depth = 18 }, 3, 32, 64 },
	}
end

local function print_row(row)
	print(lines(row))
	io.stdout:flush()
end

-- Shapes that two networks share are measured once.
local function built_in()
	local seen = {}
	for _, w in ipairs(workloads()) do
		local name, net, channels, side, images = table.unpack(w)
		local new = {}
		for _, shape in ipairs(native.tune_module(net, channels, side, side)) do
			if not seen[shape] then new[#new + 1] = shape end
			seen[shape] = true
		end
		print(name)
		measure(new, images, {}, print_row)
	end
end

local function refuse(message, ...) error(message:format(...), 0) end

-- Returns the path of a recipe's file; what: this path, or a run's name or folder.
local function recipe_path(what)
	local run = require "barlow".runs()[what]
	local folder = run and run.folder or native.exists(what .. "/.") and what
	if not folder then return native.exists(what) and what or refuse("'%s' is neither a run nor the file of a recipe", what) end
	local path = folder .. "/recipe.lua"
	if native.exists(path) then return path end
	refuse("%s has no recipe.lua (runs of C programs have none): give the file of a recipe", folder)
end

local function trainer_of(what)
	local path = recipe_path(what)
	local r, why = recipe.read(path)
	if not r then refuse("%s: expected a file that returns a trainer, like a run's recipe.lua", why) end
	local lacking = recipe.lacking(why)
	if lacking then refuse("%s: its text lacks %s", path, lacking) end
	local fine, t = pcall(function() return require "barlow".trainer(recipe.build(versions.complete(r))) end)
	return fine and t or refuse("%s: %s", path, t)
end

function tune.main(what)
	local t = what and trainer_of(what)
	print(heading())
	if t then tune.trainer(t, print_row) else built_in() end
	print("kept in " .. native.tune_path())
end

return tune
