-- SPDX-License-Identifier: GPL-3.0-or-later
--[[
resume.lua: a run that goes on (runs.resume, barlow resume).

The trainer is rebuilt from the recipe in the run's folder, and its checkpoint
puts it where the run was.  A recipe that lacks something, such as a layer
written in Lua, is its user's to complete: the message says how.
]]
local native = require "barlow.native"
local recipe = require "barlow.recipe"
local versions = require "barlow.versions"

local resume = {}

local function by_hand(folder, why)
	error(("%s: the recipe cannot rebuild the trainer: %s; build it as it was, with folder = %q, and call "
		.. "t:load_checkpoint(%q)"):format(folder, why, folder, folder), 0)
end

-- The recipe in the folder, for a trainer that goes on there.
local function recipe_of(folder)
	local r, text = recipe.read(folder .. "/recipe.lua")
	if not r and not native.exists(folder .. "/recipe.lua") then
		by_hand(folder, "there is none (recipe.lua): a run of a C program keeps none, and goes on in that program")
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
	if r.warm_start then r.warm_start = folder .. "/start.safetensors" end -- wherever the folder is now
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
		or ("its %g seconds of training are used up (%d of %d steps are done)"):format(t.seconds, t.iteration, t.steps)
	local more = t.iteration >= t.steps and ("epochs = %g"):format(2 * math.ceil(t.steps / t.steps_per_epoch))
		or ("seconds = %g"):format(2 * t.seconds)
	error(native.clean(("%s: the run is over: %s; runs.fork(%q, {set = {%s}}), or barlow fork, trains longer in a folder of its own, and "
		.. "runs.fork(%q) is a trainer that stands at its end"):format(t.name, most, folder, more, folder)), 0)
end

-- A trainer that stands where the run did; the run is given by its name, its folder, what runs() and runs.list have of it, or nil
-- for the newest stopped one.
function resume.load(what)
	if type(what) == "table" then what = what.folder end
	local folder = native.resumable(what)
	local t = load(folder)
	if is_over(t) then refuse_over(t, folder) end
	return t
end

-- As a script would: on the screen where there is one and nobody asked for lines, else in lines.
function resume.run(t, plain)
	local watched, how = false, nil
	if not plain then watched, how = pcall(t.watch, t) end -- fails where there is no terminal
	if not watched or how == "quit" then t:run() end
	t:wait()
	local where = native.unsaved(t) and "not saved" or "kept in " .. t.folder
	print(("%s at step %d of %d, %s"):format(t.state, t.iteration, t.steps, where))
end

-- Of a run that is over the weights, where the end that is in its checkpoint could not save them.  False: they are there.
local function save_weights(t, folder)
	local path, scratch = folder .. "/weights.safetensors", os.tmpname()
	t:save(scratch)
	local text = native.read_file(scratch)
	os.remove(scratch)
	if text == native.read_file(path) then return false end
	native.write_file(path, text, true)
	print(native.clean(("%s: the run is over; its weights were not saved at its end, and are kept in %s now"):format(t.name, path)))
	return true
end

-- barlow resume.
function resume.main(what, plain)
	local folder = native.resumable(what)
	local t = load(folder)
	if is_over(t) then
		if save_weights(t, folder) then return end
		refuse_over(t, folder)
	end
	-- "resumed at step 20", and perhaps what there is to remark
	local at, remark = t.message:match "^(resumed at step %d+)(.*)$"
	print(native.clean(("%s: %s of %d%s"):format(t.name, at or t.message, t.steps, remark or "")))
	resume.run(t, plain)
end

return resume
