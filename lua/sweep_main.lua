-- SPDX-License-Identifier: GPL-3.0-or-later
-- sweep_main.lua: the command barlow sweep ACTION, one function for each action.
local native = require "barlow.native"
local results = require "barlow.results"
local sweep = require "barlow.driver"
local worker = require "barlow.worker"

local main = {}

local function fail(format, ...) error((format):format(...), 0) end

-- Returns the requested share of the trials as "i/n", or that of the task of a Slurm array, or nil.
local function shard_of(options)
	if options.shard then return options.shard end
	local id, low = tonumber(os.getenv "SLURM_ARRAY_TASK_ID"), tonumber(os.getenv "SLURM_ARRAY_TASK_MIN")
	local count = tonumber(os.getenv "SLURM_ARRAY_TASK_COUNT")
	if not (id and low and count) then return nil end
	return ("%d/%d"):format(id - low + 1, count)
end

-- Returns the sweep that a script returns, or the sweep in a folder.
local function load_sweep(what)
	if not what:find "%.lua$" or native.exists(what .. "/sweep.lua") then return sweep.open(what) end
	local chunk, why = loadfile(what, "t")
	if not chunk then error(why, 0) end
	local s = chunk()
	if getmetatable(s) ~= sweep.class then fail("%s returns no sweep: it must end with 'return sweep{...}'", native.clean(what)) end
	return s
end

-- Returns the exit status: 1 if a trial failed or, without a share, if some were not run; 130 after Ctrl-C.
local function run(s, options)
	s:run{ jobs = options.jobs, shard = shard_of(options), plain = options.plain, notify = options.notify }
	if s.interrupted then return 130 end
	local c = results.counts(s)
	if c.failed > 0 or c.over < s.trials and not shard_of(options) then
		io.stderr:write(("barlow sweep: %s\n"):format(results.state_text(s)))
	end
	return (c.failed > 0 or (c.over < s.trials and not shard_of(options))) and 1 or 0
end

local actions = {}

function actions.run(what, options)
	local s = load_sweep(what)
	return run(s, options)
end

function actions.resume(what, options)
	local s = sweep.open(what)
	return run(s, options)
end

function actions.worker(what, options)
	local i, n = (shard_of(options) or "1/1"):match "^(%d+)/(%d+)$"
	i, n = math.tointeger(tonumber(i)), math.tointeger(tonumber(n))
	if not (i and n and i >= 1 and i <= n) then fail("--shard must be i/n with i from 1 to n") end
	local fine = worker.run(sweep.open(what), { i = i, n = n, memory = options.memory, until_time = options.until_time })
	return not fine and 130 or nil
end

actions["ask-tell"] = function(what)
	print = function(...) -- standard output is for the protocol only
		local out = table.pack(...)
		for i = 1, out.n do out[i] = tostring(out[i]) end
		io.stderr:write(table.concat(out, "\t"), "\n")
	end
	require "barlow.ask_tell".run(load_sweep(what))
end

function actions.status(what, options)
	local s = sweep.open(what)
	if options.json then
		print(native.json_text{ name = s.name, folder = s.folder, trials = s:list() })
		return
	end
	if options.csv then return print(results.export(s, "csv")) end
	print((tostring(s):gsub("\n.*", ""))) -- the table begins with how many trials are complete
	print(results.table_text(s))
end

function actions.export(what, options)
	print(results.export(sweep.open(what), options.format or options.json and "json" or "csv"))
end

function actions.best(what, options)
	local b = sweep.open(what):best{ test = options.test }
	if options.json then
		print(native.json_text{ arm = b.arm, params = b.params, mean = b.mean, low = b.low, high = b.high, n = b.n, folder = b.folder,
			test = b.test, importance = b.importance })
	else
		print(tostring(b))
	end
end

function actions.watch(what)
	sweep.open(what):watch()
end

function actions.stop(what)
	local s = sweep.open(what)
	s:stop()
	print(results.state_text(s) .. "; workers stop after their current step")
end

function actions.list(_, options)
	local list = require "barlow.sweep_list".list()
	if options.json then return print(native.json_text{ sweeps = setmetatable(list, nil) }) end
	print(list)
end

-- Returns the exit status.
function main.main(action, what, options)
	if not what and action ~= "list" then fail("%s: expected a sweep: its folder or name", action) end
	return actions[action](what, options) or 0
end

return main
