-- SPDX-License-Identifier: GPL-3.0-or-later
--[[
results.lua: the results of a sweep's trials, and statistics of its arms.

Intervals are Student's t, or bootstrap percentiles from 8 seeds on.  An arm is compared with the base by the differences of
trials of the same seed (a paired t test); p-values are corrected by Holm's method.
]]
local importance = require "barlow.importance"
local native = require "barlow.native"
local recipe = require "barlow.recipe"
local space = require "barlow.space"
local sweep = require "barlow.sweep"
local tables = require "barlow.runs_table"

local results = {}

local BOOTSTRAP, DRAWS = 8, 10000 -- least number of seeds for the bootstrap, and its number of resamples

local STATES = { complete = true, failed = true, pruned = true, skipped = true }

-- Returns the result of trial k, or nil: {state =, value =, seconds =, reason =, attempt =, metrics =}.  It is cached.
function results.of(s, k)
	s.read = s.read or {}
	if s.read[k] then return s.read[k] end
	local path = native.trial_path(s.folder, k) .. "/result.json"
	if not native.exists(path) then return nil end
	local r = native.json_read(native.read_file(path) or "")
	if type(r) ~= "table" or not STATES[r.state] then return nil end -- it is still being written
	if type(r.value) ~= "number" then r.value = nil end
	if type(r.metrics) ~= "table" then r.metrics = {} end
	if type(r.seconds) ~= "number" then r.seconds = nil end
	if math.type(r.attempt) ~= "integer" or r.attempt < 0 then r.attempt = 0 end
	r.reason = type(r.reason) == "string" and native.clean(r.reason) or nil
	if r.state == "complete" and not r.value then r.state, r.reason = "failed", "its result has no " .. s.metric end
	s.read[k] = r
	return r
end

-- Counts the trials with a result by state; `over` is their number.
function results.counts(s)
	local out = { complete = 0, failed = 0, pruned = 0, skipped = 0, over = 0 }
	for k = 1, s.trials do
		local r = results.of(s, k)
		if r then out[r.state], out.over = out[r.state] + 1, out.over + 1 end
	end
	return out
end

-- Returns for each arm {arm =, values = {[index of the seed] = value}, seconds = sum, n =, failed =, pruned =}, for the sweep's
-- metric or another one.
local function gather(s, metric)
	local arms = {}
	for arm = 1, s.arms do arms[arm] = { arm = arm, values = {}, seconds = 0, n = 0, failed = 0, pruned = 0 } end
	for k = 1, s.trials do
		local r, arm, seed = results.of(s, k), sweep.arm_of(s, k)
		local a = arms[arm]
		local value = r and r.value
		if r and metric and metric ~= s.metric then value = r.metrics[metric] end
		if r and r.state == "complete" and type(value) == "number" then
			a.values[seed], a.n, a.seconds = value, a.n + 1, a.seconds + (r.seconds or 0)
		elseif r and a[r.state] then
			a[r.state] = a[r.state] + 1
		end
	end
	return arms
end

local function interval(list, level)
	if #list >= BOOTSTRAP then return native.interval(list, level, DRAWS, 0) end
	return native.interval(list, level)
end

-- Returns the differences of two arms' values, for seeds that both arms have.
local function differences(a, b, seeds)
	local out = {}
	for i = 1, seeds do
		if a[i] and b[i] then out[#out + 1] = a[i] - b[i] end
	end
	return out
end

-- Returns the verdict on an arm in words.
local function verdict_of(s, a)
	if a.n == 0 then return a.failed > 0 and "failed" or a.pruned > 0 and "pruned" or "" end
	if a.arm == s.reference then return "the base" end
	if not a.difference then return "" end
	if a.difference.n < 2 then return "only one seed" end
	if a.p ~= a.p then return "all differences equal" end
	if not (a.p < 1 - s.level) then return "not distinguishable" end
	return (a.difference.mean > 0) == (s.goal == "max") and "better" or "worse"
end

--[[
Returns all arms, the best first and those without a result last: {arm =, values = {[index of the seed] = value}, n =, mean =,
low =, high =, seconds =, difference = {n =, mean =, low =, high =, p =}, p = corrected by Holm's method, verdict = in words,
params = {[path] = value}}.  metric: used instead of the sweep's.
]]
function results.arms(s, metric)
	local arms, ps, compared = gather(s, metric), {}, {}
	local base = arms[s.reference or 0]
	for _, a in ipairs(arms) do
		local list = {}
		for i = 1, #s.seeds do list[#list + 1] = a.values[i] end
		local v = interval(list, s.level)
		a.mean, a.low, a.high, a.sd = v.mean, v.low, v.high, v.sd
		a.seconds = a.n > 0 and a.seconds / a.n or nil
		if base and a ~= base then
			local d = differences(a.values, base.values, #s.seeds)
			if #d > 0 then
				a.difference = interval(d, s.level)
				compared[#compared + 1], ps[#ps + 1] = a, a.difference.p
			end
		end
	end
	for i, p in ipairs(native.holm(ps)) do compared[i].p = p end
	for _, a in ipairs(arms) do
		a.verdict = verdict_of(s, a)
		local fine, params = pcall(sweep.values, s, a.arm)
		a.params = fine and params or {}
	end
	local sign = s.goal == "max" and 1 or -1
	table.sort(arms, function(a, b)
		if (a.n > 0) ~= (b.n > 0) then return a.n > 0 end
		if a.n > 0 and a.mean ~= b.mean then return sign * a.mean > sign * b.mean end
		return a.arm < b.arm
	end)
	return arms
end

-- Returns what the sampler tpe needs: the point and the mean of each arm with a result; means are negated if lower is better.
function results.known(s)
	local out, sign = {}, s.goal == "max" and 1 or -1
	for _, a in ipairs(gather(s)) do
		local drawn = s.folder .. ("/arms/%04d.json"):format(a.arm - (s.base_arm and 1 or 0))
		if a.n > 0 and a.arm ~= s.base_arm and native.exists(drawn) then
			local sum = 0
			for _, v in pairs(a.values) do sum = sum + v end
			out[#out + 1] = { arm = a.arm, u = sweep.drawn(s, a.arm - (s.base_arm and 1 or 0)), value = sign * sum / a.n }
		end
	end
	return out
end

--[[
Returns the arm with the best mean among those with the most seeds, or nil if no trial is complete.
arms: the result of results.arms, the best mean first.
]]
function results.best(arms)
	local best
	for _, a in ipairs(arms) do
		if a.n > 0 and (not best or a.n > best.n) then best = a end
	end
	return best
end

-- Returns the Pareto front: arms that no other arm beats in both metric and seconds per trial, the fastest first.
function results.pareto(s)
	local arms, out, sign = results.arms(s), {}, s.goal == "max" and 1 or -1
	for _, a in ipairs(arms) do
		local beaten = a.n == 0
		for _, b in ipairs(arms) do
			beaten = beaten or (b.n > 0 and a ~= b and sign * b.mean >= sign * a.mean and b.seconds <= a.seconds
				and (b.mean ~= a.mean or b.seconds < a.seconds))
		end
		if not beaten then out[#out + 1] = a end
	end
	table.sort(out, function(a, b) return a.seconds < b.seconds end)
	return out
end

-- The table.

-- Formats a value of an axis in a few characters.
function results.value_text(v)
	if math.type(v) == "float" then return ("%.4g"):format(v) end
	local text = recipe.text(recipe.copy(v)):gsub("%s+", " ")
	return native.clean(#text > 24 and text:sub(1, 21) .. "..." or text)
end

local function number(v, digits)
	if not v or v ~= v then return "-" end
	if math.abs(v) >= 1000 or (v ~= 0 and math.abs(v) < .001) then return ("%.3g"):format(v) end
	return ("%." .. digits .. "f"):format(v)
end

local function spread(v) -- "0.6550 to 0.7100", or "" without an interval
	if not v or not v.low or v.low ~= v.low then return "" end
	return ("%s to %s"):format(number(v.low, 4), number(v.high, 4))
end

-- Returns the column names of paths: the last part, unless two paths share it.
function results.headings(s)
	local count, out = {}, {}
	local function last(path) return path:match "[^.]*$" end
	for _, path in ipairs(s.paths) do count[last(path)] = (count[last(path)] or 0) + 1 end
	for i, path in ipairs(s.paths) do out[i] = count[last(path)] == 1 and last(path) or path end
	return out
end

-- Returns the arm's value on an axis; for the base's arm, which lists no values, the value in the base.
local function value_of(s, a, path)
	local v = a.params[path]
	if v == nil and s.base and a.arm == s.base_arm then return space.get(s.base, path) end
	return v
end

-- Returns the headings and the rows of cells of a table of these arms.
local function display(s, arms)
	local head = results.headings(s)
	local compared = s.reference and { "against base", "interval", "p (Holm)" } or {}
	for _, name in ipairs{ s.metric, "n", ("%g%% interval"):format(100 * s.level), "s/trial" } do head[#head + 1] = name end
	table.move(compared, 1, #compared, #head + 1, head)
	head[#head + 1] = ""
	local rows = {}
	for i, a in ipairs(arms) do
		local row = {}
		for j, path in ipairs(s.paths) do
			local v = value_of(s, a, path)
			row[j] = v == nil and "-" or results.value_text(v)
		end
		local d = a.difference
		for _, text in ipairs{ number(a.mean, 4), tostring(a.n), spread(a), number(a.seconds, 1) } do row[#row + 1] = text end
		for _, text in ipairs(s.reference and { d and ("%+.4f"):format(d.mean) or "", spread(d), d and number(a.p, 4) or "" } or {}) do
			row[#row + 1] = text
		end
		row[#row + 1] = a.verdict
		rows[i] = row
	end
	return head, rows
end

local function widths_of(head, rows)
	local widths = {}
	for i, text in ipairs(head) do widths[i] = utf8.len(text) or #text end
	for _, row in ipairs(rows) do
		for i, text in ipairs(row) do widths[i] = math.max(widths[i], utf8.len(text) or #text) end
	end
	return widths
end

-- Removes the least important columns one by one until the rest fits.
local function fit(head, rows, room)
	for _, name in ipairs{ "s/trial", "n", "p (Holm)", "interval", "against base" } do
		local sum = -2
		for _, n in ipairs(widths_of(head, rows)) do sum = sum + n + 2 end
		if sum <= room then return end
		for i, text in ipairs(head) do
			if text == name then
				table.remove(head, i)
				for _, row in ipairs(rows) do table.remove(row, i) end
				break
			end
		end
	end
end

local function aligned(head, rows)
	local widths, lines = widths_of(head, rows), {}
	local function line(row)
		local out = {}
		for i, text in ipairs(row) do
			local pad = (" "):rep(widths[i] - (utf8.len(text) or #text))
			out[i] = i == #row and text or pad .. text
		end
		return (table.concat(out, "  "):gsub("%s+$", ""))
	end
	lines[1] = line(head)
	for i, row in ipairs(rows) do lines[i + 1] = line(row) end
	return table.concat(lines, "\n")
end

-- Returns "12 of 21 trials complete, 1 failed".
function results.state_text(s)
	local c, out = results.counts(s), nil
	out = ("%d of %d trials complete"):format(c.complete, s.trials)
	for _, state in ipairs{ "failed", "pruned", "skipped" } do
		if c[state] > 0 then out = out .. (", %d %s"):format(c[state], state) end
	end
	return out
end

-- Describes what trials of the same seed have in common.
local function pairing(s)
	local own = {}
	for _, path in ipairs(s.paths) do
		if path:find "^views" then own["the views of an image where pipelines differ"] = true end
		if path:find "^data" or path == "batch" then own["the order of images"] = true end
		if path:find "^encoder" or path:find "^projector" then own["starting weights"] = true end
	end
	local list = {}
	for text in pairs(own) do list[#list + 1] = text end
	table.sort(list)
	return "Arms are compared by pairs of trials of the same seed: same order of images, starting weights and draws"
		.. (#list > 0 and ", except for " .. table.concat(list, ", ") or "") .. "."
end

-- Formats these arms as lines.
function results.arms_text(s, arms)
	local head, rows = display(s, arms)
	if native.is_terminal() then fit(head, rows, native.width()) end
	return aligned(head, rows)
end

-- Returns the table of all arms as text, without results on the test set.
function results.table_text(s)
	local arms = results.arms(s)
	local out = { results.state_text(s), results.arms_text(s, arms) }
	if s.reference then out[#out + 1] = pairing(s) end
	if #s.paths > 1 and results.counts(s).complete > 0 then out[#out + 1] = importance.text(importance.of(s, arms)) end
	return table.concat(out, "\n")
end

-- Returns column names and rows for programs: parameters by path, and every number with all its digits.
local function numbers(s, arms)
	local names = table.move(s.paths, 1, #s.paths, 1, {})
	for _, name in ipairs{ s.metric, "n", "low", "high", "seconds" } do names[#names + 1] = name end
	for _, name in ipairs(s.reference and { "difference", "difference_low", "difference_high", "p" } or {}) do names[#names + 1] = name end
	names[#names + 1] = "verdict"
	local function finite(v) return v == v and v or nil end
	local rows = {}
	for i, a in ipairs(arms) do
		local d = a.difference or {}
		local row = { [s.metric] = finite(a.mean), n = a.n, low = finite(a.low), high = finite(a.high), seconds = a.seconds,
			difference = finite(d.mean), difference_low = finite(d.low), difference_high = finite(d.high), p = finite(a.p), verdict = a.verdict }
		for _, path in ipairs(s.paths) do
			local v = value_of(s, a, path)
			row[path] = (v == nil or type(v) == "number" or type(v) == "string") and v or recipe.text(recipe.copy(v))
		end
		rows[i] = row
	end
	return names, rows
end

-- Returns column names and rows of short texts for people.
local function texts(s, arms)
	local names, cells = display(s, arms)
	names[#names] = "verdict"
	local rows = {}
	for i, row in ipairs(cells) do
		rows[i] = {}
		for k, name in ipairs(names) do rows[i][name] = row[k] end
	end
	return names, rows
end

-- Returns the table of all arms, the best first, in a format of runs_table.lua.
function results.export(s, format)
	local of = (format == "csv" or format == "json") and numbers or texts
	return tables.text(format, of(s, results.arms(s)))
end

return results
