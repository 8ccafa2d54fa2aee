-- SPDX-License-Identifier: GPL-3.0-or-later
--[[
replay.lua: shows a run as it was at an earlier step (t:at, t:first, t:bisect, and the same methods of stored runs).

Another process recomputes the step bit for bit, from the nearest checkpoint before it or from the run's start, and applies the
journal's changes at their steps.  That process reads its job from a file in a scratch folder and writes its answer there.  The
recomputed record of the step is compared with the run's own; an error is raised if they differ.
]]
local json = require "barlow.json"
local native = require "barlow.native"
local recipe = require "barlow.recipe"
local run = require "barlow.run"

local replay = {}

local POLL = .05  -- seconds between two polls of the process
local TRIES = 5   -- attempts at reading a checkpoint, which an active run may replace meanwhile

-- Starting points of a replay.

-- Returns the folder's checkpoints of steps before `step` in ascending order: {step =, path =}.
local function checkpoints(folder, step)
	local found, seen = {}, {}
	for _, name in ipairs(native.list_folder(folder)) do
		local path = folder .. "/" .. name
		local s = tonumber(name:match "^checkpoint%-(%d+)%.safetensors$")
		if name == "checkpoint.safetensors" then s = tonumber((native.tensor_facts(path) or {}).step) end
		s = s and math.tointeger(s)
		if s and s < step and not seen[s] then
			found[#found + 1], seen[s] = { step = s, path = path }, true
		end
	end
	table.sort(found, function(a, b) return a.step < b.step end)
	return found
end

-- Returns the parent's checkpoint at which a fork starts: {step =, path =}.
local function fork_start(folder, parent, step)
	if step <= parent.step then
		error(("step %d was made by the run that this one was forked from at step %d: use runs.get(%q)"):format(step, parent.step,
			parent.folder), 0)
	end
	for _, c in ipairs(checkpoints(parent.folder, parent.step + 1)) do
		if c.step == parent.step then return c end
	end
	error(("%s: it has no checkpoint before step %d, and %s no longer has that of step %d, where this run was forked from it")
		:format(folder, step, parent.folder, parent.step), 0)
end

-- Returns all starting points of a replay to `step` in ascending order, at least one.
local function starts(folder, step)
	local list = checkpoints(folder, step)
	local parent = (native.run_file(folder) or {}).parent
	if #list > 0 and list[1].step <= (parent and parent.step or 0) then return list end
	local fine, start = true, { step = 0 }
	if parent then fine, start = pcall(fork_start, folder, parent, step) end
	if fine then
		table.insert(list, 1, start)
	elseif #list == 0 then
		error(start, 0)
	end
	return list
end

local function nearest(folder, step)
	local list = starts(folder, step)
	return list[#list]
end

-- The replaying process.

-- Returns a trainer at that starting point, which will apply the journal's later changes at their steps.
local function build(folder, start)
	local resume = require "barlow.resume"
	local r = resume.recipe_of(folder)
	r.folder, r.seconds, r.checkpoint_every, r.keep, r.knn = false, nil, false, "records", false
	local t = require "barlow".trainer(recipe.build(r))
	if start.path then t:load_checkpoint(start.path) end
	local known = start.path and #t.journal - 1 or 0 -- the last line records the loading itself
	local journal = native.journal(folder)
	t:replay(table.move(journal, known + 1, #journal, 1, {}))
	return t
end

-- Builds a trainer at the nearest starting point before a step; tries again if the run replaces its checkpoints meanwhile.
-- Returns the trainer and the step of its starting point.
local function build_before(folder, step)
	for _ = 1, TRIES do
		local start = nearest(folder, step)
		local fine, t = pcall(build, folder, start)
		if not fine and native.exists(start.path or folder) then error(t, 0) end
		if fine and t.iteration == start.step then return t, start.step end
	end
	error(folder .. ": its checkpoints change faster than they can be read", 0)
end

-- Trains up to a step, or up to the first one at which the trainer's condition holds; returns true in that case.
local function go_to(t, step, job)
	while t.iteration < step do
		if native.whoami().parent ~= job.parent then os.exit(1, false) end
		t:step(1)
		if native.at_break(t) then
			local why = t.message:match "its function failed: (.*)"
			if why then error(("the function failed at step %d: %s"):format(t.iteration, why), 0) end
			return true
		end
	end
	return false
end

local function condition_of(out)
	local made, text, why = native.describe(out .. "/condition.lua")
	if not text then error(why, 0) end
	return made[1]
end

-- Writes weights, embeddings and C of the step as files, and returns the rest of the answer.
local function write_answer(out, t, from)
	local terms = {}
	for name, v in pairs(t.iteration > 0 and t.terms or {}) do terms[name] = v end
	t:save(out .. "/weights.safetensors")
	local z = native.embeddings(t)
	for i, v in ipairs(z) do v:save(("%s/z%d.npy"):format(out, i)) end
	if #z > 0 then t.C:save(out .. "/C.npy") end
	return { step = t.iteration, from = from, terms = terms, embeddings = #z }
end

local work = {}

function work.at(out, job)
	local t, from = build_before(job.folder, job.step)
	go_to(t, job.step, job)
	return write_answer(out, t, from)
end

-- Evaluates the condition after each step from job.first to job.last.
function work.first(out, job)
	local t, from = build_before(job.folder, job.first)
	go_to(t, job.first - 1, job)
	t:break_when(condition_of(out))
	return go_to(t, job.last, job) and write_answer(out, t, from) or { none = true }
end

-- Returns whether the condition holds at the first step after a starting point.
local function probe(out, job, start)
	local t = build(job.folder, start)
	t:break_when(condition_of(out))
	return go_to(t, start.step + 1, job)
end

-- Finds, by bisection, the first starting point such that the condition holds at the step after it.  Then evaluates the
-- condition at each step from the starting point before that one on.
function work.bisect(out, job)
	local list = starts(job.folder, job.last)
	local low, high = 0, #list + 1 -- it does not hold after list[low], and holds after list[high]
	while high - low > 1 do
		local middle = (low + high) // 2
		if probe(out, job, list[middle]) then high = middle else low = middle end
	end
	local begin, last = list[math.max(low, 1)], list[high] and list[high].step + 1 or job.last
	local t = build(job.folder, begin)
	t:break_when(condition_of(out))
	return go_to(t, last, job) and write_answer(out, t, begin.step) or { none = true }
end

-- The main function of the process, which native.process_start runs.
function replay.work(out)
	local job = native.json_read(native.read_file(out .. "/job.json"))
	local fine, answer = pcall(work[job.what], out, job)
	if not fine then answer = { error = native.clean(tostring(answer)) } end
	native.write_file(out .. "/answer.json", json.encode(answer))
end

-- Requests.

local function duration(seconds)
	if not seconds then return "in an unknown time" end
	if seconds < 1 then return "in about a second" end
	return seconds < 100 and ("in about %.0f s"):format(seconds) or "in about " .. run.clock(seconds) .. " min"
end

-- Returns the seconds of training between two steps according to the run's records.
local function seconds_between(of, from, to)
	local a, b = from > 0 and of.record(from) or { time = 0 }, of.record(to)
	return a and b and b.time - a.time or nil
end

local function places(list)
	return #list == 1 and list[1].step == 0 and "the start" or ("the checkpoint of step %d"):format(list[#list].step)
end

-- Prints how many steps have to be recomputed for the job, and how long this takes, unless `quiet` is set.
local function announce(of, job, quiet)
	local text
	if job.what == "bisect" then
		local list, most = starts(job.folder, job.last), 0
		for i, c in ipairs(list) do
			most = math.max(most, seconds_between(of, c.step, list[i + 1] and list[i + 1].step or job.last) or 0)
		end
		local probes = math.ceil(math.log(#list + 1, 2))
		text = ("bisect: %d probes of one step each, then at most the steps between two of %d checkpoints, %s"):format(probes, #list, duration(most))
	else
		local to, from = job.what == "at" and job.step or job.last, nearest(job.folder, job.what == "at" and job.step or job.first)
		local list = { from }
		local n = to - from.step
		text = ("%s: %s%d %s recomputed from %s, %s"):format(job.what == "at" and "step " .. to or "first",
			job.what == "at" and "" or "at most ", n, n == 1 and "step is" or "steps are", places(list), duration(seconds_between(of, from.step, to)))
	end
	if not quiet then io.stderr:write("barlow: ", text, "\n") end
end

local function remove(out)
	for _, name in ipairs(native.list_folder(out .. "/run")) do os.remove(out .. "/run/" .. name) end
	os.remove(out .. "/run")
	for _, name in ipairs(native.list_folder(out)) do os.remove(out .. "/" .. name) end
	os.remove(out)
end

-- Runs a process for the job and returns its answer; `started.pid` is its process id while it runs.  locate: a locator, or nil.
local function run_job(out, job, started, locate)
	job.parent = native.whoami().pid
	native.write_file(out .. "/job.json", json.encode(job))
	started.pid = native.process_start({ native.program(), "-e", ("require 'barlow.replay'.work(%q)"):format(out) }, out .. "/log", {})
	while not native.process_poll(started.pid) do native.sleep(POLL) end
	started.pid = nil
	local text = native.read_file(out .. "/answer.json")
	if not text then
		local log = native.read_file(out .. "/log") or ""
		error(("%s: the process that recomputed the steps ended without an answer: %s"):format(job.what, native.clean(log:sub(-400))), 0)
	end
	local answer = native.json_read(text)
	if answer.error then error(job.what .. ": " .. (locate and locate(answer.error) or answer.error), 0) end
	return answer
end

-- Views.

local View = {}

function View.__newindex(_, name)
	error(("a view of a past step is read-only: '%s' cannot be set; t:fork{step = ...} continues from a checkpoint"):format(tostring(name)), 2)
end

function View.__tostring(v)
	return ("%s at step %d of %d, recomputed from %s%s"):format(native.clean(v.name), v.iteration, v.steps,
		v.from == 0 and "the start" or "step " .. v.from, v.terms and (": total %.4g"):format(v.terms.total) or "")
end

local measured_anew = { time = true, images_per_s = true, knn = true }

-- Returns the terms of the recomputed step.  A value missing from the answer was NaN, which JSON lacks.  Times and kNN,
-- which are not measured again, and columns of user functions are taken from the run's record.
local function terms_of(of, answer)
	if answer.step == 0 then return nil end
	local own, out = of.record(answer.step), { step = answer.step }
	for name, v in pairs(answer.terms) do out[name] = name == "step" and v or v + 0. end
	for name, v in pairs(own or {}) do
		if out[name] == nil then out[name] = 0 / 0 end
		if v ~= out[name] and not (v ~= v and out[name] ~= out[name]) and not measured_anew[name] and of.is_own[name] == nil then
			error(("the recomputed step %d has %s %.17g, but the run recorded %.17g: something that is not in its recipe and journal has "
				.. "changed it, so that the run cannot be recomputed"):format(answer.step, name, out[name], v), 0)
		end
		if measured_anew[name] or of.is_own[name] then out[name] = v end
	end
	return out
end

local function view_of(of, out, answer, path)
	local v = { name = of.name, steps = of.steps, iteration = answer.step, from = answer.from, terms = terms_of(of, answer), z = {} }
	v.weights = native.tensors(out .. "/weights.safetensors")
	if path then native.write_file(path, native.read_file(out .. "/weights.safetensors")) end
	for i = 1, answer.embeddings do v.z[i] = require "barlow".tensor.load(("%s/z%d.npy"):format(out, i)) end
	if answer.embeddings > 0 then v.C = require "barlow".tensor.load(out .. "/C.npy") end
	local function index(_, name)
		if v[name] ~= nil or name == "terms" or name == "C" then return v[name] end
		error(("a view has no '%s': what was measured is in terms, as v.terms.total; it has C, from, iteration, name, steps, "
			.. "terms, weights and z"):format(tostring(name)), 2)
	end
	return setmetatable({}, { __index = index, __newindex = View.__newindex, __tostring = function() return View.__tostring(v) end })
end

-- Returns a function that replaces positions in a message: lines of the file `path`, to which `text` with f was written, become
-- lines of the file in which the user wrote f.  f is at the end of `text`; positions before it belong to upvalues, and are
-- removed.
local function locator(path, text, f)
	local info, file = debug.getinfo(f, "S"), debug.getinfo(load("", "@" .. path), "S").short_src
	local behind = text:match "end(%s*return [%w_]+%s*end%)%(%)%s*%)%s*)$" or text:match "end(%s*end%)%(%)%s*%)%s*)$"
		or text:match "end(%s*%)%s*)$" or ""
	local last = 1 + select(2, text:gsub("\n", "")) - select(2, behind:gsub("\n", ""))
	return function(message)
		return (message:gsub(file:gsub("%p", "%%%0") .. ":(%d+): ", function(line)
			local n = info.lastlinedefined - last + math.tointeger(line)
			return n < info.linedefined and "" or ("%s:%d: "):format(info.short_src, n)
		end))
	end
end

-- Writes the function as text to a file, since the other process does not load the script.  Returns its locator.
local function write_condition(out, what, f)
	if type(f) ~= "function" then error(("%s: expected a function of a view, got a %s"):format(what, type(f)), 0) end
	local value, why = native.function_value(f)
	if not value then error(("%s: %s"):format(what, why), 0) end
	local d = recipe.call("nn.func", { value })
	local lost = recipe.lost(d)
	if lost then error(("%s: the function cannot be passed to another process: %s"):format(what, lost), 0) end
	local path, text = out .. "/condition.lua", recipe.file_text(d, out)
	native.write_file(path, text)
	return locator(path, text, f)
end

local function check_step(what, step, of, least)
	if math.type(step) ~= "integer" or step < least or step > of.made then
		error(("%s: expected a step from %d to %d, which the run has made, got %s"):format(what, least, of.made, tostring(step)), 0)
	end
end

-- Lets another process do a job, and returns a view, or nil if the condition held at no step.  of: the run, {name =, steps =,
-- made = steps done, is_own = set of the user's columns, record = function(step), folder =, write =}; of a run without a folder,
-- write(folder) writes recipe and journal to one.
local function do_job(of, job, settings, f)
	if settings.path ~= nil and type(settings.path) ~= "string" then
		error(("%s: 'path' must be a string, got a %s"):format(job.what, type(settings.path)), 0)
	end
	local out = os.tmpname()
	os.remove(out)
	native.make_folder(out)
	local started = {}
	local function body()
		job.folder = of.folder
		if not job.folder then
			job.folder = out .. "/run"
			native.make_folder(job.folder)
			of.write(job.folder)
		else
			native.check_replay(job.folder)
		end
		local locate = f and write_condition(out, job.what, f)
		announce(of, job, settings.quiet)
		local answer = run_job(out, job, started, locate)
		return not answer.none and view_of(of, out, answer, settings.path) or nil
	end
	local fine, whole, view = pcall(native.interruptible, body) -- whole is false if Ctrl-C ended it
	if started.pid then
		native.process_end(started.pid, true)
		while not native.process_poll(started.pid) do native.sleep(POLL) end
	end
	remove(out)
	if not fine then error(whole, 0) end
	if not whole then error(job.what .. ": interrupted", 0) end
	return view
end

-- Returns the `of` of do_job for a trainer.
local function of_trainer(t)
	local of = { name = t.name, steps = t.steps, made = t.iteration, folder = t.folder, is_own = {} }
	for _, c in ipairs(t.columns) do of.is_own[c.name] = c.kind == "own" or nil end
	function of.record(step) return t:record(step) end
	function of.write(folder)
		for _, c in ipairs(t.journal) do
			if c.name == "resumed" then
				error("this run was loaded from a checkpoint and has no folder: its earlier steps are not known; give it a folder", 0)
			end
		end
		native.write_file(folder .. "/recipe.lua", recipe.file_text(t.recipe, folder))
		native.write_journal(folder .. "/journal", t)
	end
	return of
end

-- Returns the `of` of do_job for a stored run, which may be running in another process.
local function of_folder(r)
	local records = native.run_records(r.folder)
	local place = {}
	for i, s in ipairs(records.step) do place[s] = i end
	local of = { name = r.name, steps = r.steps, made = #records.step > 0 and records.step[#records.step] or 0, folder = r.folder, is_own = {} }
	function of.record(step)
		local i = place[step]
		if not i then return nil end
		local out = {}
		for name, list in pairs(records) do out[name] = list[i] end
		return out
	end
	return of
end

local function of_any(r)
	return type(r) == "userdata" and of_trainer(r) or of_folder(r)
end

-- at(step[, {quiet =, path =}])
function replay.at(r, step, settings)
	local of = of_any(r)
	check_step("at", step, of, 0)
	return do_job(of, { what = "at", step = step }, settings or {})
end

-- first(f[, {from =, to =, quiet =, path =}])
function replay.first(r, f, settings)
	local of, s = of_any(r), settings or {}
	local first, last = s.from or 1, s.to or of.made
	check_step("first: from", first, of, 1)
	check_step("first: to", last, of, first)
	return do_job(of, { what = "first", first = first, last = last }, s, f)
end

-- bisect(f[, {quiet =, path =}])
function replay.bisect(r, f, settings)
	local of = of_any(r)
	check_step("bisect: the last step", of.made, of, 1)
	return do_job(of, { what = "bisect", last = of.made }, settings or {}, f)
end

return replay
