-- SPDX-License-Identifier: GPL-3.0-or-later
-- setup.lua: what many tests begin with: files and commands, a small run, and comparisons of runs.
local tap = require "tap"
local setup = {}

-- Returns the content of the file.
function setup.read(path)
	local file = assert(io.open(path, "rb"))
	local text = file:read "a"
	file:close()
	return text
end

function setup.write(path, text)
	local file = assert(io.open(path, "wb"))
	file:write(text)
	file:close()
end

-- Does the path exist?  It may be a folder or a file that cannot be read.
function setup.exists(path) return os.rename(path, path) ~= nil end

-- Returns the output of a shell command, without the last line end.
function setup.output(command)
	local pipe = assert(io.popen(command))
	local text = pipe:read "a"
	pipe:close()
	return (text:gsub("\n$", ""))
end

-- Returns the settings of a run that takes a fraction of a second, with the changes in these tables (or nil).
function setup.settings(...)
	local s = {
		data = data.shapes{ n = 96, size = 8, channels = 1, seed = 1 },
		encoder = nn.cnn{ channels = 1, widths = { 4 }, image = 8 }, projector = { 8 }, batch = 32, epochs = 2, seed = 3,
	}
	for i = 1, select("#", ...) do
		for k, v in pairs((select(i, ...)) or {}) do s[k] = v end
	end
	return s
end

-- Fails if the weights of two runs differ in a bit.
function setup.same_weights(a, b)
	for _, name in ipairs{ "encoder", "projector" } do
		local theirs = {}
		for n, w in b[name]:parameters() do theirs[n] = w end
		for n, w in a[name]:parameters() do tap.close(w, theirs[n], 0, 0) end
		if not next(theirs) then error "no parameters" end
	end
end

-- Returns the loss of all steps as text, in which equal losses are equal texts.
function setup.losses(t) return table.concat(t.records.total, " ") end

return setup
