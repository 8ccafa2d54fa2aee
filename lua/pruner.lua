-- SPDX-License-Identifier: GPL-3.0-or-later
--[[
pruner.lua: decides which trials end early (prune), and which are skipped (stop).

median ends a trial whose metric is worse than the other trials' median at the same epoch.  asha (asynchronous
successive halving, Li et al. 2020, in the variant that stops trials) compares after first, first x eta, first x eta^2 ...
epochs, and continues the best 1/eta of the trials that reached this epoch.  The base's trials are never pruned.  A
decision depends on the progress of the other trials, so it is recorded in the trial's folder with the compared values, and
a later attempt at the trial repeats it.
]]
local native = require "barlow.native"
local results = require "barlow.results"
local sweep = require "barlow.sweep"

local pruner = {}

local ENOUGH = 4 -- least number of other trials for a median

local function decisions_path(s, k) return native.trial_path(s.folder, k) .. "/decisions.jsonl" end

-- Reads a file of JSON lines; truncated lines are skipped.
local function lines_of(path)
	local out = {}
	for line in (native.exists(path) and native.read_file(path) or ""):gmatch "[^\n]+" do
		local v = native.json_read(line)
		if type(v) == "table" then out[#out + 1] = v end
	end
	return out
end

-- Returns the metric of trial k at the first comparison at or after this epoch, in the first attempt that reached it.
local function value_at(s, k, epoch)
	for attempt = 1, native.trial_read(s.folder, k).attempts do
		for _, p in ipairs(lines_of(native.trial_path(s.folder, k, attempt) .. "/progress.jsonl")) do
			if type(p.epoch) == "number" and type(p.value) == "number" and p.epoch >= epoch - 1e-9 then return p.value end
		end
	end
	return nil
end

-- Returns whether the metric is compared at record r: an accuracy whenever it is measured, other columns at the end of each
-- epoch and of the run.
function pruner.compares(s, t, r)
	for _, c in ipairs(t.columns) do
		if c.name == s.metric and c.kind == "score" then return true end
	end
	return r.step % t.steps_per_epoch == 0 or r.step == t.steps
end

-- Returns the last rung of asha, in epochs, that this epoch has reached, or nil.
local function rung_of(s, epoch)
	local rung, at = nil, s.prune.first
	while at <= epoch + 1e-9 do rung, at = at, at * s.prune.eta end
	return rung
end

local function others(s, k, epoch)
	local out = {}
	for other = 1, s.trials do
		local v = other ~= k and native.exists(native.trial_path(s.folder, other)) and value_at(s, other, epoch)
		if v then out[#out + 1] = v end
	end
	return out
end

-- Returns whether a trial with this value continues, given the values of the others.
local function judge(s, at, value, seen)
	local better, sign = 0, s.goal == "max" and 1 or -1
	for _, v in ipairs(seen) do
		if sign * v > sign * value then better = better + 1 end
	end
	if s.prune.kind == "asha" then return #seen + 1 < s.prune.eta or better < math.max(1, (#seen + 1) // s.prune.eta) end
	return #seen < ENOUGH or better <= #seen / 2
end

-- Returns why trial k, which has this value after `epoch` epochs, is pruned, or nil if it continues.
function pruner.reason(s, k, epoch, value)
	if not s.prune or sweep.arm_of(s, k) == s.reference then return nil end
	local at = s.prune.kind == "asha" and rung_of(s, epoch) or s.prune.kind == "median" and epoch >= s.prune.first and epoch
	if not at then return nil end
	for _, d in ipairs(lines_of(decisions_path(s, k))) do
		if type(d.at) == "number" and math.abs(d.at - at) < 1e-9 then return d.ends and tostring(d.reason) or nil end
	end
	local seen = others(s, k, at)
	local ends = not judge(s, at, value, seen)
	local reason = ("after %g epochs %s was %.4g, against %d others"):format(at, s.metric, value, #seen)
	native.append_line(decisions_path(s, k), native.json_text{ at = at, value = value, saw = seen, ends = ends, reason = reason })
	return ends and reason or nil
end

-- Returns the values of an arm in complete trials before trial k, by the index of their seed.
local function values_before(s, k, arm)
	local out = {}
	for other = 1, k - 1 do
		local of, seed = sweep.arm_of(s, other)
		local r = of == arm and results.of(s, other)
		if r and r.value and r.state == "complete" then out[seed] = r.value end
	end
	return out
end

-- Returns the differences from the base for the seeds that both arms have; without a base, the values.
local function sample(s, values, base)
	local out = {}
	for i = 1, #s.seeds do
		if values[i] and (not base or base[i]) then out[#out + 1] = values[i] - (base and base[i] or 0) end
	end
	return out
end

-- Returns whether the interval is narrow enough.  An interval is computed after each seed from the second on, with the
-- level 1 - (1 - level) / (number of intervals), so that all intervals together have the level `level` (Bonferroni).
local function is_narrow(s, list)
	if #list < 2 then return false end
	local v = native.interval(list, 1 - (1 - s.level) / math.max(1, #s.seeds - 1))
	return v.high - v.low <= 2 * s.narrow
end

--[[
Returns whether the arm of trial k needs no further seed.  The criterion is the interval of the arm's paired difference from the
base (stop.of = "difference"), or else of its own mean.  The base needs further seeds as long as any other arm does.
]]
function pruner.decided(s, k)
	if not s.narrow then return false end
	local arm = sweep.arm_of(s, k)
	if s.narrow_of ~= "difference" then return is_narrow(s, sample(s, values_before(s, k, arm))) end
	local base = values_before(s, k, s.reference)
	if arm ~= s.reference then return is_narrow(s, sample(s, values_before(s, k, arm), base)) end
	for other = 1, s.arms do
		if other ~= arm and not is_narrow(s, sample(s, values_before(s, k, other), base)) then return false end
	end
	return true
end

return pruner
