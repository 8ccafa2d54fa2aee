-- SPDX-License-Identifier: GPL-3.0-or-later
--[[
resume.lua: resuming runs (runs.resume, barlow resume).

The trainer is built again from the recipe in the run's folder, and the checkpoint restores its state.  If the recipe lacks
something, such as a function whose text was not found, the message says how the user can supply it.
]]
local native = require "barlow.native"
local recipe = require "barlow.recipe"
local versions = require "barlow.versions"

local resume = {}

local function by_hand(folder, why)
	error(("%s: the recipe cannot rebuild the trainer: %s; build it as it was, with folder = %q, and call "
		.. "t:load_checkpoint(%q)"):format(folder, why, folder, folder), 0)
end

-- Returns the recipe in the folder, for a trainer that continues there.
local function recipe_of(folder)
	local r, text = recipe.read(folder .. "/recipe.lua")
	if not r and not native.exists(folder .. "/recipe.lua") then
		by_hand(folder, "there is none (recipe.lua): a run of a C program has no recipe, and can only be continued by that program")
	end
	if not r then by_hand(folder, text) end
	local lacking = recipe.lacking(text)
	if lacking then by_hand(folder, "its text lacks " .. lacking) end
	local version = r.barlow or "0.1"
	local known, message = pcall(versions.complete, r)
	if not known then error(("%s/recipe.lua: %s"):format(folder, message), 0) end
	local remark = versions.remark(version)
	if remark then io.stderr:write(("barlow: %s: %s\n"):format(folder, remark)) end
	r.folder = folder
	if r.warm_start then r.warm_start = folder .. "/start.safetensors" end -- the folder may have been moved
	return r
end
resume.recipe_of = recipe_of

local function load(folder)
	return require "barlow".trainer(recipe.build(recipe_of(folder))):load_checkpoint(folder)
end

local function is_over(t)
	return t.iteration >= t.steps or t.seconds > 0 and t.terms and t.terms.time >= t.seconds
end

local function refuse_over(t, folder)
	local most = t.iteration >= t.steps and ("%d of %d steps are done"):format(t.iteration, t.steps)
		or ("its limit of %g s of training time is reached (%d of %d steps are done)"):format(t.seconds, t.iteration, t.steps)
	local more = t.iteration >= t.steps and ("epochs = %g"):format(2 * math.ceil(t.steps / t.steps_per_epoch))
		or ("seconds = %g"):format(2 * t.seconds)
	error(native.clean(("%s: the run is over: %s; runs.fork(%q, {set = {%s}}), or barlow fork, trains longer as a new run, and "
		.. "runs.fork(%q) is a trainer in its last state"):format(t.name, most, folder, more, folder)), 0)
end

-- Returns a trainer in the run's last state; the run is given by its name, folder or entry of runs() or runs.list, or nil
-- for the newest stopped one.
function resume.load(what)
	local name = what
	if type(what) == "table" then name = what.folder end
	if what ~= nil and type(name) ~= "string" then
		error("runs.resume: expected the name or folder of a run, or an entry of runs(), got a " .. type(what), 0)
	end
	local folder = native.resumable(name)
	local t = load(folder)
	if is_over(t) then refuse_over(t, folder) end
	return t
end

-- Trains t to its end.  Shows it on the screen; prints progress lines if there is no terminal, if `plain` is set, or after the
-- user has left the screen.
function resume.run(t, plain)
	local watched, how = false, nil
	if not plain then watched, how = pcall(t.watch, t) end -- fails without a terminal
	if not watched or how == "quit" then require "barlow.run".run(t, { caller_reports = true }) end
	t:wait()
	local where = native.unsaved(t) and "not saved" or "kept in " .. t.folder
	print(("%s at step %d of %d, %s"):format(t.state, t.iteration, t.steps, where))
end

-- Writes the weights of a finished run if they could not be saved at its end.  Returns false if its folder has them already.
local function save_weights(t, folder)
	local path, scratch = folder .. "/weights.safetensors", os.tmpname()
	t:save(scratch)
	local text = native.read_file(scratch)
	os.remove(scratch)
	if text == native.read_file(path) then return false end
	native.write_file(path, text, true)
	print(native.clean(("%s: the run is over; its weights were not saved at its end, and are in %s now"):format(t.name, path)))
	return true
end

-- The command barlow resume.
function resume.main(what, plain)
	local folder = native.resumable(what)
	local t = load(folder)
	if is_over(t) then
		if save_weights(t, folder) then return end
		refuse_over(t, folder)
	end
	-- "resumed at step 20", and possibly a remark
	local at, remark = t.message:match "^(resumed at step %d+)(.*)$"
	print(native.clean(("%s: %s of %d%s"):format(t.name, at or t.message, t.steps, remark or "")))
	resume.run(t, plain)
end

return resume
