-- SPDX-License-Identifier: GPL-3.0-or-later
-- run.lua: a run in the foreground (trainer:run), and its evaluation (trainer:eval).
local native = require "barlow.native"

local run = {}

local LINES = 24 -- progress lines of a run without a terminal, besides those of steps that measured a score

local function clock(seconds)
	seconds = math.max(0, math.floor(seconds + .5))
	local h, m, s = seconds // 3600, seconds // 60 % 60, seconds % 60
	return h > 0 and ("%d:%02d:%02d"):format(h, m, s) or ("%d:%02d"):format(m, s)
end
run.clock = clock

-- Formats a number of epochs: a whole number with all its digits, others with four.
function run.count(v) return v == v // 1 and v < 1e15 and ("%d"):format(v // 1) or ("%.4g"):format(v) end

local function measured(v) return v == v end

local function short(v)
	if v ~= 0 and math.abs(v) < .01 then return ("%.2e"):format(v) end
	return ("%.4g"):format(v)
end

-- Returns the remaining seconds at the speed of the last records.
local function remaining(t, r)
	local back = t:record(math.max(1, r.step - 50))
	if not back or back.step >= r.step then return nil end
	local left = (t.steps - r.step) * (r.time - back.time) / (r.step - back.step)
	return t.seconds > 0 and math.min(left, t.seconds - r.time) or left
end

run.remaining = remaining

-- Returns the newest measured value of a column that is NaN in most records, or nil.
function run.newest(t, name)
	for i = t.terms and t.terms.step or 0, 1, -1 do
		local r = t:record(i)
		local v = r and r[name]
		if v and v == v then return v end
	end
end

-- Formats a value with its column's name; scores have four decimals.
local function field_text(column, value)
	local name = column.kind == "score" and column.brief or column.name
	local text = "-"
	if measured(value) then
		text = column.kind == "score" and ("%.4f"):format(value) or column.kind == "measure" and column.format:format(value)
			or short(value)
	end
	if column.unit ~= "" and column.unit == column.label then return text .. " " .. column.unit end
	return name .. " " .. text
end

-- Appends the texts of the columns of one kind.  A score's value is the last one measured, which `scores` stores by name.  A
-- floor that is not known and a score that was never measured are left out.
local function add_kind(out, columns, r, scores, kind)
	for _, c in ipairs(columns) do
		local value = kind == "score" and scores[c.name] or r[c.name]
		if c.kind == kind and (measured(value) or (kind ~= "floor" and kind ~= "score")) then
			out[#out + 1] = field_text(c, value)
		end
	end
end

-- Kinds of columns in the order in which a line shows them; "step" and "eta" are not columns.
local PLAIN = { "step", "term", "total", "floor", "rate", "score", "measure", "own", "eta" }
-- Their order on a terminal: the most important first, since a narrow terminal cuts off the end.
local TERMINAL = { "step", "eta", "measure", "total", "term", "score", "floor", "rate", "own" }

local function line_text(kinds, t, r, scores)
	local eta, out, columns = remaining(t, r), {}, t.columns
	for _, kind in ipairs(kinds) do
		if kind == "step" then
			out[#out + 1] = ("step %d/%d"):format(r.step, t.steps)
		elseif kind == "eta" then
			out[#out + 1] = "ETA " .. (eta and clock(eta) or "-")
		else
			add_kind(out, columns, r, scores, kind)
		end
	end
	return table.concat(out, "  ")
end

-- Stores the scores that were measured at this step; returns whether there were any.
local function store_scores(t, r, scores)
	local fresh = false
	for _, c in ipairs(t.columns) do
		if c.kind == "score" and measured(r[c.name]) then
			scores[c.name] = r[c.name]
			fresh = true
		end
	end
	return fresh
end

-- Reports on one line, which is overwritten unless a score was measured or the run has ended.
local function terminal_report(t)
	local scores = {}
	return function(r, last)
		local fresh = store_scores(t, r, scores)
		local line = line_text(TERMINAL, t, r, scores)
		if not fresh and not last then line = line:sub(1, native.width() - 1) end
		io.write("\r\27[K", line, (fresh or last) and "\n" or "")
		io.flush()
	end
end

local function plain_report(t)
	local every, scores = math.max(1, t.steps // LINES), {}
	return function(r, last)
		if store_scores(t, r, scores) or last or r.step == 1 or r.step % every == 0 then
			io.write(line_text(PLAIN, t, r, scores), "\n")
			io.flush()
		end
	end
end

-- Returns the newest step with a record; a resumed run may have lost its earlier ones.
local function newest_step(t)
	local r = t.terms
	return r and r.step or t.iteration
end

-- "lambda 0.0051, lr 0.001, batch 32, float32, adamw"
local function settings_text(t)
	local parts = {}
	for _, name in ipairs(t.settable) do -- the views have too many settings for a line: see t.views
		if not name:find "^views%." then parts[#parts + 1] = ("%s %.4g"):format(name, t[name]) end
	end
	parts[#parts + 1] = "batch " .. t.batch
	parts[#parts + 1] = t.precision
	parts[#parts + 1] = t.optim.kind
	return table.concat(parts, ", ")
end

-- Returns the trainer as the prompt prints it: progress, settings and folder.
function run.card(t)
	local shows_message = t.state == "failed" or (t.state == "paused" and t.message:find "paused")
		or (t.state == "new" and t.message ~= "")
	local r, out = t.terms, { tostring(t):gsub(",.*", "") .. (shows_message and ", " .. t.message or "") }
	local function add(head, text) out[#out + 1] = ("  %-9s %s"):format(head, text) end
	local done = t.steps > 0 and 100 * t.iteration // t.steps or 0
	local eta = r and t.state == "running" and remaining(t, r)
	add("step", ("%d of %d (%d%%), epoch %s of %s%s"):format(t.iteration, t.steps, done, run.count(t.iteration / t.steps_per_epoch),
		run.count(t.steps / t.steps_per_epoch), eta and ", ETA " .. clock(eta) or ""))
	if r then
		local scores = {}
		for _, c in ipairs(t.columns) do
			if c.kind == "score" then scores[c.name] = run.newest(t, c.name) end
		end
		add("loss", line_text({ "total", "term", "floor" }, t, r, scores))
		add("measured", line_text({ "score", "measure", "own" }, t, r, scores))
	end
	add("settings", settings_text(t))
	add("data", tostring(t.data):gsub("\n.*", ""))
	add("folder", t.folder or (t.state == "new" and "made when it starts, unless folder = false" or "none: the run is in memory only"))
	return table.concat(out, "\n")
end

-- Passes new records after step `seen` to report(record, last) and on_progress(record, trainer).
local function follow(t, seen, report, on_progress)
	local over = false
	while not over do
		-- A break ends the wait, too, since nothing could continue the run while a script waits here.
		over = t:wait(.1) or native.at_break(t)
		local newest = newest_step(t)
		for i = seen + 1, newest do
			local r = t:record(i)
			local skip = report.terminal and i < newest and not measured(r.knn or 0 / 0)
			if not skip then report.line(r, over and i == newest) end
			if on_progress then on_progress(r, t) end
		end
		seen = newest
	end
end

--[[
run{on_progress = function(record, trainer) ... end, quiet = false}: starts the run unless it is active, and reports until it
ends.  Ctrl-C stops the run between steps; a message says so unless caller_reports is set.  Returns the final state: "done",
"stopped", or "paused" after t:break_when.
]]
function run.run(t, options)
	options = options or {}
	local quiet = options.quiet
	local seen = newest_step(t) -- before the first step is made
	if t.state ~= "running" then t:start() end
	local terminal = native.is_terminal()
	local report = { terminal = terminal, line = terminal and terminal_report(t) or plain_report(t) }
	if quiet then report.line = function() end end
	if not native.interruptible(follow, t, seen, report, options.on_progress) then
		t:stop()
		if not quiet then print(options.caller_reports and "" or ("\nstopped at step %d of %d"):format(t.iteration, t.steps)) end
	end
	if not quiet and native.at_break(t) then print(native.clean(t.message)) end
	native.tell_unsaved()
	return t.state
end

-- The result of t:eval{} prints the measurements and their data sets.
local evaluated = { __tostring = function(e)
	local scores = ("kNN %.4f"):format(e.knn) .. (e.linear and (", linear probe %.4f"):format(e.linear) or "")
	local function line(text) return text:match "^[^\n]*" .. (text:match "\n.*(, of the training images)$" or "") end
	return ("%s\n  on %s\n  by %s"):format(scores, line(e.test), line(e.train))
end }

-- Returns the training and test sets, and their descriptions.  A set that is not given is that of the run's own kNN, or else a
-- part of the run's data; a notice is printed if the test set is such a part.
local function default_sets(t, options)
	local knn = t.knn or {}
	local train, test = options.train or knn.refs, options.test or knn.queries
	if train and test then return train, test, tostring(train), tostring(test) end
	local first, second = t.data:split(.8, 0)
	local same = not train and rawequal(test, t.data) -- the training images would be among the test images
	if not test or same then
		test = nil
		io.stderr:write("barlow: eval: ", same and "the test set is the set that the run trains on" or "no test set was given",
			": measured on a fifth of the images that the run trains on; ",
			"give test = (and train =) for images that it has not seen\n")
	end
	return train or first, test or second,
		tostring(train or first) .. (train and "" or ", of the training images"),
		tostring(test or second) .. (test and "" or ", of the training images")
end

--[[
eval{train = dataset, test = dataset, k = 20, linear = true}: returns {knn =, linear =, train =, test =}, the scores of
the encoder's current features, with images normalised as in training; `train` and `test` of the result are texts that
describe the sets.  An active run pauses while features are computed.
]]
function run.evaluate(t, options)
	options = options or {}
	local eval = require "barlow".eval
	local train, test, references, queries = default_sets(t, options)
	local a, b = t:between(function()
		return eval.features(t.encoder, train), eval.features(t.encoder, test)
	end)
	local sets = { train = a, train_labels = train, test = b, test_labels = test }
	local out = { linear = options.linear ~= false and eval.linear(sets) or nil }
	sets.k = options.k
	out.knn = eval.knn(sets)
	out.train, out.test = references, queries
	return setmetatable(out, evaluated)
end

-- Writes whole numbers as a NumPy file of little-endian int64.
local function int64_file(path, numbers)
	local head = ("{'descr': '<i8', 'fortran_order': False, 'shape': (%d,), }"):format(#numbers)
	head = head .. (" "):rep(-(10 + #head + 1) % 64) .. "\n"
	local parts = { "\x93NUMPY\1\0", ("<I2"):pack(#head), head }
	for _, v in ipairs(numbers) do parts[#parts + 1] = ("<i8"):pack(v) end
	native.write_file(path, table.concat(parts))
end

-- Returns the labels, counted from 0 as in the files of data sets, and -1 for an image without one; nil if none has one.
local function labels_of(set)
	local out, any = {}, false
	for i = 1, #set do
		out[i] = (set[i].label or 0) - 1
		any = any or out[i] >= 0
	end
	return any and out or nil
end

--[[
export_features{data = dataset, path = "x.npy"}: writes the encoder's current features to a NumPy file (N, F), and the
labels to x-labels.npy in the same folder.  Images are normalised as in training.  Returns the paths of both, or of the first if no
image has a label.
]]
function run.export_features(t, options)
	local data, path = options.data or t.data, options.path
	if type(path) ~= "string" or not path:match "%.npy$" then
		error("export_features: 'path' must be the name of a file that ends in .npy", 0)
	end
	local features = t:between(function() return require "barlow".eval.features(t.encoder, data) end)
	features:save(path)
	local labels, beside = labels_of(data), (path:gsub("%.npy$", "-labels.npy"))
	if not labels then return path end
	int64_file(beside, labels)
	return path, beside
end

-- Returns the source of a loss, as recipes contain it, with other values of its settings.  The settings of a loss that is a
-- Lua function are in the table `parameters` of its source.
function run.loss_source(source, values)
	local function copy(t)
		local out = {}
		for k, v in pairs(t) do out[k] = v end
		return out
	end
	local out = copy(source)
	out[out.n] = copy(out[out.n])
	local settings = out[out.n]
	if settings.parameters then
		settings.parameters = copy(settings.parameters)
		settings = settings.parameters
	end
	for name, value in pairs(values) do
		if type(settings[name]) == "table" then
			settings[name] = copy(settings[name])
			settings[name].default = value
		else
			settings[name] = value
		end
	end
	return out
end

return run
