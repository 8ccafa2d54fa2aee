-- SPDX-License-Identifier: GPL-3.0-or-later
-- The output of a run in the foreground: lines of numbers, and an estimate of the remaining time.
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local test, equal, near = tap.test, tap.equal, tap.near
local run = require "barlow.run"

test("times are minutes and seconds, from an hour on with hours", function()
	for seconds, text in pairs{ [0] = "0:00", [.4] = "0:00", [.5] = "0:01", [59.4] = "0:59", [59.6] = "1:00", [61] = "1:01",
		[3599] = "59:59", [3600] = "1:00:00", [3725] = "1:02:05", [36610] = "10:10:10", [-3] = "0:00" } do
		equal(run.clock(seconds), text, seconds .. " seconds")
	end
end)

test("the remaining time is estimated from the speed of the last 50 steps", function()
	local asked
	local t = { steps = 300, seconds = 0, record = function(_, step)
		asked = step
		return { step = step, time = step == 10 and 40 or 1 }
	end }
	near(run.remaining(t, { step = 60, time = 50 }), 240 * (50 - 40) / 50, 1e-12)
	equal(asked, 10)
	near(run.remaining(t, { step = 21, time = 11 }), 279 * (11 - 1) / 20, 1e-12) -- after fewer steps, all are used
	equal(asked, 1)
	equal(run.remaining(t, { step = 1, time = 1 }), nil)
	t.seconds = 60 -- the run ends after this time of training
	near(run.remaining(t, { step = 60, time = 50 }), 10, 1e-12)
	t.seconds = 1000
	near(run.remaining(t, { step = 60, time = 50 }), 48, 1e-12)
end)

test("the lines of a run show its records, including the first and the last", function()
	local code = [[
		local t = trainer{ data = data.shapes{ n = 96, size = 8, channels = 1, seed = 1 }, projector = { 8 }, batch = 32, steps = 60,
			encoder = nn.sequential(nn.flatten(), nn.linear(64, 8)), epochs = 20, seed = 3, folder = false }
		t:run()
		print "records"
		for i = 1, 60 do print(t:record(i).total, t:record(i).lr) end
	]]
	local p = assert(io.popen(("'%s' -e '%s' 2>&1"):format(os.getenv "BARLOW" or "./barlow", code)))
	local text = p:read "a"
	p:close()
	local said, records = text:match "^(.-)\nrecords\n(.*)$"
	if not said then error(text) end
	local total = {}
	for v in records:gmatch "([^\t\n]+)\t[^\n]+\n" do total[#total + 1] = tonumber(v) end
	equal(#total, 60)
	local steps = {}
	for line in said:gmatch "[^\n]+" do
		local step, of = line:match "^step (%d+)/(%d+)  "
		equal(of, "60")
		step = math.tointeger(step)
		steps[#steps + 1] = step
		equal(line:match "  total ([^ ]+)", ("%.4g"):format(total[step]))
		equal(line:match "kNN", nil)
		local eta = line:match "  ETA ([%d:-]+)$"
		if not eta then error("no ETA at the end of: " .. line) end
		if step == 1 then equal(eta, "-") end
		if step == 60 then equal(eta, "0:00") end
	end
	equal(steps[1], 1)
	equal(steps[#steps], 60)
	equal(steps[2], 2) -- every second step
	equal(#steps, 31)
end)

-- What f prints.
local function printed(f)
	local lines, before = {}, print
	print = function(text) lines[#lines + 1] = text end
	local fine, why = pcall(f)
	print = before
	if not fine then error(why, 0) end
	return table.concat(lines, "\n")
end

local function small(name, knn)
	return trainer{ data = data.shapes{ n = 64, size = 8, channels = 1, seed = 1 }, encoder = nn.cnn{ widths = { 4 }, image = 8 }, projector = { 8 },
		batch = 32, epochs = 2, folder = false, name = name, knn = knn }
end

test("the card of a run that is to be continued states where", function()
	local folder = os.tmpname()
	os.remove(folder)
	local t = trainer{ data = data.shapes{ n = 64, size = 8, channels = 1 }, encoder = nn.cnn{ widths = { 4 }, image = 8 }, projector = { 8 },
		batch = 32, epochs = 100000, folder = folder, name = "card" }
	equal(run.card(t):match "[^\n]*", "trainer card: new")
	t:step(3):start():stop()
	equal(run.card(runs.resume(folder)):match "[^\n]*", "trainer card: new, resumed at step " .. t.iteration)
	os.execute(("rm -r '%s'"):format(folder))
end)

test("kNN that was never measured is not shown, in lines, in the card and in jobs", function()
	local jobs = function() require "barlow.prompt_commands".run("%jobs", require "barlow.prompt") end
	local without = small("without", false)
	without:step(1)
	if not run.card(without):find "measured  grad_norm" then error(run.card(without)) end
	local text = printed(jobs)
	if text:find "kNN" or not text:find "total  " then error(text) end
	local measured = data.shapes{ n = 32, size = 8, channels = 1, seed = 2 }
	local with = small("with", { refs = measured, queries = measured })
	with:run{ quiet = true }
	if not run.card(with):find "measured  kNN 1%.0000" then error(run.card(with)) end
	text = printed(jobs)
	if not text:find "kNN" or not text:find "without .* %- " or not text:find "with .* 1%.0000 " then error(text) end
end)
tap.done()
