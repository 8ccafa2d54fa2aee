-- SPDX-License-Identifier: GPL-3.0-or-later
--[[
prompt_leave.lua: ends a session with active runs: waits for them, stops them, or moves each to its own process.
]]
local native = require "barlow.native"

local leave = {}

local function is_going(t) return t.state == "running" or t.state == "paused" end

local function going()
	local out = {}
	for _, t in ipairs(native.trainers()) do
		if t.background and is_going(t) then out[#out + 1] = t end
	end
	return out
end

-- Reports each run until its end, as t:run does; Ctrl-C stops the run that is being reported.
local function wait_for(list)
	for _, t in ipairs(list) do
		if is_going(t) then
			print(native.clean(t.name) .. ":")
			t:run()
		end
	end
	return true
end

local function stop(list)
	for _, t in ipairs(list) do
		t:stop()
		print(("%s: stopped at step %d of %d%s"):format(native.clean(t.name), t.iteration, t.steps,
			t.folder and not native.unsaved(t) and ", saved" or ", not saved"))
	end
	return true
end

-- Returns why a run cannot continue in another process, or nil.
local function obstacle(t)
	if not t.folder then return "it is kept in memory only: give trainer{} a folder, or set HOME to one that can be written to" end
	local lost = require "barlow.recipe".lost(t.recipe)
	return lost and "its recipe lacks " .. lost
end

local SECONDS = 20 -- the longest that the new process may take to take over the run

-- Returns whether that process has taken over the run, according to its run.json.
local function taken_over(folder, pid)
	local file = native.run_file(folder)
	return file and file.pid == pid
end

local function detach_one(t)
	local folder = t.folder
	t:stop()
	if native.unsaved(t) then error("its checkpoint was not saved: " .. native.unsaved(t), 0) end
	local pid = native.process_start({ native.program(), "resume", "--plain", folder }, folder .. "/log", {})
	local deadline = native.now() + SECONDS
	while not taken_over(folder, pid) do
		local status = native.process_poll(pid)
		if status == 0 then break end -- it has already ended
		if status then error(("barlow resume ended with status %d; %s/log says why"):format(status, folder), 0) end
		if native.now() > deadline then break end
		native.sleep(.02)
	end
	print(("%s: continues as process %d from step %d; 'barlow watch %s' shows it, %s/log has its output"):format(
		native.clean(t.name), pid, t.iteration, native.clean(t.name), folder))
end

-- Detaches all runs.  If one of them has an obstacle, none is detached; if detaching fails later, the runs before it stay
-- detached.  In both cases returns false, and the session stays.
local function detach(list)
	for _, t in ipairs(list) do
		local why = obstacle(t)
		if why then
			print(("%s cannot be detached: %s"):format(native.clean(t.name), why))
			return false
		end
	end
	for _, t in ipairs(list) do
		local fine, message = pcall(detach_one, t)
		if not fine then
			print(("%s: not detached: %s"):format(native.clean(t.name), tostring(message)))
			return false
		end
	end
	return true
end

local answers = { w = wait_for, wait = wait_for, d = detach, detach = detach, s = stop, stop = stop }

local function describe(list)
	local parts = {}
	for i, t in ipairs(list) do
		parts[i] = ("%s (%sstep %d of %d)"):format(native.clean(t.name), t.state == "paused" and "paused, " or "", t.iteration, t.steps)
	end
	return ("%d run%s: %s"):format(#list, #list == 1 and " is under way" or "s are under way", table.concat(parts, ", "))
end

-- Returns whether the session may end.  `terminal`: asks the user; otherwise waits for the runs.
function leave.may(terminal)
	local list = going()
	if #list == 0 then return true end
	if not terminal then return wait_for(list) end
	print(describe(list))
	while true do
		io.write "[w]ait, [d]etach (continues without this session), [s]top and save, or Enter to stay? "
		io.flush()
		local answer = io.read "l"
		if not answer then return stop(list) end
		if answer:match "^%s*$" then return false end
		local act = answers[answer:lower():match "^%s*(%S*)"]
		if act then return act(list) end
	end
end

return leave
