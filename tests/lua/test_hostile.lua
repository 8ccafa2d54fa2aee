-- SPDX-License-Identifier: GPL-3.0-or-later
--[[
Hostile recipes (hostile.lua), and files of recipes that are none, for everything that loads a recipe: nothing of
somebody else's is made, changed or removed, no command runs, nothing hangs or crashes, nothing reaches the terminal.
]]
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local hostile = require "hostile"
local test, equal = tap.test, tap.equal

-- Everything that loads a run's recipe; a new command joins here.  "%s" is the run's folder.
local loaders = {
	{ "barlow resume", "resume --plain '%s'" },
	{ "barlow tune RUN", "tune '%s'" },
	{ "runs.resume", [[-e "runs.resume '%s'"]] },
}
local SECONDS = 100 -- for one of them, on a machine under load

local barlow = os.getenv "BARLOW"
local scratch = os.tmpname()
os.remove(scratch)
local somebody, run = scratch .. "/somebody", scratch .. "/run"

local function sh(command)
	local pipe = assert(io.popen(command))
	local text = pipe:read "a"
	pipe:close()
	return text
end
local function write(path, text)
	local file = assert(io.open(path, "wb"))
	file:write(text)
	file:close()
end

sh(("mkdir -p '%s'"):format(somebody))
write(somebody .. "/victim", "precious\n")
write(somebody .. "/script.lua", ("os.execute 'touch %s/mark'"):format(somebody))
sh(("mkfifo '%s/fifo'"):format(somebody))

-- A run that was stopped, with the network of the recipes.
local function make_run()
	write(scratch .. "/make.lua", hostile.plain:gsub("return trainer", "local t = trainer", 1)
		:gsub("epochs = 40", ("epochs = 1e6, folder = %q"):format(run))
		.. "\nt:start() while t.iteration < 4 do t:wait(.001) end t:stop()")
	sh(("'%s' '%s/make.lua' 2>&1"):format(barlow, scratch))
	sh(("mv '%s' '%s/kept'"):format(run, scratch))
end
make_run()

local function fresh_run() sh(("rm -rf '%s' && cp -a '%s/kept' '%s'"):format(run, scratch, run)) end

local function state_of_world()
	return sh(("cd '%s' && find . | sort && cksum victim script.lua && find '%s' -maxdepth 1 | sort"):format(somebody, scratch))
end

-- What a loader says, and its exit status.
local function load_by(loader)
	local command = loader[2]:format(run)
	local text = sh(("cd '%s' && HOME='%s/home' XDG_DATA_HOME='%s/data' XDG_CACHE_HOME='%s/cache' timeout -s KILL %d '%s' %s "
		.. "</dev/null 2>&1; echo \"status $?\""):format(scratch, scratch, scratch, scratch, SECONDS, barlow, command))
	return text, tonumber(text:match "status (%d+)\n$")
end

local function check(loader, fine)
	local text, status = load_by(loader)
	local name = loader[1]
	if status ~= 0 and (fine or status ~= 1) then error(("%s: status %s:\n%s"):format(name, status, text), 0) end
	if text:find "[\0-\8\11-\31\127]" then error(("%s: control bytes in %q"):format(name, text), 0) end
	if #text > 10000 then error(("%s: %d bytes of output"):format(name, #text), 0) end
end

sh(("mkdir -p '%s/home' '%s/data' '%s/cache'"):format(scratch, scratch, scratch))
fresh_run()
local world = state_of_world()

-- put(path) puts a recipe there.
local function try(name, put, fine)
	test(name, function()
		for _, loader in ipairs(loaders) do
			fresh_run()
			os.remove(run .. "/recipe.lua")
			put(run .. "/recipe.lua")
			check(loader, fine)
			equal(state_of_world(), world, loader[1])
		end
	end)
end

local function try_text(name, text, fine)
	try(name, function(path) write(path, (text:gsub("@", somebody))) end, fine)
end

try_text("a recipe that means no harm loads", hostile.plain, true)
for _, case in ipairs(hostile) do try_text(case[1], case[2]) end
try("a recipe that is a FIFO", function(path) sh(("mkfifo '%s'"):format(path)) end)
try("a recipe that is a device", function(path) sh(("ln -s /dev/zero '%s'"):format(path)) end)
try("a recipe that is a folder", function(path) sh(("mkdir '%s'"):format(path)) end)
try("a recipe that is a link to somebody's file", function(path) sh(("ln -s '%s/victim' '%s'"):format(somebody, path)) end)
try("a recipe of gigabytes", function(path) sh(("truncate -s 8G '%s'"):format(path)) end)
try("a recipe of spaces", function(path) write(path, (" "):rep(5000000) .. hostile.plain) end)

local beside = hostile.plain:gsub("return x end", "return x end, {parameters = {w = tensor.load 'w.npy'}}")
try("a tensor beside it that is a link to somebody's file", function(path)
	write(path, beside)
	sh(("ln -s '%s/victim' '%s/w.npy'"):format(somebody, run))
end)
try("a tensor beside it that is a FIFO", function(path)
	write(path, beside)
	sh(("mkfifo '%s/w.npy'"):format(run))
end)

sh(("chmod -R u+w '%s'; rm -rf '%s'"):format(scratch, scratch))
tap.done()
