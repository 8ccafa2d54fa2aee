-- SPDX-License-Identifier: GPL-3.0-or-later
-- t:break_when(f): when it pauses, what f receives, what the journal records, and that the run's bits do not change.
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local test, equal, close, fails = tap.test, tap.equal, tap.close, tap.fails

local function small(more)
	local s = {
		data = data.shapes{ n = 96, size = 8, channels = 1, seed = 1 },
		encoder = nn.cnn{ channels = 1, widths = { 4 }, image = 8 }, projector = { 8 }, batch = 32, epochs = 4, seed = 3, folder = false,
	}
	for k, v in pairs(more or {}) do s[k] = v end
	return trainer(s)
end

local function last(t) return t.journal[#t.journal] end

local straight = small()
straight:step(12)
local losses = table.concat(straight.records.total, " ")

test("a run in the background pauses after the step at which the condition holds, and continues to the same bits", function()
	local limit = 5
	local t = small():break_when(function(t) return t.terms.step == limit end)
	limit = 7 -- the trainer's thread has its own copy
	equal(t:start():wait(), false)
	equal(t.state, "paused")
	equal(t.iteration, 5)
	equal(t.message, "paused by break_when at step 5")
	equal(last(t).name, "pause")
	equal(last(t).who, "trainer")
	equal(last(t).text, "paused by break_when at step 5")
	equal(t:resume():wait(), true)
	assert(not t.message:find "paused by break_when", t.message)
	equal(t.state, "done")
	equal(table.concat(t.records.total, " "), losses)
end)

test("a name that a view does not have is no nil", function()
	local t = small():break_when(function(v) return v.total < 1e9 end)
	t:step(1)
	assert(t.message:find("a view has no 'total': what was measured is in terms, as v.terms.total", 1, true), t.message)
	fails(function() return small():step(1):at(1).total end, "a view has no 'total'", "as v.terms.total")
end)

test("it pauses each time the condition holds, until the condition is removed", function()
	local t = small():break_when(function(t) return t.iteration >= 3 end)
	t:start():wait()
	equal(t.iteration, 3)
	t:resume():wait()
	equal(t.iteration, 4)
	t:break_when(nil):resume():wait()
	equal(t.state, "done")
	equal(table.concat(t.records.total, " "), losses)
end)

test("t:step and t:run return", function()
	local t = small():break_when(function(t) return t.terms.step % 4 == 0 end)
	t:step(10)
	equal(t.iteration, 4)
	t:step(2)
	equal(t.iteration, 6)
	equal(t:run{ quiet = true }, "paused")
	equal(t.iteration, 8)
	equal(t:break_when(nil):run{ quiet = true }, "done")
	equal(table.concat(t.records.total, " "), losses)
end)

test("the view has C, embeddings and weights of the step", function()
	local seen = {}
	local t = small():break_when(function(t)
		seen.C, seen.z, seen.weights, seen.terms, seen.later = t.C, t.z, t.weights, t.terms, t
		return true
	end)
	t:step(3)
	equal(t.iteration, 1)
	close(seen.C, t.C, 0, 0)
	equal(#seen.z, 2)
	equal(#seen.z[1], 32)
	equal(seen.terms.total, t.terms.total)
	local n = 0
	for name, w in t.encoder:parameters() do
		n = n + 1
		close(w, seen.weights["encoder." .. name], 0, 0)
	end
	if n == 0 then error "no parameters" end
	seen.later.C = nil
	fails(function() return seen.later.C end, "the view of step 1 is over", "'C'")
end)

test("an error in the condition pauses and is reported", function()
	local t = small():break_when(function(t) return t.terms.totl > 3 end)
	equal(t:start():wait(), false)
	equal(t.state, "paused")
	equal(t.iteration, 1)
	for _, word in ipairs{ "paused by break_when at step 1: its function failed: ", "compare" } do
		if not t.message:find(word, 1, true) then error(t.message) end
	end
	t:break_when(nil):resume():wait()
	equal(table.concat(t.records.total, " "), losses)
end)

test("an endless function can be stopped, and a value that is no function is refused", function()
	local t = small():break_when(function() while true do end end)
	t:start()
	while t.iteration < 1 do end
	t:stop()
	equal(t.state, "stopped")
	fails(function() small():break_when(3) end, "break_when", "expected a function", "3")
	fails(function() small():break_when() end, "or nil, which removes the condition; got nothing")
	fails(function() small():break_when(function(t) return t.terms.total > limt end) end, "break_when", "limt")
end)

tap.done()
