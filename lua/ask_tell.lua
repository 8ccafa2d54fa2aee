-- SPDX-License-Identifier: GPL-3.0-or-later
--[[
ask_tell.lua: runs the trials that another program requests, in lines of JSON (barlow sweep ask-tell SCRIPT.lua).

The program writes a request to standard input:
               {"params": {"loss.lambda": 0.01, "batch": 64}, "seed": 1, "id": 7}
and reads from standard output:
               {"id": 7, "step": 120, "epoch": 1.0, "value": 0.71}           whenever the metric is measured
               {"id": 7, "state": "complete", "value": 0.83, "metrics": {...}, "folder": "..."}
The request {"prune": true} ends the running trial early; its "state" is then "pruned".  If a trial fails, or a line is not
JSON, the answer has the state "failed" and a "reason".  The output of the script goes to standard error.  The command ends
at the end of standard input.
]]
local native = require "barlow.native"
local pruner = require "barlow.pruner"
local sweep = require "barlow.sweep"
local worker = require "barlow.worker"

local ask_tell = {}

local POLL = .1 -- seconds between two polls of the active trial

local function send(message)
	io.stdout:write(native.json_text(message), "\n")
	io.stdout:flush()
end

local function finite(v) return type(v) == "number" and v == v and math.abs(v) < math.huge end

-- Reads the lines that have arrived, up to a request to end the trial; returns whether there was one.  The other lines are
-- appended to `waiting`.
local function prune_requested(waiting)
	while true do
		local line = native.input_line(0)
		if not line then return false end
		local v = native.json_read(line)
		if type(v) == "table" and v.prune == true then return true end
		waiting[#waiting + 1] = line
	end
end

local function follow(s, id, t, waiting)
	local seen, over, pruned = t.iteration, false, false
	while not over do
		over = t:wait(POLL)
		local newest = t.terms and t.terms.step or t.iteration
		for i = seen + 1, newest do
			local r = t:record(i)
			if r and finite(r[s.metric]) and pruner.compares(s, t, r) then
				send{ id = id, step = i, epoch = i / t.steps_per_epoch, value = r[s.metric] }
			end
		end
		seen = newest
		if not over and not pruned and prune_requested(waiting) then
			pruned = true
			t:stop()
		end
	end
	return pruned
end

local function run(s, request, number, waiting)
	local folder = ("%s/asked/%s-%d-%04d"):format(s.folder, native.whoami().host, native.whoami().pid, number)
	local seed = request.seed or s.seeds[1]
	if type(request.params) ~= "table" then error("'params' must be an object of values by path", 0) end
	if math.type(seed) ~= "integer" then error("'seed' must be an integer", 0) end
	local r = sweep.recipe_of(s, request.params, seed, ("%s %d"):format(s.name, number), folder)
	r.folder = folder
	local t = require "barlow".trainer(r)
	t:start()
	local pruned = follow(s, request.id, t, waiting)
	if t.state == "failed" then error(t.message, 0) end
	local metrics = worker.final_metrics(s, t)
	return { id = request.id, state = pruned and t.state ~= "done" and "pruned" or "complete", value = metrics[s.metric], metrics = metrics,
		folder = folder, seconds = t.terms and t.terms.time }
end

function ask_tell.run(s)
	local waiting, number = {}, 0
	while true do
		local line = table.remove(waiting, 1) or native.input_line()
		if not line then return end
		local request, why = native.json_read(line)
		local fine, answer
		if type(request) == "table" and request.prune == true then
			fine, answer = true, nil -- the trial that it was meant for has already ended
		elseif type(request) == "table" then
			number = number + 1
			fine, answer = pcall(run, s, request, number, waiting)
		else
			fine, answer = false, why or "expected an object"
		end
		if not fine then
			answer = { id = type(request) == "table" and request.id or nil, state = "failed", reason = native.clean(tostring(answer)) }
		end
		if answer then send(answer) end
		collectgarbage()
	end
end

return ask_tell
