-- SPDX-License-Identifier: GPL-3.0-or-later
--[[
worker.lua: a process that runs trials of a sweep one after the other until none is left (barlow sweep worker FOLDER).

Workers communicate through the sweep's folder only, so that any number of them may work on it, on any hosts that share
it.  A worker claims a trial by making the folder of a new attempt, and increments a counter while it runs.  A worker of
this host is considered dead if its process has ended; a worker of another host, if its counter does not change for LEASE
seconds.  The next attempt at the trial continues from the dead worker's checkpoint.
]]
local native = require "barlow.native"
local pruner = require "barlow.pruner"
local results = require "barlow.results"
local sweep = require "barlow.sweep"

local worker = {}

local LEASE = 120  -- seconds after which a worker of another host is considered dead if its counter does not change
local POLL = .2    -- seconds between two polls of the active trial
local BEAT = 2     -- seconds between two increments of the counter
local IDLE = 1     -- seconds between two searches for a trial that another worker left

-- Claims.

-- Returns whether the worker of the newest attempt is dead.  `seen` has the time, by this process's clock, at which each
-- counter last changed.
local function is_dead(look, k, seen)
	if look.here then return look.dead end
	local at = seen[k]
	if not at or at.attempt ~= look.attempts or at.beat ~= look.beat then
		seen[k] = { attempt = look.attempts, beat = look.beat, since = native.now() }
		return false
	end
	return native.now() - at.since > LEASE
end

-- Returns the number of attempts at trial k whose worker died, without those that were stopped on request.
local function deaths(s, k, attempts)
	local stopped, n = {}, 0
	for _, r in ipairs(native.runs(native.trial_path(s.folder, k))) do stopped[r.folder:match "[^/]*$"] = r.state == "stopped" end
	for attempt = 1, attempts do
		local mark = native.trial_path(s.folder, k, attempt) .. "/stopped"
		if not stopped["attempt-" .. attempt] and not native.exists(mark) then n = n + 1 end
	end
	return n
end

local function store_result(s, k, attempt, result)
	return native.trial_finish(s.folder, k, attempt, native.json_text(result))
end

-- Gives a trial a result without running it, for example if it is not needed any more.
local function close(s, k, attempt, state, reason)
	if native.trial_claim(s.folder, k, attempt) then
		store_result(s, k, attempt, { trial = k, state = state, reason = reason, attempt = attempt })
	end
end

-- Claims trial k for this process, and returns the number of the attempt, or nil if another process has claimed it or it has a result.
local function claim(s, k, seen)
	local look = native.trial_read(s.folder, k)
	if look.over then return nil end
	if look.attempts > 0 and not is_dead(look, k, seen) then return nil end
	local attempt = look.attempts + 1
	local died = look.attempts > 0 and deaths(s, k, look.attempts) or 0
	if died > s.retries then
		close(s, k, attempt, "failed", ("its worker died %d times; the last one: %s, process %d"):format(died, look.host, look.pid))
		return nil
	end
	if look.attempts == 0 and pruner.decided(s, k) then
		close(s, k, attempt, "skipped", s.narrow_of == "difference" and "the interval of the difference from the base is narrow enough"
			or "the interval of its arm is narrow enough")
		return nil
	end
	return native.trial_claim(s.folder, k, attempt) and attempt or nil
end

-- Claims the next trial of this worker's share, and returns the numbers of trial and attempt.  If there is none,
-- returns nil and whether other workers are still running trials of the share.
local function next_trial(s, share, over, seen)
	local waiting = false
	sweep.refresh(s) -- trials may have been added
	for k = 1, s.trials do
		if not over[k] and (k - 1) % share.n == share.i - 1 then
			local attempt = claim(s, k, seen)
			if attempt then return k, attempt end
			if native.exists(native.trial_path(s.folder, k) .. "/result.json") then over[k] = true else waiting = true end
		end
	end
	return nil, waiting
end

-- A trial.

-- Loads the checkpoint of the newest attempt that has one.  Returns false if that run had ended without a result and has to
-- be repeated.
local function resume_trial(s, k, attempt, t)
	for before = attempt - 1, 1, -1 do
		local folder = native.trial_path(s.folder, k, before)
		if native.exists(folder .. "/checkpoint.safetensors") then
			local fine, why = pcall(t.load_checkpoint, t, folder)
			if fine then return t.iteration < t.steps end
			io.stderr:write(("trial %d: attempt %d cannot be continued: %s\n"):format(k, before, native.clean(tostring(why))))
		end
	end
	return true
end

-- Ends this worker, whose run cannot be saved, as if it had been killed.  Another attempt follows, up to the number of
-- retries.
local function end_worker(k, why)
	io.stderr:write(("trial %d: the run cannot be saved: %s\n"):format(k, native.clean(why)))
	os.exit(1, false)
end

local function finite(v) return type(v) == "number" and v == v and math.abs(v) < math.huge end

-- Follows the run: increments the counter, records the metric, queries the pruner.  Returns why it was ended, or nil.
local function follow(s, k, attempt, t)
	local progress = native.trial_path(s.folder, k, attempt) .. "/progress.jsonl"
	local beat, seen, ended, over = -1 / 0, t.iteration, nil, false
	while not over do
		over = t:wait(POLL)
		if native.now() - beat > BEAT then
			native.trial_beat(s.folder, k, attempt)
			beat = native.now()
		end
		local newest = t.terms and t.terms.step or t.iteration
		for i = seen + 1, newest do
			local r = t:record(i)
			if r and s.metric ~= "linear" and finite(r[s.metric]) and pruner.compares(s, t, r) then
				local epoch = i / t.steps_per_epoch
				native.append_line(progress, native.json_text{ step = i, epoch = epoch, value = r[s.metric], time = r.time })
				ended = ended or pruner.reason(s, k, epoch, r[s.metric])
			end
		end
		seen = newest
		if native.exists(native.trial_path(s.folder, k) .. "/end") then ended = "the user ended it" end
		if not over and (ended or native.exists(s.folder .. "/stop")) then
			ended = ended or "stopped"
			t:stop()
		end
	end
	return ended
end

-- Returns the values of the run's last record, with the last accuracies that were measured.
function worker.final_metrics(s, t)
	local out, scores = {}, {}
	for _, c in ipairs(t.columns) do
		if c.kind == "score" then scores[#scores + 1] = c.name end
	end
	for name, v in pairs(t.terms or {}) do
		if finite(v) then out[name] = v end
	end
	for _, name in ipairs(scores) do
		for i = t.iteration, 1, -1 do
			local r = t:record(i)
			if r and finite(r[name]) then
				out[name] = r[name]
				break
			end
		end
	end
	if s.metric == "linear" then out.linear = t:eval{}.linear end
	return out
end

local function trainer_of(s, k, attempt)
	local r = sweep.recipe(s, k)
	r.folder = native.trial_path(s.folder, k, attempt)
	return require "barlow".trainer(r), r.seed
end

local function train(s, k, attempt)
	local t, seed = trainer_of(s, k, attempt)
	if not resume_trial(s, k, attempt, t) then t = trainer_of(s, k, attempt) end
	local began = native.now()
	t:start()
	if not t.folder then end_worker(k, "its folder cannot be written") end
	local ended = follow(s, k, attempt, t)
	if t.state == "done" then ended = nil end -- it had already finished
	if ended == "stopped" or (ended or t.state == "stopped") and native.interrupted() then return nil end
	if native.unsaved(t) then pcall(t.checkpoint, t) end -- the disk may have been full temporarily
	local result = { trial = k, attempt = attempt, steps = t.iteration, seconds = t.terms and t.terms.time or native.now() - began,
		host = native.whoami().host, seed = seed }
	if t.state == "failed" then
		result.state, result.reason = "failed", t.message
		return result
	end
	if t.state == "stopped" then ended = ended or "the user stopped it" end
	result.metrics = worker.final_metrics(s, t)
	result.value = result.metrics[s.metric]
	result.state, result.reason = ended and "pruned" or "complete", ended
	if result.state == "complete" and not result.value then
		result.state, result.reason = "failed", ("the run ended without a finite %s"):format(s.metric)
	end
	if native.unsaved(t) then end_worker(k, native.unsaved(t)) end
	return result
end

-- Runs one trial.  An error in it becomes its result; the sweep continues.
local function run_trial(s, k, attempt)
	io.write(("trial %d, attempt %d\n"):format(k, attempt))
	local fine, result = pcall(train, s, k, attempt)
	if not fine and native.interrupted() then
		result = nil -- ending the worker does not end the trial
	elseif not fine then
		result = { trial = k, attempt = attempt, state = "failed", reason = native.clean(tostring(result)) }
	end
	if not result then
		native.trial_stop()
		io.write(("trial %d: stopped\n"):format(k))
		return
	end
	local counts = store_result(s, k, attempt, result)
	io.write(("trial %d: %s%s%s\n"):format(k, result.state, result.reason and ": " .. result.reason or "",
		counts and "" or "; another attempt has finished first"))
	io.flush()
	collectgarbage()
end

local function work(s, options)
	local share, over, seen = { i = options.i or 1, n = options.n or 1 }, {}, {}
	local driver, seconds = tonumber(os.getenv "BARLOW_SWEEP_DRIVER"), tonumber(os.getenv "BARLOW_SWEEP_SECONDS")
	local deadline = driver and seconds and native.now() + seconds or math.huge -- monotonic: the time of day may change
	io.stdout:setvbuf "line" -- so that the log of a killed worker is complete
	if options.memory then native.limit_memory(options.memory) end
	while not native.exists(s.folder .. "/stop") do
		if driver and native.whoami().parent ~= driver then return io.write "this worker ends, since the process that started it has ended\n" end
		if not native.exists(s.folder .. "/sweep.lua") then -- a folder that a user has deleted is not created again
			error(("%s: the sweep's folder was removed, or its sweep.lua"):format(native.clean(s.folder)), 0)
		end
		if native.now() >= deadline or options.until_time and os.time() >= options.until_time then return io.write "the sweep's time is over\n" end
		local k, attempt = next_trial(s, share, over, seen)
		if k then
			run_trial(s, k, attempt)
		elseif attempt then
			native.sleep(IDLE)
		else
			return
		end
	end
	io.write "stopped\n"
end

--[[
Runs trials until none of the worker's share is left, the folder contains a file `stop`, the sweep's time is over, or
the driver (driver.lua) has ended.
options: {i =, n = (share i of n), memory = (megabytes), until_time = (seconds of os.time)}.  Returns false after Ctrl-C.
]]
function worker.run(s, options)
	local fine = native.interruptible(work, s, options)
	if not fine then native.trial_stop() end
	return fine
end

return worker
