-- SPDX-License-Identifier: GPL-3.0-or-later
-- The profile of training steps: operations counted by hand, time that is booked once, and the printed table.
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local test, equal = tap.test, tap.equal

local BATCH, PIXELS, HIDDEN, OUT, STEPS, VIEWS = 32, 64, 16, 8, 3, 2

local function small()
	return trainer{ data = data.shapes{ n = 96, size = 8, channels = 1, seed = 1 }, projector = { OUT }, batch = BATCH, epochs = 8,
		encoder = nn.sequential(nn.flatten(), nn.linear(PIXELS, HIDDEN), nn.relu()), seed = 3, folder = false }
end

local function row_of(p, module, op)
	for _, r in ipairs(p.rows) do
		if r.module == module and r.op == op then return r end
	end
	error(("no row of %s %s in\n%s"):format(module, op, p))
end

test("the operations of a linear layer are those of its products", function()
	local t = small()
	local p = t:profile(STEPS)
	equal(t.iteration, STEPS + 2) -- two steps warm up
	local first, last = row_of(p, "encoder.1", "linear"), row_of(p, "projector.0", "linear")
	local product = 2 * BATCH * PIXELS * HIDDEN * VIEWS * STEPS
	equal(first.flops_forward, product + 0.0)
	equal(first.flops_backward, product + 0.0) -- the images need no gradient
	product = 2 * BATCH * HIDDEN * OUT * VIEWS * STEPS
	equal(last.flops_forward, product + 0.0)
	equal(last.flops_backward, 2.0 * product)
	equal(first.calls, 2 * VIEWS * STEPS) -- forward and backward passes
	equal(row_of(p, "", "optimiser").calls, STEPS)
	equal(row_of(p, "encoder.2", "relu").flops_forward, 0.0)
end)

test("no time is booked twice, and the slowest is first", function()
	local p = small():profile(STEPS)
	local sum, before = 0, math.huge
	for _, r in ipairs(p.rows) do
		local seconds = r.forward + r.backward
		if r.forward < 0 or r.backward < 0 then error(("%s took %g s"):format(r.op, seconds)) end
		if seconds > before then error(r.op .. " stands below what is faster") end
		sum, before = sum + seconds, seconds
	end
	if sum > p.seconds * (1 + 1e-9) then error(("%g s were booked in %g s"):format(sum, p.seconds)) end
	tap.near(p.accounted, sum / p.seconds, 1e-9)
	if p.accounted <= 0 then error "no time was booked" end
	if p.ceiling <= 0 then error "nothing to hold the speeds against" end
end)

test("the table prints the rows: percent of the time, milliseconds, billions of operations per second", function()
	local p = small():profile(STEPS)
	local text, r = tostring(p), row_of(p, "encoder.1", "linear")
	local line = text:match "[^\n]*encoder%.1 +linear[^\n]*"
	local share, forward, speed, part, backward = line:match
		"linear +([%d.]+)%% +([%d.]+) +(%d+) +(%d+)%% +([%d.]+)"
	tap.near(tonumber(share), 100 * (r.forward + r.backward) / p.seconds, .051)
	tap.near(tonumber(forward), 1000 * r.forward, .0051)
	tap.near(tonumber(backward), 1000 * r.backward, .0051)
	tap.near(tonumber(speed), r.flops_forward / r.forward / 1e9, .51)
	tap.near(tonumber(part), 100 * r.flops_forward / r.forward / p.ceiling, .51)
	local whole, accounted = text:match "(%d+) ms in all, ([%d.]+)%% of them"
	tap.near(tonumber(whole), 1000 * p.seconds, .51)
	tap.near(tonumber(accounted), 100 * p.accounted, .051)
end)

test("a run that is over has nothing to profile", function()
	local t = small()
	t:run{ quiet = true }
	local p = t:profile()
	equal(#p.rows, 0)
	equal(p.accounted, 0)
	equal(tostring(p), "nothing was profiled: no training step was made")
end)
test("a number of steps that is none is refused before a step is made", function()
	local t = small()
	for _, n in ipairs{ -5, 0, 1.5, 0 / 0, "3" } do
		tap.fails(function() t:profile(n) end, "profile: expected a number of steps, 1 or more, got")
	end
	equal(t.iteration, 0)
end)
tap.done()
