-- SPDX-License-Identifier: GPL-3.0-or-later
-- tap.lua: a minimal test harness: test("name", function() ... end) prints TAP, and done() at the end prints the plan.
local tap = { count = 0, failed = 0 }

-- A test that is started by hand must not use the user's own folders: it is started again with a scratch home.  The parent of a
-- program that io.popen starts is a shell, whose parent is this process.
if not os.getenv "BARLOW_TEST_HOME" then
	local function shell(command)
		local p = assert(io.popen(command))
		local text = p:read "l"
		p:close()
		return text
	end
	local function quoted(text) return "'" .. text:gsub("'", "'\\''") .. "'" end
	local home = shell "mktemp -d"
	local program = os.getenv "BARLOW" or shell "readlink /proc/$PPID/exe"
	local words = { "env", "BARLOW=" .. quoted(program), "BARLOW_TEST_HOME=" .. home }
	for _, name in ipairs{ "DATA", "STATE", "CONFIG", "CACHE" } do
		table.insert(words, ("XDG_%s_HOME=%s/%s"):format(name, home, name:lower()))
	end
	table.insert(words, quoted(program))
	for i = 0, #arg do table.insert(words, quoted(arg[i])) end
	local fine, _, status = os.execute(table.concat(words, " "))
	os.execute("rm -rf " .. home)
	os.exit(fine or status)
end

-- Runs f; the test fails if f raises an error.
function tap.test(name, f)
	tap.count = tap.count + 1
	local fine, message = xpcall(f, debug.traceback)
	print((fine and "ok " or "not ok ") .. tap.count .. " - " .. name)
	if not fine then
		tap.failed = tap.failed + 1
		print("# " .. tostring(message):gsub("\n", "\n# "))
	end
end

function tap.done()
	print("1.." .. tap.count)
	os.exit(tap.failed == 0, true)
end

function tap.equal(got, expected, what)
	if got ~= expected then
		error(("%s: got %s, expected %s"):format(what or "value", tostring(got), tostring(expected)), 2)
	end
end

function tap.near(got, expected, tolerance, what)
	if not (math.abs(got - expected) <= tolerance) then
		error(("%s: got %.9g, expected %.9g within %g"):format(what or "value", got, expected, tolerance), 2)
	end
end

-- Compares a tensor with nested tables or a tensor.
function tap.close(got, expected, rtol, atol)
	if type(expected) ~= "userdata" then expected = tensor(expected) end
	local close, worst = got:allclose(expected, rtol or 1e-5, atol or 1e-6)
	if not close then error(("tensors differ by %g:\n%s\nexpected\n%s"):format(worst, got, expected), 2) end
end

-- f must fail with a message that contains all of the words.
function tap.fails(f, ...)
	local fine, message = pcall(f)
	if fine then error("no error, expected one with '" .. table.concat({ ... }, "', '") .. "'", 2) end
	for _, word in ipairs { ... } do
		if not tostring(message):find(word, 1, true) then
			error(("the message is '%s', without '%s'"):format(message, word), 2)
		end
	end
	return message
end

-- Starts t in the background and stops it while it works on step `step`, where a condition that does not return holds it: on any
-- machine the run is not over, and has made exactly these steps.
function tap.stop_at(t, step)
	t:break_when(function(v) while v.iteration >= step do end end):start()
	repeat until t.iteration >= step or t:wait(.001)
	t:stop():break_when(nil)
	tap.equal(t.state, "stopped", "state of a run that was stopped")
	tap.equal(t.iteration, step, "steps of a run that was stopped")
	return t
end

-- Starts or resumes t in the background, which pauses behind step `step`.
function tap.pause_at(t, step)
	t:break_when(function(v) return v.iteration == step end):start():wait()
	t:break_when(nil)
	tap.equal(t.state, "paused", "state of a run that was paused")
	tap.equal(t.iteration, step, "steps of a run that was paused")
	return t
end

-- The project's folder, for programs that the tests run and files that they load.
tap.root = (os.getenv "SRCDIR" or ".") .. "/"

-- Calls f with the path of a new file, which is removed afterwards.
function tap.with_file(text, f)
	local path = os.tmpname()
	local file = assert(io.open(path, "wb"))
	file:write(text)
	file:close()
	local fine, message = pcall(f, path)
	os.remove(path)
	if not fine then error(message, 0) end
end

return tap
