-- SPDX-License-Identifier: GPL-3.0-or-later
-- runs.lua: measures `barlow runs list` of a thousand runs, with an index that is created first or is up to date.
-- Usage: barlow bench/runs.lua [runs [records]]
local native = require "barlow.native"

local RUNS, RECORDS = tonumber(arg[1] or 1000), tonumber(arg[2] or 10000)
local program = os.getenv "BARLOW" or "barlow"
local place = os.tmpname()
os.remove(place)
local root = place .. "/barlow/runs"

local function sh(command)
	assert(os.execute(("XDG_DATA_HOME='%s' XDG_CACHE_HOME='%s/cache' %s"):format(place, place, command)))
end

-- Makes a run of a small encoder at D = 128, like a trial of a sweep, and returns the name of its folder.
local function make(keep)
	sh(([['%s' -e 't = trainer{data = data.shapes{n = 64, size = 8, channels = 1}, encoder = nn.cnn{widths = {4}, image = 8}, projector = {128},
		batch = 32, steps = %d, name = "%s", keep = "%s"} t:run{quiet = true}']]):format(program, RECORDS, keep, keep))
	return io.popen(("ls -d %s/%s*"):format(root, keep)):read "l":match "[^/]*$"
end

local whole = make "all"
print(("disk a run, keep = \"all\"         %8.0f kB"):format(native.run_size(root .. "/" .. whole) / 1e3))
sh(("rm -r '%s/%s'"):format(root, whole))

-- Makes copies of a sweep's run, which differ in name, seed and metrics.
local first = make "records"
print(("... as in sweeps, \"records\"      %8.0f kB"):format(native.run_size(root .. "/" .. first) / 1e3))
local f = assert(io.open(("%s/%s/run.json"):format(root, first)))
local text = f:read "a"
f:close()
for i = 1, RUNS - 1 do
	local folder = ("%s/run-%04d"):format(root, i)
	sh(("cp -r '%s/%s' '%s'"):format(root, first, folder))
	local changed = text:gsub('"seed": %d+', ('"seed": %d'):format(i)):gsub('"total": [%d.]+', ('"total": %d.5'):format(i))
	native.write_file(folder .. "/run.json", changed)
end

local function best(times, command)
	local least = math.huge
	for _ = 1, times do
		local start = native.now()
		sh(command)
		least = math.min(least, native.now() - start)
	end
	return least
end

local list = ("'%s' runs list >/dev/null"):format(program)
local made = best(1, list)
print(("%d runs of %d records"):format(RUNS, RECORDS))
print(("index made anew, and the list   %8.3f s"):format(made))
print(("list, the index up to date      %8.3f s"):format(best(5, list)))
print(("list by a condition             %8.3f s"):format(best(5, ("'%s' runs list -w 'total > 500 and loss.lambda < 1' -s -total >/dev/null"):format(program))))
print(("list as JSON                    %8.3f s"):format(best(5, ("'%s' runs list --json >/dev/null"):format(program))))
sh(("rm -f '%s'/*/run.json; rm -rf '%s/cache'"):format(root, place))
print(("made anew, without run.json     %8.3f s"):format(best(1, list)))
print(("... without an index            %8.3f s"):format(best(1, ("XDG_CACHE_HOME=/proc/none " .. list))))
sh(("rm -rf '%s'"):format(place))
