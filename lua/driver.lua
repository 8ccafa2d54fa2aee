-- SPDX-License-Identifier: GPL-3.0-or-later
--[[
driver.lua: the methods of a sweep, which start and follow its workers and return its results.

Workers are processes of this program and run independently.  The driver restarts workers that have died, and reports
progress.  A worker whose driver has ended finishes its trial, and then ends as well.
]]
local importance = require "barlow.importance"
local native = require "barlow.native"
local recipe = require "barlow.recipe"
local registry = require "barlow.registry"
local results = require "barlow.results"
local run = require "barlow.run"
local sweep = require "barlow.sweep"

local Sweep = sweep.class
local methods = Sweep.__index

local POLL = .5       -- seconds between two polls of the workers
local PATIENCE = 30   -- seconds until a worker that was asked to end is killed
local RESTARTS = 5    -- greatest number of restarts without a trial finished in between

local function add(name, signature, text, keys, example)
	return registry.add{ name = "sweep:" .. name, kind = "method", self = "s", signature = signature, text = text, keys = keys,
		example = example and example:find "^pcall" and example or sweep.example .. (example or (":%s()"):format(name)) }
end

local function seeds_word(s) return #s.seeds == 1 and "seed" or "seeds" end

-- Workers.

local started = {
	{ name = "jobs", type = "integer", otherwise = "the sweep's", text = "worker processes at a time" },
	{ name = "shard", type = "string", otherwise = "all trials", text = "\"i/n\": only the i-th of n shares of the trials" },
	{ name = "plain", type = "boolean", default = false, text = "prints a line for each trial, also on a terminal that could show the screen" },
}

local function jobs_of(s, options)
	local jobs = options.jobs or s.jobs or math.max(1, native.cores() // 2)
	if math.type(jobs) ~= "integer" or jobs < 1 or jobs > 1024 then
		error(("sweep: jobs must be a whole number from 1 to 1024, got %s"):format(tostring(jobs)), 0)
	end
	return jobs
end

local function share_of(text)
	if not text then return 1, 1 end
	local i, n = text:match "^(%d+)/(%d+)$"
	i, n = math.tointeger(tonumber(i)), math.tointeger(tonumber(n))
	if not (i and n and i >= 1 and i <= n) then
		error(("sweep: shard must be \"i/n\" with i from 1 to n, got '%s'"):format(native.clean(text)), 0)
	end
	return i, n
end

local function start_worker(s)
	s.started = (s.started or 0) + 1
	local log = ("%s/logs/%s-%d-%d.log"):format(s.folder, native.whoami().host, native.whoami().pid, s.started)
	local line = { native.program(), "sweep", "worker", s.folder, "--threads", tostring(s.threads) }
	if s.shard then table.move({ "--shard", s.shard }, 1, 2, #line + 1, line) end
	if s.memory then table.move({ "--memory", tostring(s.memory) }, 1, 2, #line + 1, line) end
	local environment = { "BARLOW_SWEEP_DRIVER=" .. native.whoami().pid }
	if s.deadline then environment[2] = ("BARLOW_SWEEP_SECONDS=%.0f"):format(math.max(0, s.deadline - native.now())) end
	local pid = native.process_start(line, log, environment)
	s.workers[#s.workers + 1] = { pid = pid, log = log }
end

-- Counts the trials of this driver's share that have no result.
local function open_trials(s)
	local i, n = share_of(s.shard)
	local open = 0
	for k = 1, s.trials do
		if (k - 1) % n == i - 1 and not results.of(s, k) then open = open + 1 end
	end
	return open
end

add("start", "(settings?: table): sweep", "Starts the workers in the background; s:wait() waits for them.", started)
function methods.start(s, options)
	options = registry.check({ name = "sweep:start", keys = started }, options)
	if s.workers and #s.workers > 0 then error("sweep: its workers are running already", 0) end
	share_of(options.shard)
	local jobs = math.min(jobs_of(s, options), math.max(1, open_trials(s)))
	s.at_start = results.counts(s).over
	s.workers, s.shard, s.restarts, s.began = {}, options.shard, 0, native.now()
	s.threads = math.max(1, native.cores() // jobs)
	s.deadline = s.budget and s.budget.time and native.now() + s.budget.time or nil
	os.remove(s.folder .. "/stop")
	native.make_folder(s.folder .. "/logs")
	if open_trials(s) > 0 then
		for _ = 1, jobs do start_worker(s) end
	end
	return s
end

local function last_line(path)
	local last
	for line in (native.read_file(path) or ""):gmatch "[^\n]+" do last = line end
	return last and native.clean(last) or "nothing"
end

-- Polls the workers and restarts those that died while trials are left.  Returns whether any worker is running.
local function poll(s)
	local going = {}
	for _, w in ipairs(s.workers) do
		local status = native.process_poll(w.pid)
		if not status then
			going[#going + 1] = w
		elseif status ~= 0 and not s.stopping then
			local over = results.counts(s).over
			s.restarts = over > (s.over_before or -1) and 1 or s.restarts + 1
			s.over_before = over
			local how = status > 128 and "was ended by signal " .. status - 128 or "ended with status " .. status
			io.stderr:write(("sweep: worker %d %s; the last line of its log: %s (%s)\n"):format(w.pid, how, last_line(w.log), native.clean(w.log)))
			if s.restarts <= RESTARTS and open_trials(s) > 0 then s.again = (s.again or 0) + 1 end
		end
	end
	s.workers = going
	for _ = 1, s.again or 0 do start_worker(s) end
	s.again = 0
	return #s.workers > 0
end

-- Following.

local function trial_label(s, k)
	local arm, seed = sweep.arm_of(s, k)
	local fine, values = pcall(sweep.values, s, arm)
	local out = {}
	for i, path in ipairs(fine and s.paths or {}) do
		if values[path] ~= nil then out[#out + 1] = results.headings(s)[i] .. " " .. results.value_text(values[path]) end
	end
	if #out == 0 then out[1] = s.base_arm == arm and "the base" or "arm " .. arm end
	return table.concat(out, ", "), s.seeds[seed]
end

local function eta(s)
	local over = results.counts(s).over
	local done = over - (s.at_start or over) -- nil: this process has started no workers
	if done < 1 then return "-" end
	return run.clock((native.now() - s.began) / done * (s.trials - over))
end

-- Prints a line for each result that is new since the last call.
local function report(s, reported)
	for k = 1, s.trials do
		local r = not reported[k] and results.of(s, k)
		if r then
			reported[k] = true
			local label, seed = trial_label(s, k)
			local what = r.state == "complete" and ("%s %s"):format(s.metric, ("%.4f"):format(r.value))
				or r.state .. (r.reason and ": " .. r.reason or "")
			io.write(("%d/%d  trial %d  %s  seed %d  %s  %s  ETA %s\n"):format(results.counts(s).over, s.trials, k, label, seed, what,
				r.seconds and run.clock(r.seconds) or "-", eta(s)))
			io.flush()
		end
	end
end

local function reported_already(s)
	local reported = {}
	for k = 1, s.trials do reported[k] = results.of(s, k) ~= nil end
	return reported
end

-- Asks the workers to save and end, and kills those that have not ended after PATIENCE seconds.
local function end_workers(s)
	s.stopping = true
	for _, w in ipairs(s.workers or {}) do native.process_end(w.pid) end
	local limit = native.now() + PATIENCE
	while #(s.workers or {}) > 0 and native.now() < limit do
		native.sleep(.05)
		poll(s)
	end
	for _, w in ipairs(s.workers or {}) do native.process_end(w.pid, true) end
	s.stopping = false
end

-- Shows the sweep's screen.  Returns true if the user left it while the sweep runs, or if there was no screen.
local function show(s)
	local fine, how = pcall(require "barlow.sweep_screen".show, s, function() return poll(s) end)
	if not fine then
		io.stderr:write(("sweep: no screen: %s\n"):format((tostring(how):gsub("^%S+:%d+: ", ""))))
		return true
	end
	if how == "interrupt" then
		end_workers(s)
		s.interrupted = true
	end
	return how == "quit"
end

add("watch", "(): sweep", "Shows the sweep's screen: arms with their intervals, and the state of trials; q leaves it.", nil,
	("pcall(function(s) return s:watch() end, %s)"):format(sweep.example))
function methods.watch(s)
	s.workers = s.workers or {}
	local others = #s.workers == 0 -- the workers belong to other processes: the screen stays until q
	local fine, how = pcall(require "barlow.sweep_screen".show, s, function() return poll(s) or others end)
	if not fine then error(how, 0) end
	if how == "interrupt" and not others then end_workers(s) end
	return s
end

local waited = { { name = "quiet", type = "boolean", default = false, text = "prints no line for each trial" } }

add("wait", "(settings?: table): sweep", "Waits until the sweep's workers have ended, and prints a line for each trial; Ctrl-C stops them.", waited)
function methods.wait(s, options)
	options = registry.check({ name = "sweep:wait", keys = waited }, options)
	local reported = reported_already(s)
	local function wait()
		while s.workers and poll(s) do
			native.sleep(POLL)
			if not options.quiet then report(s, reported) end
		end
	end
	if not native.interruptible(wait) then
		end_workers(s)
		s.interrupted = true
	end
	if not options.quiet then report(s, reported) end
	return s
end

local function how_to_continue(s)
	return ("stopped; continue with s:run() or barlow sweep resume %s"):format(native.clean(s.folder))
end

local ran = table.move(started, 1, #started, 1, {})
ran[#ran + 1] = { name = "notify", type = "string", otherwise = "the environment variable BARLOW_NOTIFY, or bell",
	text = "how a terminal signals the end: bell, osc9 (a desktop notification, if the terminal supports it) or none" }

local SIGNS = { bell = "\a", osc9 = "\27]9;%s\a", none = "" }

local function sign_of(notify)
	local what = notify or os.getenv "BARLOW_NOTIFY"
	if not what or what == "" then what = "bell" end
	if not SIGNS[what] then
		error(("sweep: %s must be bell, osc9 or none, got '%s'"):format(notify and "notify" or "BARLOW_NOTIFY", native.clean(what)), 0)
	end
	return SIGNS[what]
end

-- Notifies the terminal that a sweep has ended, unless it was interrupted.
local function notify(s, sign)
	if s.interrupted or not native.is_terminal() then return end
	io.write((sign:format(("sweep %s: %s"):format(native.clean(s.name), results.state_text(s)))))
	io.flush()
end

add("run", "(settings?: table): sweep", "Runs all trials that have no result yet, and prints the table.", ran)
function methods.run(s, options)
	options = registry.check({ name = "sweep:run", keys = ran }, options)
	local c, sign = results.counts(s), sign_of(options.notify)
	options.notify = nil
	print(("sweep %s: %d arms x %d %s%s, in %s"):format(native.clean(s.name), s.arms, #s.seeds, seeds_word(s),
		c.over > 0 and (", %d of %d trials have a result"):format(c.over, s.trials) or "", native.clean(s.folder)))
	s:start(options)
	if options.plain or not native.is_terminal() or show(s) then s:wait() end
	print(results.table_text(s))
	if open_trials(s) > 0 then print(how_to_continue(s)) end
	notify(s, sign)
	return s
end

add("resume", "(settings?: table): sweep", "The same as s:run(): stopped trials continue from their checkpoints.", ran)
methods.resume = methods.run

local added = {
	{ name = "seeds", type = "any", expected = "a number of seeds, or a list of integers", otherwise = "none", text = "further seeds of all arms" },
	{ name = "arms", type = "integer", otherwise = "none", text = "further points of random, halton or tpe" },
	{ name = "values", type = "table", otherwise = "none",
		text = "further values of a grid's axes, by path; each is combined with all values of the other axes" },
}

add("add", "(settings: table): sweep", "Adds seeds, arms, or values of a grid, whose trials s:run() runs; existing trials stay.", added, ":add{seeds = 1}")
function methods.add(s, more)
	sweep.add(s, registry.check({ name = "sweep:add", keys = added }, more))
	return s
end

add("stop", "(): sweep", "Stops all workers, also those of other processes and hosts; they save their trials.")
function methods.stop(s)
	native.create_file(s.folder .. "/stop", "")
	end_workers(s)
	return s
end

-- Results.

add("table", "(): table", "All arms, the best first: values, mean with its interval, difference from the base with Holm's p.")
function methods.table(s)
	return setmetatable(results.arms(s), { __tostring = function() return results.table_text(s) end })
end

local export_keys = {
	{ name = "format", type = "string", default = "csv",
		text = "csv and json have every number with all digits; markdown, latex and plain have what s:table() prints" },
	{ name = "path", type = "string", otherwise = "the text is returned", text = "the file that is written" },
}

add("export", "(settings?: table): string", "The table of all arms in a text format.", export_keys, ":export{format = \"latex\"}")
function methods.export(s, options)
	options = registry.check({ name = "sweep:export", keys = export_keys }, options)
	local text = results.export(s, options.format)
	if not options.path then return text end
	native.write_file(options.path, text .. "\n")
	return options.path
end

add("list", "(): table", "All trials: {trial, arm, seed, params, state, value, seconds, folder}.")
function methods.list(s)
	local out = {}
	for k = 1, s.trials do
		local arm, seed = sweep.arm_of(s, k)
		local r = results.of(s, k) or {}
		local fine, params = pcall(sweep.values, s, arm)
		local attempts = native.trial_read(s.folder, k).attempts
		out[k] = { trial = k, arm = arm, seed = s.seeds[seed], params = fine and params or nil, value = r.value,
			state = r.state or attempts > 0 and "begun" or "open", seconds = r.seconds, reason = r.reason, metrics = r.metrics,
			folder = attempts > 0 and native.trial_path(s.folder, k, r.attempt and r.attempt > 0 and r.attempt or attempts) or nil }
	end
	return out
end

-- Returns the numbers of the complete trials of an arm.
local function complete_trials(s, arm)
	local out = {}
	for k = 1, s.trials do
		local r = results.of(s, k)
		if sweep.arm_of(s, k) == arm and r and r.state == "complete" then out[#out + 1] = k end
	end
	return out
end

-- Accuracies of the arm's trials on the test set.  They are measured once and stored; later calls read the stored ones.
local function test(s, a)
	local path = s.folder .. "/test.json"
	if not native.exists(path) then
		if not s.test then error("sweep: best{test = true} needs a dataset: test = ... in the sweep's declaration", 0) end
		local values = {}
		for _, k in ipairs(complete_trials(s, a.arm)) do
			local r = sweep.recipe(s, k)
			local folder = native.trial_path(s.folder, k, results.of(s, k).attempt)
			r.folder = false
			r.knn = { refs = r.knn and r.knn.refs or r.data, queries = recipe.copy(s.test) }
			local t = require "barlow".trainer(r):load_checkpoint(folder)
			local e = t:eval{ linear = s.metric == "linear" }
			values[#values + 1] = s.metric == "linear" and e.linear or e.knn
		end
		native.create_file(path, native.json_text{ arm = a.arm, metric = s.metric == "linear" and "linear" or "knn", values = values })
	end
	local stored = native.json_read(native.read_file(path) or "")
	if type(stored) ~= "table" or type(stored.values) ~= "table" then error(native.clean(path) .. ": not a file that best{test = true} wrote", 0) end
	local v = native.interval(stored.values, s.level)
	return { arm = stored.arm, metric = stored.metric, values = stored.values, mean = v.mean, low = v.low, high = v.high }
end

local best_keys = {
	{ name = "test", type = "boolean", default = false, text = "measures its trials on the test set, once; the results are stored" },
}

local Best = {}

function Best.__tostring(b)
	local lines = { ("arm %d: %s %.4f (%g%% interval %.4f to %.4f, %d seeds)"):format(b.arm, b.metric, b.mean, 100 * b.level, b.low,
		b.high, b.n) }
	for path, v in pairs(b.params) do table.insert(lines, ("  %s = %s"):format(path, results.value_text(v))) end
	table.sort(lines, function(x, y) return (x:sub(1, 1) ~= " ") and (y:sub(1, 1) == " ") or ((x:sub(1, 1) == " ") == (y:sub(1, 1) == " ")
		and x < y) end)
	if b.test then
		lines[#lines + 1] = ("on the test set: %s %.4f (%.4f to %.4f)"):format(b.test.metric, b.test.mean, b.test.low, b.test.high)
			.. (b.test.arm ~= b.arm and (", of arm %d, which was the best then"):format(b.test.arm) or "")
	end
	if next(b.params, next(b.params)) then lines[#lines + 1] = importance.text(b.importance) end
	lines[#lines + 1] = "the recipe: " .. b.folder .. "/recipe.lua"
	return table.concat(lines, "\n")
end

add("best", "(settings?: table): table",
	"The best arm, {arm, params, mean, low, high, n, recipe, folder}; its trainer can be built again from its recipe.", best_keys,
	":run():best()")
function methods.best(s, options)
	options = registry.check({ name = "sweep:best", keys = best_keys }, options)
	local arms = results.arms(s)
	local a = results.best(arms)
	if not a then error("sweep: no trial is complete", 0) end
	local first = complete_trials(s, a.arm)[1]
	a.metric, a.level, a.importance = s.metric, s.level, importance.of(s, arms)
	a.recipe = sweep.recipe(s, first)
	a.folder = native.trial_path(s.folder, first, results.of(s, first).attempt)
	a.test = options.test and test(s, a) or nil
	return setmetatable(a, Best)
end

add("pareto", "(): table", "Arms that no other arm beats in both metric and seconds per trial (the Pareto front), the fastest first.")
function methods.pareto(s)
	return setmetatable(results.pareto(s), { __tostring = function(arms) return results.arms_text(s, arms) end })
end

local importance_keys = {
	{ name = "gamma", type = "number", otherwise = "fANOVA of a complete grid, else PED-ANOVA of the best quarter",
		text = "PED-ANOVA of the best arms, which are this fraction of all" },
}

add("importance", "(settings?: table): table",
	"The importance of each parameter, by path, from 0 to 1; prints with its formula: fANOVA of a complete grid, else PED-ANOVA.",
	importance_keys)
function methods.importance(s, options)
	local gamma = registry.check({ name = "sweep:importance", keys = importance_keys }, options).gamma
	if gamma and not (gamma > 0 and gamma < 1) then error(("sweep: gamma must be between 0 and 1, got %g"):format(gamma), 0) end
	local v = importance.of(s, results.arms(s), gamma)
	return setmetatable(v and v.shares or {}, { __tostring = function() return importance.text(v) end })
end

function Sweep.__tostring(s)
	return ("sweep %s: %d arms x %d %s, %s of %s, in %s\n%s"):format(native.clean(s.name), s.arms, #s.seeds, seeds_word(s), s.goal, s.metric,
		native.clean(s.folder), results.state_text(s))
end

-- Loading this module adds the methods to the class of sweeps.
function sweep.with_methods(s) return s end

return sweep
