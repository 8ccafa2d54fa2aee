-- SPDX-License-Identifier: GPL-3.0-or-later
--[[
sweep.lua: the declaration of a sweep (a base recipe, the settings that vary, seeds) and its folder.

An arm is a point of the space; a trial is an arm with a seed.  The arm, seed and recipe of trial k depend on the declaration
and k alone (except with the sampler tpe), so that any process can run any trial, and equal sweeps have equal trials.  The
declaration is stored as FOLDER/sweep.lua, and read in the sandbox for recipes.  Workers (worker.lua) run the trials, a driver
starts the workers (driver.lua), and results.lua reads the results.
]]
local added = require "barlow.sweep_added"
local native = require "barlow.native"
local recipe = require "barlow.recipe"
local registry = require "barlow.registry"
local sampler = require "barlow.sampler"
local space = require "barlow.space"
local versions = require "barlow.versions"

local sweep = {}

local Sweep = { __index = {}, __name = "sweep" }
sweep.class = Sweep

local REFERENCES = 10000 -- greatest number of reference images of the kNN
local SPLIT_SEED = 0     -- of the split into training and validation images, the same in every trial

-- The declaration.

-- For the examples in help: a sweep of a small run, constructed but not run.
sweep.example = "sweep{base = {data = data.shapes{n = 64, size = 8, channels = 1}, encoder = nn.cnn{widths = {4}, image = 8}, "
	.. "projector = {8}, batch = 16, epochs = 1}, space = {[\"loss.lambda\"] = {.005, .01}}, seeds = 2}"

local entry = registry.add{
	name = "sweep", kind = "function", signature = "sweep{...}: sweep", example = sweep.example,
	text = "Declares a sweep: a recipe whose settings vary, each variant with several seeds.  s:run() runs it, s:table() compares the results.",
	keys = {
		{ name = "base", type = "any", expected = "a table of trainer's settings, or a recipe", otherwise = "`trial` returns all settings",
			text = "the recipe whose settings vary" },
		{ name = "space", type = "table", required = true,
			text = "by path into the recipe (\"loss.lambda\", \"views.blur.p\"): a list of values, or a distribution "
				.. "(sweep.uniform, loguniform, integer)" },
		{ name = "trial", type = "function", otherwise = "base with the values of the space",
			text = "function(p) that returns the settings of a trainer for the point p; it may call constructors only" },
		{ name = "seeds", type = "any", expected = "a number of seeds, or a list of integers", default = 3,
			text = "the seeds of each arm; a number of seeds begins with the base's seed" },
		{ name = "sampler", type = "string", otherwise = "grid where all axes are lists, else random",
			text = "grid, random, halton or tpe" },
		{ name = "metric", type = "string", default = "knn", text = "the metric to compare: a column of the records, or \"linear\"" },
		{ name = "goal", type = "string", otherwise = "max for accuracies, else min", text = "whether the metric is to be large or small: max or min" },
		{ name = "validation", type = "any", expected = "a fraction of the training images, a dataset, or false", default = .1,
			text = "labelled images on which the metric is measured, held out of training, unless base has knn = {...}" },
		{ name = "test", type = "any", expected = "a dataset", otherwise = "none",
			text = "images that are used only by s:best{test = true}" },
		{ name = "budget", type = "table", otherwise = "all trials of a grid, 20 arms of other samplers",
			text = "{trials =, time =}: greatest number of trials, and seconds after which no trial begins" },
		{ name = "prune", type = "any", expected = "\"median\", \"asha\" or a table {kind =, first =, eta =}", otherwise = "no trial is pruned",
			text = "ends trials early: those worse than the median of the others, or, with asha, not among the best 1/eta" },
		{ name = "stop", type = "table", otherwise = "every arm gets all seeds",
			text = "{interval =, of =}: an arm gets no further seed once the confidence interval of its paired difference from the base "
				.. "(of = \"difference\") or of its own mean (of = \"arm\", the default without a base) extends at most `interval` to either "
				.. "side; an interval is computed after each seed from the second on, and their error probabilities add up to 1 - level" },
		{ name = "baseline", type = "boolean", default = true, text = "the base itself is an arm, and other arms are compared with it" },
		{ name = "level", type = "number", default = .95, text = "confidence level of intervals and tests" },
		{ name = "jobs", type = "integer", otherwise = "one for each two cores",
			text = "number of worker processes at a time, which share the cores" },
		{ name = "memory", type = "integer", otherwise = "no limit", text = "limit on the memory of a worker, in megabytes" },
		{ name = "retries", type = "integer", default = 2, text = "further attempts at a trial whose worker died" },
		{ name = "name", type = "string", default = "sweep", text = "the beginning of its folder's name" },
		{ name = "folder", type = "string", otherwise = "one in the folder of all sweeps, named by name and declaration",
			text = "the folder of the sweep; if it has the same sweep already, that one continues" },
	},
}

local function refuse(format, ...) error(("sweep: " .. format):format(...), 0) end

local function one_of(what, v, ...)
	for _, word in ipairs{ ... } do
		if v == word then return v end
	end
	local near = type(v) == "string" and native.nearest(v, { ... })
	refuse("%s must be %s, got '%s'%s", what, table.concat({ ... }, ", "), native.clean(tostring(v)),
		near and (" (did you mean '%s'?)"):format(near) or "")
end

local function whole(what, v, low, high)
	if math.type(v) ~= "integer" or v < low or v > high then
		refuse("%s must be a whole number from %d to %d, got %s", what, low, high, tostring(v))
	end
	return v
end

-- Checks of space, seeds, budget and pruning.

local function check_space(s)
	s.paths = space.paths(s.space)
	if #s.paths == 0 then refuse "'space' is empty: expected paths with their values, as in {[\"loss.lambda\"] = {.01, .02}}" end
	local lists = true
	for _, path in ipairs(s.paths) do
		if type(path) ~= "string" then refuse("'space' has the key %s: expected paths such as \"loss.lambda\"", tostring(path)) end
		if path == "seed" or path == "folder" or path == "name" then
			refuse("'%s' cannot be varied: %s", path, path == "seed" and "give seeds = n" or "the sweep sets it for each trial")
		end
		space.check_axis(path, s.space[path])
		lists = lists and not s.space[path].distribution
	end
	s.sampler = one_of("sampler", s.sampler or (lists and "grid" or "random"), "grid", "random", "halton", "tpe")
	if s.sampler == "grid" and not lists then refuse "a grid needs a list of values for every path: give lists, or sampler = \"random\"" end
end

local function check_seeds(s, first)
	if math.type(s.seeds) == "integer" then
		local list = {}
		for i = 1, whole("seeds", s.seeds, 1, 10000) do list[i] = first + i - 1 end
		s.seeds = list
	end
	if type(s.seeds) ~= "table" or #s.seeds == 0 then refuse "seeds must be a number of seeds, or a list of integers" end
	local seen = {}
	for _, v in ipairs(s.seeds) do
		if math.type(v) ~= "integer" then refuse("seeds must be integers, got %s", tostring(v)) end
		if seen[v] then refuse("the seed %d is given twice", v) end
		seen[v] = true
	end
	s.seed = s.seeds[1]
end

local ARMS = 20 -- default number for samplers other than grid, without a budget

local function check_budget(s)
	local budget = s.budget or {}
	for k, v in pairs(budget) do
		one_of("a key of budget", k, "trials", "time")
		if type(v) ~= "number" or not (v > 0) then refuse("budget.%s must be a number above 0, got %s", k, tostring(v)) end
	end
	local arms = s.sampler == "grid" and sampler.grid_size(s.space, s.paths) or ARMS
	if s.sampler ~= "grid" and budget.trials then
		arms = math.max(1, math.tointeger(budget.trials // 1) // #s.seeds - (s.base_arm and 1 or 0))
	end
	s.arms = arms + (s.base_arm and 1 or 0)
	s.trials = whole("the number of trials (arms x seeds)", s.arms * #s.seeds, 1, 1000000)
	if budget.trials then s.trials = math.min(s.trials, math.max(1, math.tointeger(budget.trials // 1))) end
end

local function check_prune(s)
	local p = s.prune
	if not p then return end
	if type(p) == "string" then p = { kind = p } end
	if type(p) ~= "table" then refuse "prune must be \"median\", \"asha\" or a table {kind =, first =, eta =}" end
	one_of("prune", p.kind, "median", "asha")
	for k in pairs(p) do one_of("a key of prune", k, "kind", "first", "eta") end
	s.prune = { kind = p.kind, first = p.first or 1, eta = p.eta or 3 }
	if type(s.prune.first) ~= "number" or not (s.prune.first > 0) then refuse "prune.first must be a number of epochs above 0" end
	if type(s.prune.eta) ~= "number" or not (s.prune.eta > 1) then refuse "prune.eta must be a number above 1" end
end

-- The setting `stop` is stored as `narrow`, since sweeps have a method `stop`.
local function check_stop(s)
	local stop = s.stop
	s.stop = nil
	for k in pairs(stop or {}) do one_of("a key of stop", k, "interval", "of") end
	s.narrow, s.narrow_of = stop and stop.interval, stop and stop.of
	if s.narrow_of then one_of("stop.of", s.narrow_of, "difference", "arm") end
	if stop and not (type(s.narrow) == "number" and s.narrow > 0) then refuse "stop.interval must be a number above 0" end
end

-- Points.

-- Returns the arm's values by path, {} for the base.
function sweep.values(s, arm)
	local out, part = {}, nil
	if arm == s.base_arm then return out end
	for _, p in ipairs(s.parts) do
		if arm >= p.from and arm <= p.to then part = p end
	end
	if not part then error(("sweep: there is no arm %d"):format(arm), 0) end
	local n, of = arm - part.from + 1, { seed = s.seed, paths = s.paths, space = part.space }
	local u = s.sampler == "tpe" and sweep.drawn(s, n) or sampler.kinds[s.sampler](n, of)
	for i, path in ipairs(s.paths) do out[path] = space.value(part.space[path], u[i]) end
	return out
end

-- Trials are ordered by blocks: arms from..to, each with the seeds at indices first..last.  Within a block all arms get their
-- first seed before any gets its second, unless the sampler depends on results (tpe).
local function block_size(b) return (b.to - b.from + 1) * (b.last - b.first + 1) end

-- Returns the arm and the seed's index of trial k.
function sweep.arm_of(s, k)
	local rest = k - 1
	for _, b in ipairs(s.blocks) do
		local arms, seeds = b.to - b.from + 1, b.last - b.first + 1
		if rest < arms * seeds then
			if s.sampler == "tpe" then return b.from + rest // seeds, b.first + rest % seeds end
			return b.from + rest % arms, b.first + rest // arms
		end
		rest = rest - arms * seeds
	end
	error(("sweep: there is no trial %d"):format(k), 0)
end

-- Updates s from the declaration and everything that any process has added to the sweep since.
function sweep.refresh(s)
	local now = added.read(s)
	local trials = #now.blocks == 1 and s.declared.trials or 0
	for _, b in ipairs(#now.blocks > 1 and now.blocks or {}) do trials = trials + block_size(b) end
	s.arms, s.seeds, s.blocks, s.space, s.parts, s.trials = now.arms, now.seeds, now.blocks, now.space, now.parts, math.min(trials, 1000000)
end

local function add_arms(s, n)
	if s.sampler == "grid" then refuse "a grid has no further arms: add values = {[\"loss.lambda\"] = {.04}}" end
	added.append(s, { arms = whole("arms", n, 1, 100000) })
end

local function add_seeds(s, seeds)
	if math.type(seeds) == "integer" then
		local n, top = whole("seeds", seeds, 1, 10000), s.seeds[1]
		for _, v in ipairs(s.seeds) do top = math.max(top, v) end
		seeds = {}
		for i = 1, n do seeds[i] = top + i end
	end
	if not added.is_integers(seeds) then refuse "add: seeds must be a list of integers, or a number of seeds" end
	for _, v in ipairs(seeds) do
		for _, old in ipairs(s.seeds) do
			if v == old then refuse("the sweep has the seed %d already", v) end
		end
	end
	added.append(s, { seeds = seeds })
end

-- Returns the point of an arm of tpe.  The first process that needs it draws it from the results so far, and stores the
-- point and these results.
function sweep.drawn(s, arm)
	local path = ("%s/arms/%04d.json"):format(s.folder, arm)
	local text = native.read_file(path)
	if not text then
		local known = require "barlow.results".known(s)
		local saw = {}
		for i, p in ipairs(known) do saw[i] = { arm = p.arm, value = p.value } end
		native.make_folder(s.folder .. "/arms")
		native.create_file(path, native.json_text{ u = sampler.kinds.tpe(arm, s, known), saw = saw })
		text = assert(native.read_file(path))
	end
	local drawn = native.json_read(text)
	local u = type(drawn) == "table" and drawn.u
	for i = 1, #s.paths do
		local v = type(u) == "table" and u[i]
		if type(v) ~= "number" or not (v >= 0 and v < 1) then error(path .. ": not the point of an arm", 0) end
	end
	return u
end

-- Recipes.

-- Returns the base as a description: a copy of a recipe, or the description of a table of settings.
local function settings_of(base)
	local meta = type(base) == "table" and getmetatable(base)
	if meta and meta.__recipe then return recipe.copy(base) end
	if type(base) ~= "table" then refuse("'base' must be a table of trainer's settings, or a recipe, got %s", type(base)) end
	return recipe.of_settings(base)
end

-- Adds the images on which the metric is measured: held out from the recipe's own images, or a given set.
local function validate(s, r)
	if s.validation == false or r.knn then return r end
	local train, queries = r.data, s.validation
	if type(queries) == "number" then
		local share = 1 - queries
		r.data = recipe.call(":split", { recipe.copy(train), share, SPLIT_SEED }, 1, 2)
		queries = recipe.call(":split", { recipe.copy(train), share, SPLIT_SEED }, 2, 2)
	end
	local refs = recipe.copy(r.data)
	if s.references then refs = recipe.call(":subset", { refs, 1, s.references }) end
	r.knn = { refs = refs, queries = recipe.copy(queries) }
	return r
end

-- Returns the base with these values.  They are set in the order of their paths, so that "views[1].blur.p" overrides
-- "views.blur.p".
local function with_values(s, values)
	local r = recipe.copy(s.base)
	for _, path in ipairs(space.paths(values)) do space.set(r, path, recipe.copy(values[path])) end
	return r
end

-- Returns Lua code that calls `trial` with these values; it is run in the sandbox for recipes.
local function made_text(s, values)
	return ("return trainer((%s)(%s))\n"):format(recipe.text(s.trial), (recipe.text(recipe.copy(values))))
end

local function made(s, values, path)
	native.write_file(path, made_text(s, values), true)
	local r, why = recipe.read(path)
	if not r then error(why, 0) end
	return r
end

-- Returns the recipe (settings of trainer{}) for these values and seed; a call of `trial` is written to the folder as text.
function sweep.recipe_of(s, values, seed, name, folder)
	local r
	if s.trial then
		native.make_folder(folder)
		r = made(s, values, folder .. "/trial.lua")
	else
		r = with_values(s, values)
	end
	r.seed, r.name = seed, name
	r.keep = r.keep ~= "all" and "records" or r.keep
	return validate(s, r)
end

-- Returns the recipe of trial k.
function sweep.recipe(s, k)
	local arm, seed = sweep.arm_of(s, k)
	return sweep.recipe_of(s, sweep.values(s, arm), s.seeds[seed], ("%s %04d"):format(s.name, k), native.trial_path(s.folder, k))
end

-- Makes a trainer that never runs: it raises the recipe's errors, and has its settings with all defaults.
local function dry(r)
	r.folder = false
	return require "barlow".trainer(r)
end

-- Replaces the base by its settings with all defaults, so that every path that may vary exists.  Returns its trainer.
local function complete(s)
	local r = settings_of(s.base)
	local own_sets = r.knn
	local t = dry(validate(s, recipe.copy(r)))
	local data = t.knn and #t.knn.refs or 0
	s.references = not own_sets and data > REFERENCES and REFERENCES or nil
	local full = t.recipe
	if not own_sets then full.data, full.knn = recipe.copy(r.data), nil end
	full.folder, full.name, full.convolution = nil, nil, full.convolution or {}
	getmetatable(full).__recipe = true
	s.base = full
	return t
end

-- Raises an error if no trainer can be made with that value.  Returns the convolution algorithms of shapes that the base
-- lacks.
local function try_value(s, path, v)
	local values, new = s.trial and sweep.values(s, 1) or {}, {}
	values[path] = v
	local fine, t = pcall(function() return dry(sweep.recipe_of(s, values, s.seeds[1], s.name, s.folder)) end)
	if not fine then refuse("add: %s = %s: %s", path, (recipe.text(recipe.copy(v))), (tostring(t):gsub("^%S+:%d+: ", ""))) end
	for shape, algorithm in pairs(s.base and t.recipe.convolution or {}) do
		new[shape] = not s.base.convolution[shape] and algorithm or nil
	end
	return new
end

-- Adds values to one axis of a grid; the new arms are their combinations with all values of the other axes.
local function add_values(s, path, values)
	local there, convolution, seen = s.space[path], {}, {}
	if not there then
		local near = native.nearest(tostring(path), s.paths)
		refuse("add: '%s' is not an axis of the sweep%s", tostring(path), near and (" (did you mean '%s'?)"):format(near) or "")
	end
	space.check_axis(path, values)
	if values.distribution then refuse("add: %s: expected a list of values", path) end
	for _, v in ipairs(there) do seen[recipe.text(recipe.copy(v))] = true end
	for _, v in ipairs(values) do
		local text = recipe.text(recipe.copy(v))
		if seen[text] then refuse("add: %s has the value %s already", path, text) end
		seen[text] = true
		for shape, algorithm in pairs(try_value(s, path, v)) do convolution[shape] = algorithm end
	end
	local lost = recipe.lost(recipe.copy(values))
	if lost then refuse("add: a value must be expressible as text: %s", lost) end
	added.append_values(s, { path = path, values = values, convolution = convolution })
end

--[[
Adds seeds to all arms, arms to a sampler other than grid, or values to a grid.  If several axes get values, each axis, in the
order of the paths, is combined with the new values of the axes before it.
]]
function sweep.add(s, more)
	local kinds = 0
	for k in pairs(more) do kinds = kinds + (one_of("a key of add", k, "seeds", "arms", "values") and 1 or 0) end
	if kinds ~= 1 then
		refuse "add takes one of seeds = a list or a number of new seeds, arms = number of new arms, and values = {[path] = {...}}"
	end
	sweep.refresh(s)
	if more.arms then add_arms(s, more.arms) end
	if more.seeds then add_seeds(s, more.seeds) end
	if more.values and s.sampler ~= "grid" then refuse("add: values can be added to a grid only, and this sweep's sampler is %s: add arms = n", s.sampler) end
	for _, path in ipairs(more.values and space.paths(more.values) or {}) do
		add_values(s, path, more.values[path])
		sweep.refresh(s)
	end
	sweep.refresh(s)
end

-- Returns a recipe with this value.  It uses the image sets of trainer t unless the value changes them.
local function trial_of(s, t, path, v)
	local r = with_values(s, { [path] = v })
	if path:find "^data" or path:find "^knn" then return validate(s, r) end
	r.data, r.knn = t.data, false
	return r
end

--[[
Tries every value of every list by itself in the base, and both ends of distributions, so that errors are raised before
training and name the value.  Returns a table from path to the index of the value that the base has, if there is one.
]]
local function try_values(s, t)
	local same = {}
	for _, path in ipairs(s.paths) do
		local axis, there = s.space[path], recipe.text(recipe.copy(space.get(s.base, path)))
		for i = 1, space.count(axis) or 2 do
			local v = space.count(axis) and axis[i] or space.value(axis, i == 1 and 0 or 1 - 1e-9)
			local fine, made = pcall(function() return dry(trial_of(s, t, path, v)) end)
			if not fine then
				refuse("space: %s = %s: %s", path, (recipe.text(recipe.copy(v))), (tostring(made):gsub("^%S+:%d+: ", "")))
			end
			for shape, algorithm in pairs(made.recipe.convolution or {}) do
				s.base.convolution[shape] = s.base.convolution[shape] or algorithm -- all hosts use the same
			end
			if recipe.text(space.get(made.recipe, path)) == there then same[path] = same[path] or i end
		end
	end
	return same
end

-- Sets the arm that equals the base: one of the grid, or an additional first arm.
local function place_base(s, same)
	if not s.baseline or s.trial then return end
	local arm = 1
	for _, path in ipairs(s.paths) do
		local n = space.count(s.space[path])
		arm = arm and n and same[path] and (arm - 1) * n + same[path] or nil
	end
	if s.sampler == "grid" and arm then
		s.reference = arm
	else
		s.base_arm, s.reference = 1, 1
	end
end

-- Sets whether `stop` uses the difference from the base, the default if the base is an arm, or the arm's own mean.
-- Declarations of earlier versions lack narrow_of; they use the arm's own mean.
local function complete_stop(s)
	if s.narrow_of == "difference" and not s.reference then
		refuse "stop.of = \"difference\" needs a base that is an arm: give base =, without baseline = false, or of = \"arm\""
	end
	if s.narrow then s.narrow_of = s.narrow_of or s.reference and "difference" or "arm" end
end

-- The folder.

local KEPT = { "name", "version", "base", "space", "trial", "seeds", "sampler", "metric", "goal", "validation", "references", "test",
	"budget", "prune", "narrow", "narrow_of", "baseline", "base_arm", "reference", "arms", "trials", "level", "retries", "memory" }

-- Returns the declaration as data, as it is written to the file.
local function declaration(s)
	local out = {}
	for _, k in ipairs(KEPT) do out[k] = s[k] end
	return recipe.copy(out)
end

-- Returns a hash of a text (FNV-1a, 64 bits, folded to 32), so that the same sweep has the same folder.
local function digest(text)
	local h = 0xcbf29ce484222325
	for i = 1, #text do h = (h ~ text:byte(i)) * 0x100000001b3 end
	return ("%08x"):format((h ~ h >> 32) & 0xffffffff)
end

-- Writes the declaration, or checks that the folder has the same one.
local function settle(s)
	local d = declaration(s)
	local lost = recipe.lost(d)
	if lost then refuse("the declaration must be expressible as text: %s", lost) end
	local text = (recipe.text(d))
	s.folder = s.folder or ("%s/%s-%s"):format(sweep.root(), s.name:gsub("[^A-Za-z0-9._-]", "-"):gsub("^%.", "-"), digest(text))
	native.make_folder(s.folder)
	local path = s.folder .. "/sweep.lua"
	local full = recipe.file_text(d, s.folder)
	if native.create_file(path, full) then return end
	local there, why = native.read_file(path)
	if not there then refuse("%s", why) end
	if there ~= full then
		refuse("%s holds another sweep: give another folder, or open that sweep (sweep.open)", native.clean(s.folder))
	end
end

function sweep.root()
	return (native.runs_root():gsub("/runs$", "")) .. "/sweeps"
end

-- sweep{...}
function sweep.new(settings)
	for _, name in ipairs{ "trials", "n_trials" } do
		local n = type(settings) == "table" and settings[name]
		if n then refuse("unknown key '%s': the greatest number of trials is budget = {trials = %s}", name, tostring(n)) end
	end
	local s = registry.check(entry, settings)
	s.version = native.version
	if not s.space then refuse "'space' is missing: expected paths with their values" end
	if not s.base and not s.trial then refuse "'base' is missing: expected a table of trainer's settings" end
	if s.trial then
		s.base = nil
		s.trial = assert(native.function_value(s.trial))
	end
	if type(s.validation) == "number" and not (s.validation > 0 and s.validation < 1) then
		refuse("validation must be a fraction between 0 and 1, got %s", tostring(s.validation))
	end
	if not (s.level > 0 and s.level < 1) then refuse("level must be between 0 and 1, got %s", tostring(s.level)) end
	whole("retries", s.retries, 0, 1000)
	check_space(s)
	local t = s.base and complete(s)
	check_seeds(s, t and s.base.seed or 0)
	check_prune(s)
	check_stop(s)
	place_base(s, s.base and try_values(s, t) or {})
	complete_stop(s)
	check_budget(s)
	sweep.check_metric(s, t)
	settle(s)
	s.declared = { arms = s.arms, seeds = s.seeds, trials = s.trials, space = s.space }
	sweep.refresh(s)
	if s.trial then dry(sweep.recipe(s, 1)) end
	return setmetatable(s, Sweep)
end

-- Checks the metric, and sets the goal (max or min) if it was not given.
function sweep.check_metric(s, t)
	if s.goal then one_of("goal", s.goal, "max", "min") end
	local kinds = { linear = "score" }
	for _, c in ipairs(t and t.columns or {}) do kinds[c.name] = c.kind end
	if t and not kinds[s.metric] then
		local names = {}
		for name in pairs(kinds) do names[#names + 1] = name end
		table.sort(names)
		one_of("metric", s.metric, table.unpack(names))
	end
	if s.metric == "knn" and t and not t.knn then
		refuse "the metric knn needs labelled images: give validation = a fraction or a dataset, or base.knn"
	end
	local accuracy = kinds[s.metric] == "score" or s.metric == "knn"
	s.goal = s.goal or (accuracy and "max" or "min")
end

-- Finds an existing sweep by its folder, or by the beginning of its folder's name if only one matches.
function sweep.find(what)
	if native.exists(what .. "/sweep.lua") then return what end
	local found = {}
	for _, name in ipairs(native.list_folder(sweep.root())) do
		if name == what then return sweep.root() .. "/" .. name end
		if name:sub(1, #what) == what then found[#found + 1] = name end
	end
	if #found == 1 then return sweep.root() .. "/" .. found[1] end
	refuse(#found == 0 and "there is no sweep '%s' in %s" or "several sweeps' names begin with '%s' in %s", native.clean(what),
		native.clean(sweep.root()))
end

-- Checks the fields of a declaration that was read; raises an error if they are not those of a sweep.
local function check_read(s, path)
	local function need(fine, what) if not fine then error(("%s: %s"):format(path, what), 0) end end
	need(type(s.space) == "table" and type(s.seeds) == "table" and #s.seeds > 0, "not a declaration of a sweep")
	need(math.type(s.arms) == "integer" and s.arms >= 1 and math.type(s.trials) == "integer" and s.trials >= 1
		and s.trials <= 1000000 and s.trials <= s.arms * #s.seeds, "its numbers of arms and trials are not consistent")
	need(type(s.name) == "string" and type(s.metric) == "string" and (s.goal == "max" or s.goal == "min"), "no name, metric or goal")
	need(type(s.level) == "number" and s.level > 0 and s.level < 1 and math.type(s.retries) == "integer", "no level or retries")
	need(sampler.kinds[s.sampler], "an unknown sampler")
	need(s.base_arm == nil or s.base_arm == 1, "an unknown base")
	need(s.reference == nil or math.type(s.reference) == "integer", "an unknown base")
	need(s.narrow == nil or type(s.narrow) == "number", "no width of an interval")
	need(s.narrow_of == nil or s.narrow_of == "arm" or s.narrow_of == "difference" and s.reference, "an unknown interval")
	need(type(s.base) == "table" or native.is_function(s.trial), "neither a base nor a trial")
	for _, path in ipairs(space.paths(s.space)) do space.check_axis(path, s.space[path]) end
	local grid = s.sampler ~= "grid" or sampler.grid_size(s.space, space.paths(s.space)) + (s.base_arm and 1 or 0) == s.arms
	need(grid, "its number of arms is not that of its grid")
	versions.check(s.version)
end

function sweep.open(what)
	local folder = sweep.find(what)
	local path = folder .. "/sweep.lua"
	local read, _, why = native.describe(path)
	if type(read) ~= "table" then error(why or path .. ": not a declaration of a sweep", 0) end
	local s = recipe.copy(read)
	check_read(s, path)
	s.folder, s.paths, s.seed = folder, space.paths(s.space), s.seeds[1]
	if s.base then getmetatable(s.base).__recipe = true end
	s.declared = { arms = s.arms, seeds = s.seeds, trials = s.trials, space = s.space }
	sweep.refresh(s)
	return setmetatable(s, Sweep)
end

return sweep
