-- SPDX-License-Identifier: GPL-3.0-or-later
-- Losses that are Lua functions: called directly, in training, changed during a run, refused.
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local test, equal, near, close, fails = tap.test, tap.equal, tap.near, tap.close, tap.fails

-- The loss of examples/vicreg.lua, extracted from the file; it must stay as short as the documents say.
local function example()
	local file = assert(io.open(arg[0]:match "^(.*/)" .. "../../examples/vicreg.lua"))
	local text = file:read "a":match "local vicreg = (loss%.func.-)\n\n"
	file:close()
	local _, lines = text:match "^(.-)\nend,":gsub("\n", "\n")
	if lines + 2 > 15 then error(("the loss takes %d lines"):format(lines + 2)) end
	return load("return " .. text, "=vicreg.lua")()
end

local function small(more)
	local s = {
		data = data.shapes{ n = 96, size = 8, channels = 1, seed = 1 }, batch = 32, epochs = 4, seed = 3,
		encoder = nn.cnn{ channels = 1, widths = { 4, 8 }, image = 8 }, projector = { 16, 16 },
		views = aug.compose{ aug.crop{ size = 8, scale = { .5, 1 } }, aug.flip(.5) }, folder = false,
	}
	for k, v in pairs(more or {}) do s[k] = v end
	return trainer(s)
end

local function distance(za, zb) return ((za - zb) ^ 2):mean() end

test("VICReg in Lua equals VICReg in C: value, terms, gradients", function()
	local l, c = example(), loss.vicreg{}
	local z = {}
	for i = 1, 4 do z[i] = tensor.randn(24, 6) * .8 end
	local a, b = z[1]:clone():requires_grad(true), z[2]:clone():requires_grad(true)
	local x, terms = l(a, b)
	x:backward()
	local u, v = z[1]:clone():requires_grad(true), z[2]:clone():requires_grad(true)
	local y, weighed = c(u, v)
	y:backward()
	near(x:item(), y:item(), 1e-4)
	near(terms.invariance, 25 * weighed.invariance, 1e-4)
	near(terms.variance, 25 * weighed.variance, 1e-4)
	near(terms.covariance, weighed.covariance, 1e-4)
	if weighed.variance == 0 then error "the hinge was not tried" end
	near((a.grad - u.grad):abs():max():item(), 0, 1e-5)
	near((b.grad - v.grad):abs():max():item(), 0, 1e-5)
end)

test("a run of 300 steps: three terms under their names in records, live file and curves", function()
	local t = small{ loss = example(), epochs = 100, steps = 300 }
	t:start()
	t:wait()
	equal(t.state, "done")
	local r = t.terms
	equal(r.step, 300)
	near(r.total, r.invariance + r.variance + r.covariance, 1e-4)
	for _, name in ipairs{ "invariance", "variance", "covariance" } do
		local column = t.records[name]
		equal(#column, 300)
		equal(column[300], r[name])
		if not (column[1] > 0) then error(("%s is %g at first"):format(name, column[1])) end
	end
	if r.total > .8 * t:record(1).total then error(("the loss went from %g to %g"):format(t:record(1).total, r.total)) end
	equal(r.floor ~= r.floor, true) -- no floor is known
	equal(r.lambda, nil)
	if not os.execute "command -v gnuplot >/dev/null" then return end
	local path = os.tmpname()
	plot.curves(t):save(path .. ".svg")
	local file = assert(io.open(path .. ".svg"))
	local text = file:read "a"
	file:close()
	os.remove(path)
	os.remove(path .. ".svg")
	for _, name in ipairs{ "invariance", "variance", "covariance" } do
		if not text:find(">" .. name .. "<", 1, true) then error("the figure has no curve of " .. name) end
	end
end)

-- The output of a run in the foreground.
local function printed(t)
	local text, write = {}, io.write
	io.write = function(...)
		for _, part in ipairs{ ... } do text[#text + 1] = part end
	end
	local fine, message = pcall(t.run, t)
	io.write = write
	if not fine then error(message, 0) end
	return table.concat(text)
end

test("lines show the floor if one is known, and leave it out otherwise", function()
	local known, unknown = printed(small{ loss = loss.barlow{}, steps = 2 }), printed(small{ loss = example(), steps = 2 })
	if not known:find " floor %d" then error("no floor in " .. known) end
	if not unknown:find "  total %d" or unknown:find "floor" then error("a floor, or no total, in " .. unknown) end
end)

test("the run's thread computes the same bits as the main thread", function()
	local a, b = small{ loss = example() }, small{ loss = example() }
	a:step(12)
	b:start():wait()
	for _, name in ipairs{ "total", "invariance", "variance", "covariance", "grad_norm" } do
		equal(b.terms[name], a.terms[name])
	end
end)

test("parameters are set during training, and recorded", function()
	local l = loss.func{ function(za, zb, p) return p.mu * ((za - zb) ^ 2):mean() end,
		parameters = { mu = { default = 2, min = 0, max = 9 }, lr = 4, fixed = { default = 1, settable = false } }, turn = "mu" }
	equal(l.mu, 2.0)
	equal(l.kind, "func")
	local t = small{ loss = l }
	t:step()
	t:set{ mu = 3 }
	equal(t.message, "step 1: mu 2 -> 3")
	t:set{ ["loss.lr"] = 5, lr = 2e-3 }
	t:step()
	equal(t.records.mu[1], 2.0)
	equal(t.terms.mu, 3.0)
	equal(t.terms["loss.lr"], 5.0)
	equal(t.terms.loss, t.terms.total)
	if t.terms.lr >= 3e-3 then error "the rate took the loss's setting" end
	fails(function() t:set{ mu = 10 } end, "'mu' must be a number between 0 and 9")
	fails(function() t:set{ fixed = 2 } end, "nothing called 'fixed' can be set")
	equal(l.mu, 2.0) -- the run has a copy
end)

test("a function alone is a loss, and receives facts about the batch", function()
	local seen = {}
	local t = small{ loss = function(za, zb, p, at)
		seen[#seen + 1] = at
		equal(next(p), nil)
		return distance(za, zb)
	end, seed = 9 }
	t:step(4)
	local at = seen[#seen]
	equal(at.step, 4)
	equal(at.epoch, 2)
	equal(at.seed, 9)
	equal(#at.rows, 32)
	equal(#at.labels, 32)
	local d = data.shapes{ n = 96, size = 8, channels = 1, seed = 1 }
	for i = 1, 32 do equal(at.labels[i], d.labels[at.rows[i]]) end
	equal(t.terms.total, t.terms.loss)
	local l = loss.func{ distance }
	near(l(tensor.ones(3, 2), tensor.zeros(3, 2)):item(), 1, 1e-6)
end)

test("the results of a function are checked, and errors name the term", function()
	local z = tensor.randn(4, 3)
	local function gives(value, more)
		local s = { function() return type(value) == "function" and value() or value end }
		for k, v in pairs(more or {}) do s[k] = v end
		return loss.func(s)(z, z)
	end
	fails(function() gives(3) end, "loss.func", "returned number 3", "scalar tensor")
	fails(function() gives{} end, "no terms")
	fails(function() gives{ inv = z } end, "term 'inv' is (4, 3)", "sum or mean")
	fails(function() gives{ inv = 1 } end, "term 'inv' is number 1")
	fails(function() gives{ z:mean() } end, "names of terms", "number 1")
	fails(function() gives({ a = z:mean() }, { terms = { "a", "b" } }) end, "no term 'b'")
	fails(function() gives({ a = z:mean(), b = z:mean() }, { terms = { "a" } }) end, "1 terms that it had not named")
	fails(function() gives(function() error "no such luck" end) end, "no such luck")
	local both = { "a term and a parameter are both called 'mu'", "another name" }
	fails(function() gives({ mu = z:mean() }, { parameters = { mu = 1 } }) end, "loss.func: ", table.unpack(both))
	fails(function() small{ loss = loss.func{ function() return { mu = z:mean() } end, parameters = { mu = 1 } } } end,
		"loss.func: ", table.unpack(both))
	fails(function() gives({ mu = z:mean() }, { parameters = { mu = 1 }, terms = { "mu" } }) end, "loss.func: ", table.unpack(both))
	fails(function() small{ loss = function() return z end } end, "trainer", "loss.func", "term 'loss'")
	fails(function() small{ loss = 3 } end, "trainer", "'loss' must be a loss, or a function", "number 3")
	local calls = { n = 0 }
	local t = small{ loss = function(za, zb, _, at)
		calls.n = calls.n + 1
		return { near = distance(za, zb), odd = za:mean() * (at.step == 3 and 0 / 0 or 0) }
	end }
	fails(function() t:step(5) end, "step 3", "term 'odd' of the loss is nan")
	equal(t.state, "failed")
	equal(calls.n, 4) -- with the call when the trainer was made
	equal(t.iteration, 2)
	fails(function() small{ loss = function(za) return { total = za:mean() } end } end, "total")
end)

test("the arguments of loss.func are checked", function()
	local function func(more)
		local s = { distance }
		for k, v in pairs(more) do s[k] = v end
		return loss.func(s)
	end
	fails(function() loss.func{} end, "loss.func", "'f' is missing")
	fails(function() loss.func{ print } end, "loss.func", "function")
	fails(function() func{ parameters = 3 } end, "'parameters' must be a table")
	fails(function() func{ parameters = { 3 } } end, "expected names")
	fails(function() func{ parameters = { ["m u"] = 1 } } end, "'m u'", "letters, digits")
	fails(function() func{ parameters = { mu = "x" } } end, "parameter 'mu' is string 'x'")
	fails(function() func{ parameters = { mu = { defaul = 1 } } } end, "did you mean 'default'")
	fails(function() func{ parameters = { mu = {} } } end, "'default' is missing")
	fails(function() func{ parameters = { mu = { default = -1, min = 0 } } } end, "default", "'mu' must be a number of at least 0")
	fails(function() func{ terms = {} } end, "'terms' must be a list of 1 to 8 names")
	fails(function() func{ terms = { "a", "a" } } end, "'a' twice")
	fails(function() func{ turn = "mu" } end, "'turn' is 'mu'", "not a settable parameter")
	fails(function() func{ term = { "a" } } end, "did you mean 'terms'")
end)

test("the invariance has a weight that can be set during training, in records, journal and recipe", function()
	local za, zb = tensor.randn(12, 5), tensor.randn(12, 5)
	local value, terms = loss.barlow{ lambda = .1, invariance = 3, scale = 2 }(za, zb)
	near(value:item(), 2 * (3 * terms.invariance + .1 * terms.redundancy), 1e-4)
	near(loss.barlow{ invariance = 1 }(za, zb):item(), loss.barlow{}(za, zb):item(), 0)
	near(loss.barlow{ lambda = .02, invariance = 2 }:floor(8, 64), 2 * loss.barlow{ lambda = .01 }:floor(8, 64), 1e-9)
	fails(function() return loss.barlow{ invariance = -1 } end, "'invariance'")
	local t = trainer{ data = data.shapes{ n = 64, size = 8, channels = 1 }, encoder = nn.cnn{ widths = { 4 }, image = 8 },
		projector = { 8 }, batch = 32, folder = false, loss = loss.barlow{ invariance = 2 } }
	equal(t.recipe.loss.invariance, 2)
	t:step(1):set{ invariance = .5 }
	t:step(1)
	local r = t.records
	equal(r["loss.invariance"][1], 2.0)
	equal(r["loss.invariance"][2], .5)
	for i = 1, 2 do
		near(r.weighted_invariance[i], r["loss.invariance"][i] * r.invariance[i], 1e-9)
		near(r.total[i], r.weighted_invariance[i] + r.weighted_redundancy[i], 1e-9 + 1e-6 * r.total[i])
	end
	local change = t.journal[#t.journal]
	equal(change.name, "invariance")
	equal(change.new, .5)
end)

test("the dialect with an unbiased variance and an eps", function()
	local za, zb = tensor.randn(12, 5), tensor.randn(12, 5)
	local function standard(z) return (z - z:mean(1)) / (z:var(1) + 1e-5):sqrt() end
	local c = standard(za):t():mm(standard(zb)) / 12
	close(loss.correlation(za, zb, "unbiased"), c, 1e-5, 1e-5)
	local _, terms = loss.barlow{ dialect = "unbiased" }(za, zb)
	near(terms.invariance, ((c:diag() - 1) ^ 2):sum():item(), 1e-4)
end)

test("records have the learning rate of biases only if it is a separate one", function()
	local function records(settings, change)
		local t = trainer{ data = data.shapes{ n = 64, size = 8, channels = 1 }, encoder = nn.cnn{ widths = { 4 }, image = 8 },
			projector = { 8 }, batch = 32, folder = false, optim = optim.sgd(settings), schedule = "constant" }
		t:step(1)
		if change then t:set(change):step(1) end
		return t.records
	end
	equal(records{ lr = .1 }.lr_bias, nil)
	equal(records{ lr = .1, lr_bias = .1 }.lr_bias, nil)
	equal(records{ lr = .1, lr_bias = .02 }.lr_bias[1], .02)
	local later = records({ lr = .1 }, { lr_bias = .03 })
	equal(later.lr_bias[2], .03)
	equal(later.lr_bias[1] ~= later.lr_bias[1], true)
end)

tap.done()
