-- SPDX-License-Identifier: GPL-3.0-or-later
--[[
Hostile recipes (hostile.lua), and files of recipes that are invalid, with every command that loads a recipe: no file of
the user is made, changed or removed, no command runs, nothing hangs or crashes, and nothing reaches the terminal.
This is the first of three test programs that share the recipes, so that none of them takes minutes.
]]
local part = ... or 1
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local setup = require "setup"
local hostile = require "hostile"
local test, equal = tap.test, tap.equal
local read, write = setup.read, setup.write

-- Every command that loads a run's recipe; new commands have to be added here.  "%s" is the run's folder.
local loaders = {
	{ "barlow resume", "resume --plain '%s'" },
	{ "barlow tune RUN", "tune '%s'" },
	{ "barlow fork", "fork --plain '%s'" },
	{ "runs.resume", [[-e "runs.resume '%s'"]] },
	{ "barlow sweep worker", "sweep worker '%s'", declaration = true },
	{ "barlow verify", "verify '%s/figure.gp' || [ $? = 1 ]", declaration = true, figure = true }, -- for that sweep
}
-- The declaration of a sweep whose base is the recipe, as a shell command in the run's folder.
local declare = [[if [ -f recipe.lua ] && [ "$(wc -c <recipe.lua)" -lt 6000000 ]; then { echo 'return {base = (function()'; cat recipe.lua
echo 'end)(), space = {batch = {16}}, seeds = {1}, arms = 1, trials = 1, name = "hostile", metric = "total",'
echo 'goal = "min", level = .95, retries = 0, sampler = "grid", validation = false, version = "0.2.0"}'; } >sweep.lua
else ln -s recipe.lua sweep.lua; fi]]
local FIGURE = [[#barlow-figure {"version":1,"figure":"sweep","settings":{"path":"batch"},"runs":[],"sweep":{"name":"no such name",
#barlow-figure "folder":"%s"},"data":{"panels":[{"series":[{"x":[1],"y":[1]}]}]}}]]
local SECONDS = 200 -- for one loader, on a machine under load

local barlow = os.getenv "BARLOW"
local scratch = os.tmpname()
os.remove(scratch)
local somebody, kept = scratch .. "/somebody", scratch .. "/kept"

local function sh(command)
	local pipe = assert(io.popen(command))
	local text = pipe:read "a"
	pipe:close()
	return text
end

sh(("mkdir -p '%s'"):format(somebody))
write(somebody .. "/victim", "precious\n")
write(somebody .. "/script.lua", ("os.execute 'touch %s/mark'"):format(somebody))
sh(("mkfifo '%s/fifo' && cp -a '%s' '%s/theirs'"):format(somebody, somebody, scratch))

-- A run that is stopped behind step 4, with the network of the recipes.
local function make_run()
	write(scratch .. "/make.lua", hostile.plain:gsub("return trainer", "local t = trainer", 1)
		:gsub("epochs = 40", ("epochs = 1e6, folder = %q"):format(kept))
		.. "\nt:break_when(function(v) return v.iteration == 4 end):start():wait() t:stop()")
	sh(("'%s' '%s/make.lua' 2>&1"):format(barlow, scratch))
	os.remove(kept .. "/recipe.lua")
end
make_run()

-- Copies of the run, one for each loader, are made, given the recipe, and loaded at the same time.
local script = ("cd '%s' && export HOME='%s/home' XDG_DATA_HOME='%s/data' XDG_CACHE_HOME='%s/cache'; rm -rf run* somebody; "
	.. "cp -a theirs somebody\n"):format(scratch, scratch, scratch, scratch)
for i, loader in ipairs(loaders) do
	script = script .. ("cp -a kept run%d; cp -a given/. run%d\n"):format(i, i)
	if loader.declaration then script = script .. ("(cd run%d; %s)\n"):format(i, declare) end
	if loader.figure then
		script = script .. ("cat >run%d/figure.gp <<'END'\n%s\nEND\n"):format(i, FIGURE:format(("%s/run%d"):format(scratch, i)))
	end
	local command = loader[2]:format(("%s/run%d"):format(scratch, i))
	script = script .. ("(timeout -s KILL %d '%s' %s </dev/null >out%d 2>&1; echo \"status $?\" >>out%d) &\n"):format(SECONDS,
		barlow, command, i, i)
end
write(scratch .. "/load.sh", script .. "wait\n")
write(scratch .. "/world.sh", ("cd '%s' && find . | sort; cksum victim script.lua; ls '%s'"):format(somebody, scratch))
local function state_of_world() return sh(("sh '%s/world.sh'"):format(scratch)) end

local function check(i, fine)
	local text, name = read(("%s/out%d"):format(scratch, i)), loaders[i][1]
	local status = tonumber(text:match "status (%d+)\n$")
	if status ~= 0 and (fine or status ~= 1) then error(("%s: status %s:\n%s"):format(name, status, text), 0) end
	if text:find "[\0-\8\11-\31\127]" then error(("%s: control bytes in %q"):format(name, text), 0) end
	if #text > 10000 then error(("%s: %d bytes of output"):format(name, #text), 0) end
end

local given = scratch .. "/given"
sh(("cd '%s' && mkdir -p home data cache given"):format(scratch))
local world

-- put(folder) writes a recipe there.
local function try(name, put, fine)
	sh(("rm -rf '%s' && mkdir '%s'"):format(given, given))
	put(given)
	sh(("sh '%s/load.sh'"):format(scratch))
	world = world or state_of_world() -- the first recipe is harmless
	test(name, function()
		for i = 1, #loaders do check(i, fine) end
		equal(state_of_world(), world)
	end)
end

local function try_text(name, text, fine)
	try(name, function(folder) write(folder .. "/recipe.lua", (text:gsub("@", somebody))) end, fine)
end

try_text("a recipe that means no harm loads", hostile.plain, true)
for i = part, #hostile, 3 do try_text(hostile[i][1], hostile[i][2]) end
if part > 1 then
	sh(("chmod -R u+w '%s'; rm -rf '%s'"):format(scratch, scratch))
	tap.done()
end
-- A recipe file made by a shell command.
local function try_file(name, command)
	try(name, function(folder) sh(("cd '%s' && %s"):format(folder, command:gsub("@", somebody))) end)
end
try_file("a recipe that is a FIFO", "mkfifo recipe.lua")
try_file("a recipe that is a device", "ln -s /dev/zero recipe.lua")
try_file("a recipe that is a folder", "mkdir recipe.lua")
try_file("a recipe that is a link to somebody's file", "ln -s '@/victim' recipe.lua")
try_file("a recipe of gigabytes", "truncate -s 8G recipe.lua")
try_text("a recipe of spaces", (" "):rep(5000000) .. hostile.plain)
local beside = hostile.plain:gsub("return x end", "return x end, {parameters = {w = tensor.load 'w.npy'}}")
for name, command in pairs{ link = "ln -s '@/victim' w.npy", FIFO = "mkfifo w.npy" } do
	try("a tensor beside it that is a " .. name, function(folder)
		write(folder .. "/recipe.lua", beside)
		sh(("cd '%s' && %s"):format(folder, command:gsub("@", somebody)))
	end)
end

sh(("chmod -R u+w '%s'; rm -rf '%s'"):format(scratch, scratch))
tap.done()
