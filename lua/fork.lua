-- SPDX-License-Identifier: GPL-3.0-or-later
--[[
fork.lua: makes a new run that continues from a checkpoint of another one (runs.fork, t:fork, barlow fork).

The new run's trainer is built from the other run's recipe, with changes, and its records begin with those of the other run.
Loading the checkpoint also restores the settings that may change during a run, so changed ones are set again after that.
]]
local native = require "barlow.native"
local recipe = require "barlow.recipe"
local recipe_path = require "barlow.recipe_path"
local resume = require "barlow.resume"

local fork = {}

local function set(r, path, value)
	local fine, message = pcall(recipe_path.set, r, path, value)
	if not fine then error("fork: set: " .. tostring(message), 0) end
end

-- Returns those of these settings that may change during a run, by the names that t:set takes.
local function settable(t, changes)
	local out, any = {}, false
	for path, v in pairs(changes) do
		local may = path:find "^loss%." or path:find "^optim%."
		if may and type(v) == "number" and native.may_set(t, path, v) then out[path], any = v, true end
	end
	return any and out or nil
end

local function changes_of(settings)
	local changes = settings.set or {}
	if type(changes) ~= "table" then error("fork: set must be a table such as {[\"loss.lambda\"] = .02}, got a " .. type(changes), 0) end
	for path in pairs(changes) do
		if type(path) ~= "string" then error("fork: set: expected paths into the recipe as names, got a " .. type(path), 0) end
	end
	return changes
end

-- Forks the run in that folder; settings: step, set, name, folder.  Returns a trainer that has not started.
function fork.make(folder, settings)
	local changes = changes_of(settings)
	local from = settings.step and native.run_checkpoint(folder, settings.step) or folder
	local r = resume.recipe_of(folder)
	r.folder = settings.folder
	if settings.name then r.name = settings.name end
	for path, v in pairs(changes) do set(r, path, v) end
	local t = require "barlow".trainer(recipe.build(r)):load_checkpoint(from)
	local again = settable(t, changes)
	if again then t:set(again) end
	return t
end

-- t:fork: forks the run as it is now, or at a step whose checkpoint was kept.
function fork.trainer(t, settings)
	settings = settings or {}
	if not t.folder then error("fork: this run has no folder, and so no checkpoint to continue from", 0) end
	if not settings.step then t:checkpoint() end
	return fork.make(t.folder, settings)
end

-- Reads numbers, booleans and lists in Lua's syntax; anything else is a string.
local function value_of(text)
	local chunk = text:match "^[%w%s%.%+%-%*/%^%(%){},_]*$" and load("return " .. text, "=value", "t", {})
	if chunk then
		local fine, v = pcall(chunk)
		if fine and v ~= nil then return v end
	end
	return text
end

-- Runs barlow fork with the assignments options.set, such as "loss.lambda=.02".
local function run(what, options)
	local runs = require "barlow.runs"
	local changes = {}
	for _, text in ipairs(options.set) do
		local path, value = text:match "^([^=]+)=(.*)$"
		if not path then error(("--set: expected NAME=VALUE, as loss.lambda=.02, got '%s'"):format(text), 0) end
		changes[path:match "^%s*(.-)%s*$"] = value_of(value)
	end
	local parent = runs.get(what)
	local t = fork.make(parent.folder, { set = changes, step = options.step, name = options.name })
	if t.iteration >= t.steps then
		error(("%s: %d of %d steps are done: there is nothing left to do; --step forks an earlier checkpoint, --set epochs=... makes "
			.. "the run longer"):format(parent.id, t.iteration, t.steps), 0)
	end
	print(("%s: forked at step %d of %s"):format(native.clean(t.name), t.iteration, native.clean(parent.id)))
	resume.run(t, options.plain)
end

-- The command barlow fork.  Errors are raised without the position in this file.
function fork.main(what, options)
	local fine, message = pcall(run, what, options)
	if not fine then error((tostring(message):gsub("^barlow%.%w+:%d+: ", "")), 0) end
end

return fork
