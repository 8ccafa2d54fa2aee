-- SPDX-License-Identifier: GPL-3.0-or-later
--[[
sweep_screen.lua: shows a sweep on the whole terminal: its arms with their intervals, and the progress of its trials.

read(s, view) reads the state of the trials, draw(board, s, view) draws it, and show(s, poll) is the event loop.
]]
local native = require "barlow.native"
local results = require "barlow.results"
local run = require "barlow.run"
local space = require "barlow.space"
local sweep = require "barlow.sweep"

local screen = {}

local POLL = .5       -- seconds between two reads
local SPARKS = 12     -- greatest number of columns of a trial's curve
local PLOT = 24       -- least number of columns of the plot of intervals
local LEAST = { 40, 12 } -- least columns and rows of the terminal

-- Reading.

local function jsonl_values(path)
	local out = {}
	for line in (native.exists(path) and native.read_file(path) or ""):gmatch "[^\n]+" do
		local v = native.json_read(line)
		if type(v) == "table" and type(v.value) == "number" then out[#out + 1] = v.value end
	end
	return out
end

-- Returns a trial without a result: {k =, state = "running" | "lost" | "open", step =, steps =, values =, folder =}.
local function read_open(s, k)
	local look = native.trial_read(s.folder, k)
	if look.attempts == 0 then return { k = k, state = "open" } end
	local folder = native.trial_path(s.folder, k, look.attempts)
	local out = { k = k, state = look.dead and "lost" or "running", folder = folder, values = jsonl_values(folder .. "/progress.jsonl") }
	for _, r in ipairs(native.runs(native.trial_path(s.folder, k))) do
		if r.id == "attempt-" .. look.attempts then out.step, out.steps = r.step, r.steps end
	end
	return out
end

local function read_over(s, k, r)
	local folder = r.attempt > 0 and native.trial_path(s.folder, k, r.attempt) or nil
	local out = { k = k, state = r.state, value = r.value, reason = r.reason, seconds = r.seconds, folder = folder }
	out.values = folder and jsonl_values(folder .. "/progress.jsonl") or {}
	return out
end

local ORDER = { running = 1, lost = 2, failed = 3, complete = 4, pruned = 5, skipped = 6, open = 7 }

-- Returns all trials: running ones first, those that have not begun last.  A finished trial is read only once.
local function read_trials(s, over)
	local list = {}
	for k = 1, s.trials do
		local r = results.of(s, k)
		if r then
			over[k] = over[k] or read_over(s, k, r)
			list[#list + 1] = over[k]
		else
			list[#list + 1] = read_open(s, k)
		end
	end
	table.sort(list, function(a, b)
		if ORDER[a.state] ~= ORDER[b.state] then return ORDER[a.state] < ORDER[b.state] end
		return a.k < b.k
	end)
	return list
end

-- Keeps the cursor on its trial when the order changes.
local function follow_bar(view)
	for i, t in ipairs(view.trials) do
		if t.k == view.bar then view.chosen = i end
	end
end

function screen.read(s, view)
	view.over = view.over or {}
	view.counts, view.arms, view.trials = results.counts(s), results.arms(s), read_trials(s, view.over)
	view.running = 0
	for _, t in ipairs(view.trials) do
		if t.state == "running" then view.running = view.running + 1 end
	end
	follow_bar(view)
	return view
end

-- Drawing.

local BLOCKS = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" }
local PLAIN_BLOCKS = { ".", ".", ":", ":", "-", "=", "+", "#" }

local function sparkline(values, utf8)
	local low, high, out = math.huge, -math.huge, {}
	local first = math.max(1, #values - SPARKS + 1)
	for i = first, #values do low, high = math.min(low, values[i]), math.max(high, values[i]) end
	for i = first, #values do
		local u = high > low and (values[i] - low) / (high - low) or .5
		out[#out + 1] = (utf8 and BLOCKS or PLAIN_BLOCKS)[math.min(8, math.floor(u * 8) + 1)]
	end
	return table.concat(out)
end

-- Draws the interval of an arm on the scale: "  |---o---|  ".
local function interval_text(a, low, high, columns, utf8)
	local function place(v) return math.floor((v - low) / (high - low) * (columns - 1) + .5) + 1 end
	local cells = {}
	for i = 1, columns do cells[i] = " " end
	if a.low == a.low then
		local from, to = math.max(1, place(a.low)), math.min(columns, place(a.high))
		for i = from, to do cells[i] = utf8 and "─" or "-" end
		cells[from] = place(a.low) < 1 and (utf8 and "◂" or "<") or utf8 and "├" or "|"
		cells[to] = place(a.high) > columns and (utf8 and "▸" or ">") or utf8 and "┤" or "|"
	end
	cells[math.max(1, math.min(columns, place(a.mean)))] = utf8 and "●" or "o"
	return table.concat(cells)
end

-- Returns the ends of the scale of all intervals.  Very wide intervals (of two seeds) are clipped, so that others stay readable.
local function scale(arms)
	local low, high, wide = math.huge, -math.huge, {}
	for _, a in ipairs(arms) do
		if a.n > 0 then low, high = math.min(low, a.mean), math.max(high, a.mean) end
		if a.n > 1 then wide[#wide + 1] = a.high - a.low end
	end
	if low > high then return 0, 1 end
	table.sort(wide)
	local margin = math.max((high - low) * .1, (wide[(#wide + 1) // 2] or 0) * .75, math.abs(high) * 1e-3, 1e-9)
	return low - margin, high + margin
end

local function arm_label(s, a)
	local out, heads = {}, results.headings(s)
	for i, path in ipairs(s.paths) do
		local v = a.params[path]
		if v == nil and s.base and a.arm == s.base_arm then v = space.get(s.base, path) end
		out[#out + 1] = ("%s %s"):format(heads[i], v == nil and "-" or results.value_text(v))
	end
	return table.concat(out, ", ")
end

local function number(v) return v and v == v and ("%.4f"):format(v) or "-" end

local function columns_of(text) return utf8.len(text) or #text end
local function padded(text, columns) return text .. (" "):rep(columns - columns_of(text)) end

local function draw_arms(b, s, view, y, rows, w)
	local widest = 0
	for i = 1, math.min(rows - 1, #view.arms) do widest = math.max(widest, columns_of(arm_label(s, view.arms[i]))) end
	widest = math.min(widest, math.max(12, w - PLOT - 14))
	local verdicts = w >= widest + 14 + PLOT + 24
	local plot = w - widest - 14 - (verdicts and 24 or 0)
	local low, high = scale(view.arms)
	b:text(0, y, w, "faint", false, padded("arm", widest + 2) .. padded(s.metric, 8) .. " n")
	if plot >= PLOT then
		local left, right = ("%.4g"):format(low), ("%.4g"):format(high)
		b:text(widest + 13, y, plot, "faint", false, left .. (" "):rep(plot - #left - #right) .. right)
	end
	for i = 1, math.min(rows - 1, #view.arms) do
		local a, row = view.arms[i], y + i
		local tone = a.n == 0 and "faint" or a.verdict == "better" and "good" or a.verdict == "worse" and "warn" or "text"
		b:text(0, row, widest, tone, false, arm_label(s, a))
		b:text(widest + 2, row, 10, tone, false, padded(number(a.mean), 8) .. " " .. a.n)
		if a.n > 0 and plot >= PLOT then b:text(widest + 13, row, plot, tone, false, interval_text(a, low, high, plot, view.utf8)) end
		if verdicts then b:text(w - 23, row, 23, tone, false, a.verdict) end
	end
	return math.min(rows - 1, #view.arms) + 1
end

local TONES = { running = "title", lost = "warn", failed = "warn", complete = "text", pruned = "faint", skipped = "faint", open = "faint" }

local function trial_text(s, t, view)
	local arm, seed = sweep.arm_of(s, t.k)
	local fine, values = pcall(sweep.values, s, arm)
	local out = { ("%4d  %-8s  %s, seed %d"):format(t.k, t.state, arm_label(s, { arm = arm, params = fine and values or {} }), s.seeds[seed]) }
	if t.state == "running" and t.steps and t.steps > 0 then out[#out + 1] = ("step %d/%d"):format(t.step, t.steps) end
	local value = t.value or t.values and t.values[#t.values]
	if value then out[#out + 1] = ("%s %s"):format(s.metric, number(value)) end
	if t.values and #t.values > 1 then out[#out + 1] = sparkline(t.values, view.utf8) end
	if t.seconds then out[#out + 1] = run.clock(t.seconds) end
	if t.reason then out[#out + 1] = t.reason end
	return table.concat(out, "  ")
end

local function draw_trials(b, s, view, y, rows, w)
	view.chosen = math.max(1, math.min(view.chosen or 1, #view.trials))
	view.bar = view.trials[view.chosen] and view.trials[view.chosen].k
	view.page = math.max(1, rows)
	view.top = math.max(1, math.min(view.top or 1, view.chosen, math.max(1, #view.trials - rows + 1)))
	if view.chosen >= view.top + rows then view.top = view.chosen - rows + 1 end
	for i = 0, rows - 1 do
		local t = view.trials[view.top + i]
		if not t then break end
		b:text(0, y + i, w, TONES[t.state], view.top + i == view.chosen, trial_text(s, t, view))
	end
end

local function eta_text(s, view)
	if not view.began or view.counts.over <= view.at_start then return "" end
	local seconds = (native.now() - view.began) / (view.counts.over - view.at_start) * (s.trials - view.counts.over)
	return "  ETA " .. run.clock(seconds)
end

function screen.draw(b, s, view)
	local w, h = b:begin()
	view.utf8 = b:utf8()
	if w < LEAST[1] or h < LEAST[2] then
		return b:text(0, 0, w, "warn", false, ("at least %d x %d"):format(LEAST[1], LEAST[2]))
	end
	local c = view.counts
	b:text(0, 0, w, "title", false, ("sweep %s  %s"):format(native.clean(s.name), results.state_text(s)))
	b:text(0, 1, w, view.running > 0 and "good" or "faint", false, ("%d running  %d open%s  %s of %s"):format(view.running,
		s.trials - c.over - view.running, eta_text(s, view), s.goal, s.metric))
	local arms = math.min(#view.arms + 1, math.max(2, (h - 6) // 2))
	local used = draw_arms(b, s, view, 3, arms, w)
	b:text(0, used + 4, w, "faint", false, "trial  state")
	draw_trials(b, s, view, used + 5, h - used - 6, w)
	b:text(0, h - 1, w, view.notice and "warn" or "faint", false, view.notice
		or "Enter its screen  d end it  S stop all  j k PgUp PgDn choose  q leave (the sweep continues)")
end

-- Keys.

local function choose(view, place)
	view.chosen = math.max(1, math.min(place, #view.trials))
	view.bar = view.trials[view.chosen] and view.trials[view.chosen].k
end
local function move(view, by) choose(view, (view.chosen or 1) + by) end

local keys = {
	j = function(_, view) move(view, 1) end, down = function(_, view) move(view, 1) end,
	k = function(_, view) move(view, -1) end, up = function(_, view) move(view, -1) end,
	["page down"] = function(_, view) move(view, view.page) end, ["page up"] = function(_, view) move(view, -view.page) end,
	home = function(_, view) choose(view, 1) end, g = function(_, view) choose(view, 1) end,
	["end"] = function(_, view) choose(view, #view.trials) end, G = function(_, view) choose(view, #view.trials) end,
}

function keys.q() return "quit" end
function keys.interrupt() return "interrupt" end

function keys.enter(_, view)
	local t = view.trials[view.chosen]
	if not (t and t.folder and native.exists(t.folder .. "/live")) then
		view.notice = t and ("trial %d has not begun"):format(t.k) or "there is no trial"
		return nil
	end
	return "open", t.folder .. "/live"
end

-- Ends a trial; the key must be pressed twice, so that no trial is ended by accident.
function keys.d(s, view)
	local t = view.trials[view.chosen]
	if not t or t.state ~= "running" then
		view.notice = "this trial is not running"
	elseif view.asked == t.k then
		native.create_file(native.trial_path(s.folder, t.k) .. "/end", "")
		view.notice, view.asked = ("trial %d ends after the current step"):format(t.k), nil
	else
		view.notice, view.asked = ("press d again to end trial %d; it counts as pruned"):format(t.k), t.k
	end
end

function keys.S(_, view)
	if view.asked == "stop" then return "interrupt" end
	view.notice, view.asked = "press S again to stop all trials; the sweep can be resumed", "stop"
end

-- Returns what a key requests: "quit", "interrupt", "open" with a path, or nil.
function screen.press(s, view, key)
	local asked = view.asked
	view.notice = nil
	local act = keys[key]
	local what, path
	if act then what, path = act(s, view) end
	if view.asked == asked then view.asked = nil end
	return what, path
end

--[[
Shows the screen until the sweep is over, or q or Ctrl-C is pressed; returns "over", "quit" or "interrupt".  poll() is called in
every iteration to poll and restart the workers; it returns false when none is left.  Raises an error if the terminal is not suitable.
]]
function screen.show(s, poll)
	local view <const> = { began = native.now(), at_start = results.counts(s).over }
	while true do
		local board <close> = native.board_open()
		local what, path
		repeat
			local going = poll()
			screen.read(s, view)
			screen.draw(board, s, view)
			board:show()
			local key = board:key(POLL)
			if key then what, path = screen.press(s, view, key) end
			if not going and not what then what = "over" end
		until what
		board:close()
		if what ~= "open" then return what end
		native.run_watch(path, true)
	end
end

return screen
