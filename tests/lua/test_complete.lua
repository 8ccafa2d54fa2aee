-- SPDX-License-Identifier: GPL-3.0-or-later
-- Completion by Tab: depends on the text before the word, and runs none of the user's code.
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local complete = require "barlow.complete"
local test, equal = tap.test, tap.equal

local function offers(text)
	local list, at, close = complete.candidates(text)
	return table.concat(list, " "), at, close
end

-- {text, the candidates}
local exact = {
	{ "tensor.zer", "zeros" }, { "whi", "while" }, { "local abc = 3 print(ab", "abc" }, { "function f(alpha, beta) return al", "alpha" },
	{ "net:cou", "count" }, { "net.", "kind training" }, { "net.cou", "" }, { "net:kin", "" }, { "t.encoder:cou", "count" },
	{ "t.enc", "encoder" }, { "nn.linear(1, 2):cou", "count" }, { "optim.adamw{ lr = 1 }.ki", "kind" }, { "ds:split(.5):fe", "few" },
	{ "trainer{ enc", "encoder = " }, { "trainer{ batch = 2, batc", "" }, { "trainer{ encoder = nn.cnn{ wid", "widths = " },
	{ "trainer{ encoder = nn.cnn{ widths = { 3 }, chan", "channels = " }, { "trainer{ knn = { re", "refs = " },
	{ "nn.linear(2, 3, {bi", "bias = " }, { "aug.compose{ aug.crop{ sca", "scale = " }, { "t:set{ lam", "lambda = " }, { "t:set{ views.flip", '["views.flip.p"] = ' }, { "trainer{ optim = ", "optim.adamw optim.authors optim.lars optim.sgd optim.solo" },
	{ "trainer{ schedule = \"c", "constant cosine" }, { "trainer{ precision = 'b", "bf16" }, { "trainer{ precision = ", '"bf16" "float32"' },
	{ "optim.adamw{ decay_all = ", "false true" }, { '("x"):upp', "upper" }, { '"trai', "" }, { "x = 'tens", "" }, { "-- trai", "" },
	{ "[[ trai", "" }, { "--[[ trai ]] whi", "while" }, { "x = 3.", "" }, { "a..", "" }, { "mine.", "alpha fn" }, { "mine:", "fn" },
	{ "guarded.", "" }, { "?tensor.zer", "tensor.zeros" }, { "??tensor.zer", "tensor.zeros" }, { "?t:sto", "t:stop" },
	{ "%hist", "history " }, { "help 'nn.lin", "nn.linear" }, { "nothing_there.", "" },
	{ "old:", "at bisect first journal resume watch" }, { "old:jou", "journal" }, { "old.sta", "state" },
	{ "trials:imp", "importance" }, { "trials:run{pla", "plain = " },
	{ "for i = 1, 3 do trai", "trainer" }, { "if net then\n  net:cou", "count" },
}

net = nn.linear(2, 3)
ds = data.shapes{ n = 64, size = 8, channels = 1 }
t = trainer{ data = ds, encoder = nn.cnn{ widths = { 4 }, image = 8 }, projector = { 8 }, batch = 32, epochs = 1, folder = false }
mine = { alpha = 1, fn = function() end, [1] = 2 }
local scratch = os.tmpname()
os.remove(scratch)
trainer{ data = ds, encoder = nn.cnn{ widths = { 4 }, image = 8 }, projector = { 8 }, batch = 32, epochs = 1, folder = scratch }:run{ quiet = true }
old = runs.get(scratch)
trials = sweep{ base = { data = ds, encoder = nn.cnn{ widths = { 4 }, image = 8 }, projector = { 8 }, batch = 16, epochs = 1 },
	space = { ["loss.lambda"] = { .01, .02 } }, seeds = 1, folder = scratch .. "/sweep" }
local ran = false
guarded = setmetatable({}, { __index = function() ran = true end, __pairs = function() ran = true end })

for _, case in ipairs(exact) do
	test(("%q"):format(case[1]), function() equal(offers(case[1]), case[2]) end)
end

test("none of the user's code runs", function() equal(ran, false) end)

test("names of sweeps", function()
	local root = require "barlow.sweep".root()
	os.execute(("mkdir -p '%s/completed-sweep'"):format(root))
	local found = offers "s = sweep.open(\"completed-"
	os.execute(("rmdir '%s/completed-sweep'"):format(root))
	equal(found, "completed-sweep")
end)

test("names of globals, and keywords", function()
	local all = " " .. offers "t" .. " "
	for _, name in ipairs{ "t", "tensor", "trainer", "then", "true", "tostring" } do
		assert(all:find(" " .. name .. " ", 1, true), name)
	end
	assert(not all:find " nn ")
end)

test("the position of the word, and the quote that closes a value", function()
	local _, at, close = offers "trainer{ precision = \"b"
	equal(at, 23)
	equal(close, '"')
	_, at, close = offers "print(tensor.zer"
	equal(at, 14)
	equal(close, "")
end)

test("files in strings", function()
	local folder = os.tmpname()
	os.remove(folder)
	os.execute(("mkdir -p '%s/inner' && touch '%s/a b.lua' '%s/.hidden'"):format(folder, folder, folder))
	equal(offers(('x = "%s/'):format(folder)), folder .. "/a b.lua " .. folder .. "/inner/")
	equal(offers(("$ ls %s/in"):format(folder)), folder .. "/inner/")
	equal(offers(('dofile "%s/.h'):format(folder)), "")
	os.execute(("rm -r '%s'"):format(folder))
end)

test("settings behind ?, and arguments of a command", function()
	equal(offers "?project", "projector")
	equal(offers "%news ", "all ends none")
	equal(offers "%news e", "ends")
	local list, at = offers "%time tensor.zer"
	equal(list, "zeros")
	equal(at, 14)
end)

test("names of runs, where a function takes runs, also in lists", function()
	local name = "completed-" .. os.time() .. "-" .. math.random(1 << 30)
	local r = trainer{ data = ds, encoder = nn.cnn{ widths = { 4 }, image = 8 }, projector = { 8 }, batch = 32, epochs = 1, name = name }
	r:run{ quiet = true }
	for _, text in ipairs{ 'runs.resume("', 'runs.compare("a", "', 'plot.compare{"', 'plot.compare({"', 'plot.curves({ "a", "', "runs.get '" } do
		equal(offers(text .. name:sub(1, -2)), r.folder:match "[^/]*$", text)
	end
	equal(offers('print({"' .. name:sub(1, -2)), "")
	os.execute(("rm -rf '%s'"):format(r.folder))
end)

test("every prefix of a text is accepted", function()
	local text = [==[t = trainer{ encoder = nn.cnn{ widths = {4}, x = "a\"b" }, knn = {refs = ds:split(.5)}, [1] = [[x]], f = function(a) return a.b:c{1} end }
		--[[ c ]] t:set{ lambda = .1 } ("x"):upper()..'y'  ?? %x $ y ::]==]
	for i = 0, #text do complete.candidates(text:sub(1, i)) end
	for i = 1, 200 do
		local bytes = {}
		for k = 1, 40 do bytes[k] = ("{}()[]\"'.:=, -abt1\n\\"):sub((i * 7919 + k * 104729 + i * k) % 20 + 1, (i * 7919 + k * 104729 + i * k) % 20 + 1) end
		complete.candidates(table.concat(bytes))
	end
end)

os.execute(("rm -rf '%s'"):format(scratch))
tap.done()
