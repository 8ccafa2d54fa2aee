-- SPDX-License-Identifier: GPL-3.0-or-later
--[[
figure_kinds.lua: the kinds of figures: which data of runs or of a sweep each needs, and how it is drawn.

make(list, settings) draws runs, each {live =, records =, name =, id =, folder =, moment =}.  It uses a run's first `records`
records, or its snapshot of step `moment`.  If `moment` is nil, it uses the newest snapshot and sets `moment` to that step, so
that the same figure can be made again after the run has continued.
]]
local native = require "barlow.native"
local recipe = require "barlow.recipe"
local results = require "barlow.results"
local runs = require "barlow.runs"
local space = require "barlow.space"
local sweep = require "barlow.sweep"

local kinds = {}

function kinds.is_sweep(v) return getmetatable(v) == sweep.class end

-- Returns a label for each run: its name or, if several runs have that name, its folder's name.
local function labels(list)
	local count, out = {}, {}
	for _, r in ipairs(list) do count[r.name] = (count[r.name] or 0) + 1 end
	for i, r in ipairs(list) do out[i] = native.clean(count[r.name] > 1 and r.id or r.name or "run") end
	return out
end

-- Returns the steps and values of a metric from those of a run's first r.records records in which it was measured.
local function measured(kind, r, metric)
	local all = native.live_records(r.live)
	local values = all[metric]
	if not values then
		local names = {}
		for name in pairs(all) do names[#names + 1] = name end
		local near = native.nearest(metric, names)
		error(("plot.%s: the records of %s have no '%s'%s"):format(kind, native.clean(r.id or r.name), native.clean(metric),
			near and (" (did you mean '%s'?)"):format(near)
				or kind == "compare" and "; several runs are given as a list: plot.compare{a, b}" or ""), 0)
	end
	local x, y = {}, {}
	for i = 1, math.min(#values, r.records) do
		if values[i] == values[i] then x[#x + 1], y[#y + 1] = all.step[i], values[i] end
	end
	if #x == 0 then error(("plot.%s: '%s' was never measured in %s"):format(kind, native.clean(metric), native.clean(r.id or r.name)), 0) end
	return x, y
end

local MOST = 1024

-- Averages neighbouring points if there are more than MOST of them.  Also returns the greatest number of values that
-- were averaged into one point.
local function thinned(x, y)
	local stride = (#x + MOST - 1) // MOST
	if stride <= 1 then return x, y, 1 end
	local tx, ty = {}, {}
	for i = 1, #x, stride do
		local sx, sy, n = 0, 0, 0
		for k = i, math.min(i + stride - 1, #x) do sx, sy, n = sx + x[k], sy + y[k], n + 1 end
		tx[#tx + 1], ty[#ty + 1] = sx / n, sy / n
	end
	return tx, ty, stride
end

-- Curves: the loss, scores and user-defined columns of one run, or one metric of several runs.
kinds.curves = { keys = { metric = "string" } }
function kinds.curves.make(list, settings)
	if #list == 1 and not settings.metric then return native.figure_curves(list[1].live, list[1].records) end
	local metric, names, panel, strides = settings.metric or "total", labels(list), {}, 1
	for i, r in ipairs(list) do
		local x, y, stride = thinned(measured("curves", r, metric))
		strides = math.max(strides, stride)
		panel[i] = { x = x, y = y, label = names[i] }
	end
	panel.xlabel = strides > 1 and ("step (a point is the mean of up to %d values)"):format(strides) or "step"
	panel.ylabel = metric
	return native.figure_panels{ panel }
end

-- Returns `part` ("matrix", "spectrum" or "points") of the snapshot that the figure was made from, or of the newest one that has it.
local function moment(kind, r, part, what)
	local m = native.run_moment(r.live, part, r.moment)
	if not m then
		error(("plot.%s: %s has %s%s"):format(kind, native.clean(r.id or r.name or "the run"), what,
			r.moment and (" of step %d, or no longer has it"):format(r.moment) or ""), 0)
	end
	r.moment = m.step
	return m
end

-- Returns a figure of one run's matrix; in snapshots a large matrix is reduced to root mean squares of blocks.
local function matrix_of(r, name, settings)
	local m = moment("heatmap", r, "matrix", "no matrix")
	local side = m.matrix:shape()[1]
	local title = settings.title ~= "" and settings.title or ("%s, step %d%s"):format(name, m.step, m.pooled
		and ": root mean squares of blocks, means of the diagonal's" or "")
	return native.figure_matrix(m.matrix, title, settings.batch and settings.batch > 0 and math.tointeger(settings.batch) or m.n, m.d, (m.d / side) ^ 2)
end

-- Heat maps: the matrix of one run, or those of several runs side by side on one scale.
kinds.heatmap = { keys = { title = "string", batch = "number" } }
function kinds.heatmap.make(list, settings)
	local names, parts = labels(list), {}
	if #list == 1 then return matrix_of(list[1], names[1], settings) end
	if settings.title and settings.title ~= "" then error("plot.heatmap: a title is for one run; figures of several have the runs' names as titles", 0) end
	if #list > 16 then error(("plot.heatmap: %d runs are too many for a figure: expected 16 at most"):format(#list), 0) end
	for i, r in ipairs(list) do parts[i] = matrix_of(r, names[i], settings) end
	return native.figure_beside(parts)
end
function kinds.heatmap.tensor(t, settings)
	return native.figure_matrix(t, settings.title, settings.batch)
end

-- Returns the indices and values of those values that are positive; the axis is logarithmic, so others cannot be drawn.
local function ranks(values)
	local x, y = {}, {}
	for i, v in ipairs(values) do
		if v == v and v > 0 then x[#x + 1], y[#y + 1] = i, v end
	end
	return x, y
end

-- Spectra: eigenvalues of the embeddings' covariance and singular values of C of one run, or the eigenvalues of several.
kinds.spectrum = { keys = {} }
function kinds.spectrum.make(list)
	local panel, names = { xlabel = "number", logy = true }, labels(list)
	local function add(values, label, ink)
		local x, y = ranks(values)
		if #x > 0 then panel[#panel + 1] = { x = x, y = y, label = label, marks = "none", ink = ink } end
	end
	for i, r in ipairs(list) do
		local m = moment("spectrum", r, "spectrum", "no spectrum")
		if #list == 1 then
			panel.title = ("%s, step %d"):format(native.clean(r.name or "run"), m.step)
			add(m.eigenvalues, "eigenvalues of the embedding's covariance")
			add(m.singular, "singular values of C")
		else
			panel.ylabel = "eigenvalue of the embedding's covariance"
			add(m.eigenvalues, ("%s, step %d"):format(names[i], m.step))
		end
	end
	if #panel == 0 then error("plot.spectrum: all values are 0", 0) end
	return native.figure_panels{ panel }
end
function kinds.spectrum.tensor(t)
	local values = t
	if t:dim() == 2 then values = require "barlow".eval.spectrum(t) end
	if values:dim() ~= 1 then error("plot.spectrum: expected values, or a matrix of features (N, D), not a tensor " .. tostring(values:shape()), 0) end
	local x, y = ranks(values:totable())
	if #x == 0 then error("plot.spectrum: no value is above 0", 0) end
	return native.figure_panels{ { { x = x, y = y, marks = "none" }, xlabel = "number", ylabel = t:dim() == 2 and "eigenvalue of the features' covariance" or "value", logy = true } }
end

-- Returns a figure of points {x, y, label}, with a series for each label.
local function groups(points, names, title, xlabel, ylabel)
	local by, order, panel = {}, {}, { points = true, equal = true, title = title, xlabel = xlabel, ylabel = ylabel }
	for _, p in ipairs(points) do
		if not by[p[3]] then
			by[p[3]] = { x = {}, y = {}, label = p[3] < 0 and "no label" or names[p[3]] and names[p[3]] ~= "" and native.clean(names[p[3]]) or tostring(p[3]) }
			order[#order + 1] = p[3]
		end
		local s = by[p[3]]
		s.x[#s.x + 1], s.y[#s.y + 1] = p[1], p[2]
	end
	table.sort(order)
	for i, label in ipairs(order) do
		if i > 64 then error(("plot.embedding: %d labels are too many for a figure: expected 64 at most"):format(#order), 0) end
		panel[i] = by[label]
	end
	if #panel == 1 then panel[1].label = "" end
	return native.figure_panels{ panel }
end

-- A run that trains in this process computes the points on request, which takes a moment; Ctrl-C ends the waiting.
local PATIENCE = 30 -- seconds
local function wait_for_points(r)
	if r.moment or not native.is_trainer(r.live) then return end
	local until_time = native.now() + PATIENCE
	while r.live.state == "running" and native.now() < until_time and not native.run_moment(r.live, "points") do
		native.ask_points(r.live) -- the request expires after some seconds
		native.sleep(.05)
	end
end

kinds.embedding = { keys = {} }
function kinds.embedding.make(list)
	if #list > 1 then error("plot.embedding: expected one run", 0) end
	local r = list[1]
	wait_for_points(r)
	local m = moment("embedding", r, "points", "no points of its embeddings, which are computed only while its screen shows them; plot.embedding(eval.features(encoder, data)) draws features")
	local function axis(k) return ("axis %d, %.0f%% of the variance"):format(k, 100 * m.explained[k]) end
	return groups(m.points, m.classes, ("%s, step %d"):format(native.clean(r.name or "run"), m.step), axis(1), axis(2))
end

-- Features (N, D) projected onto their first two principal components, or points (N, 2) unchanged.
function kinds.embedding.tensor(t, settings)
	for name in pairs(settings) do
		if name ~= "labels" and name ~= "title" then
			local near = type(name) == "string" and native.nearest(name, { "labels", "title" })
			error(("plot.embedding: unknown key '%s' (%s)"):format(native.clean(tostring(name)),
				near and ("did you mean '%s'?"):format(near) or "known: labels, title"), 0)
		end
	end
	if t:dim() ~= 2 or t:shape()[2] < 2 then
		error("plot.embedding: expected points (N, 2) or features (N, D), not a tensor " .. tostring(t:shape()), 0)
	end
	local n, xlabel, ylabel = t:shape()[1], "x", "y"
	if t:shape()[2] > 2 then
		local centred = t - t:mean(1, true)
		local u, s = centred:svd()
		local sum, values = 0, s:totable()
		for _, v in ipairs(values) do sum = sum + v * v end
		xlabel = ("axis 1, %.0f%% of the variance"):format(100 * values[1] ^ 2 / sum)
		ylabel = ("axis 2, %.0f%% of the variance"):format(100 * values[2] ^ 2 / sum)
		t = u * s
	end
	local labels_of = settings.labels
	if native.is_tensor(labels_of) then labels_of = labels_of:totable() end
	if labels_of ~= nil and (type(labels_of) ~= "table" or #labels_of ~= n) then
		error(("plot.embedding: 'labels' must be a list or a tensor of %d labels"):format(n), 0)
	end
	-- Whole numbers stand for themselves; other labels get the numbers from 0 on that none of those has.
	local points, names, number, list, free = {}, {}, {}, t:totable(), 0
	for i = 1, n do
		local whole = labels_of and math.tointeger(labels_of[i])
		if whole then number[labels_of[i]], names[whole] = whole, tostring(whole) end
	end
	for i = 1, n do
		local label = labels_of and labels_of[i]
		if label ~= nil and not number[label] then
			while names[free] do free = free + 1 end
			number[label], names[free] = free, tostring(label)
		end
		points[i] = { list[i][1], list[i][2], label ~= nil and number[label] or -1 }
	end
	return groups(points, names, settings.title, xlabel, ylabel)
end

-- Comparisons: rows with a mean and its interval, the best first.

local ROWS = 40

-- Draws rows {label =, mean =, low =, high =, values = {}} as points on horizontal lines; zero: also draws a vertical line at 0.
local function rows_figure(rows, axes, zero)
	local points, means, names = { x = {}, y = {}, label = "", ink = 6 }, { x = {}, y = {}, low = {}, high = {}, label = "", ink = 1 }, {}
	local least, most = math.huge, -math.huge
	for i, r in ipairs(rows) do
		names[i] = r.label
		for _, v in ipairs(r.values or {}) do
			points.x[#points.x + 1], points.y[#points.y + 1] = v, i
			least, most = math.min(least, v), math.max(most, v)
		end
		local low, high = r.low == r.low and r.low or r.mean, r.high == r.high and r.high or r.mean
		means.x[i], means.y[i], means.low[i], means.high[i] = r.mean, i, low, high
		least, most = math.min(least, low), math.max(most, high)
	end
	if zero then least, most = math.min(least, 0), math.max(most, 0) end
	local room = most > least and .05 * (most - least) or math.max(math.abs(most) * .1, 1e-9)
	local panel = { title = axes.title, xlabel = axes.xlabel, points = true, across = true, names = names, from = least - room, to = most + room }
	if zero then panel[#panel + 1] = { x = { 0, 0 }, y = { .5, #rows + .5 }, label = "", marks = "none", dashed = true, ink = 7 } end
	if #points.x > 0 then panel[#panel + 1] = points end
	panel[#panel + 1] = means
	return native.figure_panels{ panel }
end

-- Settings that do not count in the comparison of recipes: runs of one group may differ in them.
local SAME = { seed = true, name = true, folder = true }

local function facts_of(r)
	local file = r.folder and native.run_file(r.folder)
	return file and file.recipe or {}
end

-- Groups runs whose recipes are the same except for SAME; the label of a group has up to three settings in which groups differ.
local function group(list)
	local by, out, differ = {}, {}, {}
	for _, r in ipairs(list) do
		local facts, parts = facts_of(r), {}
		for k, v in pairs(facts) do
			if not SAME[k] then parts[#parts + 1] = k .. "=" .. tostring(v) end
		end
		table.sort(parts)
		local key = next(facts) and table.concat(parts, "\n") or r.id or r.name
		if not by[key] then
			by[key] = { facts = facts, name = r.name, runs = {} }
			out[#out + 1] = by[key]
		end
		table.insert(by[key].runs, r)
	end
	for _, g in ipairs(out) do
		for k, v in pairs(g.facts) do
			if not SAME[k] and v ~= out[1].facts[k] then differ[k] = true end
		end
		for k in pairs(out[1].facts) do
			if not SAME[k] and g.facts[k] == nil then differ[k] = true end
		end
	end
	local keys = {}
	for k in pairs(differ) do keys[#keys + 1] = k end
	table.sort(keys)
	for _, g in ipairs(out) do
		local parts = {}
		for i = 1, math.min(#keys, 3) do
			local v = g.facts[keys[i]]
			parts[i] = ("%s %s"):format(keys[i], math.type(v) == "float" and ("%.4g"):format(v) or tostring(v))
		end
		g.label = native.clean(#parts > 0 and table.concat(parts, ", ") or g.name or "run")
	end
	return out
end

local function best_first(rows, more)
	table.sort(rows, function(a, b)
		if a.mean ~= b.mean then return (a.mean > b.mean) == more end
		return a.label < b.label
	end)
end

kinds.compare = { keys = { metric = "string" } }
function kinds.compare.make(list, settings)
	local metric, rows, most = settings.metric or "knn", {}, 0
	for i, g in ipairs(group(list)) do
		local values = {}
		for k, r in ipairs(g.runs) do
			local _, y = measured("compare", r, metric)
			values[k] = y[#y]
		end
		local v = native.interval(values, .95)
		rows[i] = { label = #values > 1 and ("%s (%d)"):format(g.label, #values) or g.label, mean = v.mean, low = v.low, high = v.high, values = values }
		most = math.max(most, #values)
	end
	if #rows > ROWS then error(("plot.compare: %d rows are too many for a figure: expected %d at most"):format(#rows, ROWS), 0) end
	best_first(rows, not runs.LESS[metric])
	return rows_figure(rows, { xlabel = metric .. (most > 1 and ": each run, and means with 95% intervals" or " at the end of each run") })
end

-- Draws a sweep: the differences from its base, paired by seed, or the means if it has no base.
function kinds.compare.sweep(s, settings)
	local metric = settings.metric or s.metric
	local rows, by_base = {}, false
	local arms = results.arms(s, metric)
	for _, a in ipairs(arms) do by_base = by_base or a.difference ~= nil end
	for _, a in ipairs(arms) do
		local v = not by_base and a or a.difference
		if a.n > 0 and v and #rows < ROWS then
			local parts = {}
			for i, path in ipairs(s.paths) do
				parts[i] = ("%s %s"):format(results.headings(s)[i], results.value_text(a.params[path]))
			end
			if a.arm == s.base_arm then parts = { "the base" } end
			rows[#rows + 1] = { label = table.concat(parts, ", "), mean = v.mean, low = v.low, high = v.high,
				values = not by_base and a.values or nil }
		end
	end
	if #rows == 0 then error(("plot.compare: no trial has a %s"):format(native.clean(metric)), 0) end
	local what = by_base and "%s: difference from the base, pairs of the same seed, %g%% intervals" or "%s: means, %g%% intervals"
	return rows_figure(rows, { title = native.clean(s.name), xlabel = what:format(native.clean(metric), 100 * s.level) }, by_base)
end

-- A sweep's metric over one of its axes.

-- Returns the arm's value on the axis; the base's arm lists no values, so its value is read from the base.
local function value_of(s, a, path)
	local v = a.params[path]
	if v == nil and s.base and a.arm == s.base_arm then return space.get(s.base, path) end
	return v
end

-- Returns the arm's values on all other axes as text.
local function rest_of(s, a, path)
	local out = {}
	for i, p in ipairs(s.paths) do
		if p ~= path then out[#out + 1] = ("%s %s"):format(results.headings(s)[i], results.value_text(value_of(s, a, p))) end
	end
	return table.concat(out, ", ")
end

-- Returns a curve over this axis for each combination of values of the other axes, in the order of the arms.
local function curves(s, path, metric)
	local list, by = {}, {}
	for _, a in ipairs(results.arms(s, metric)) do
		local x = value_of(s, a, path)
		if a.n > 0 and type(x) ~= "number" then
			error(("plot.sweep: %s is not an axis of numbers: it has %s; plot.compare shows axes of any values"):format(native.clean(path), results.value_text(x)), 0)
		elseif a.n > 0 then
			local label = rest_of(s, a, path)
			if not by[label] then
				by[label] = { label = label, arm = a.arm }
				list[#list + 1] = by[label]
			end
			table.insert(by[label], { x = x, y = a.mean, low = a.low == a.low and a.low or a.mean, high = a.high == a.high and a.high or a.mean })
			by[label].arm = math.min(by[label].arm, a.arm)
		end
	end
	table.sort(list, function(a, b) return a.arm < b.arm end)
	return list
end

-- Returns whether the axis is logarithmic: its values are positive and span more than a factor of 20.
local function is_wide(list)
	local low, high = math.huge, 0
	for _, c in ipairs(list) do
		for _, p in ipairs(c) do low, high = math.min(low, p.x), math.max(high, p.x) end
	end
	return low > 0 and high / low > 20
end

-- Returns the axis of a sweep that has one.
function kinds.only_axis(s)
	if not kinds.is_sweep(s) then error("plot.sweep: expected a sweep, got " .. type(s), 0) end
	if #s.paths ~= 1 then error(("plot.sweep: say which axis: the sweep has %s"):format(table.concat(s.paths, ", ")), 0) end
	return s.paths[1]
end

local function check_axis(s, path)
	if not kinds.is_sweep(s) then error("plot.sweep: expected a sweep, got " .. type(s), 0) end
	for _, p in ipairs(s.paths) do
		if p == path then return end
	end
	local near = native.nearest(tostring(path), s.paths)
	error(("plot.sweep: the sweep has no axis '%s' (%s)"):format(native.clean(tostring(path)),
		near and ("did you mean '%s'?"):format(near) or "it has " .. table.concat(s.paths, ", ")), 0)
end

kinds.sweep = {}
function kinds.sweep.make(s, settings)
	local path, metric = settings.path, settings.metric
	check_axis(s, path)
	if metric ~= nil and type(metric) ~= "string" then error("plot.sweep: expected the name of a metric, got " .. type(metric), 0) end
	metric = metric or s.metric
	local list = curves(s, path, metric)
	if #list == 0 then error(("plot.sweep: no trial has a %s"):format(native.clean(metric)), 0) end
	local out = { title = ("%s: %s, means of %d seeds, %g%% intervals"):format(s.name, metric, #s.seeds, 100 * s.level), xlabel = path,
		ylabel = metric, logx = is_wide(list) }
	for i, c in ipairs(list) do
		table.sort(c, function(a, b) return a.x < b.x end)
		local series = { x = {}, y = {}, low = {}, high = {}, label = c.label }
		for j, p in ipairs(c) do series.x[j], series.y[j], series.low[j], series.high[j] = p.x, p.y, p.low, p.high end
		out[i] = series
	end
	return native.figure_panels{ out }
end

-- Figures of a script's own numbers: there are no runs from which they could be made again.
kinds.lines = {}

return kinds
