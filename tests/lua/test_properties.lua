-- SPDX-License-Identifier: GPL-3.0-or-later
--[[
Properties that hold for any numbers, tested with numbers from barlow's own random streams.  SEED=n selects others; the
message of a failure states the case and the SEED that repeats it.
]]
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local test, equal, near = tap.test, tap.equal, tap.near
local recipe, registry = require "barlow.recipe", require "barlow.registry"

local SEED = math.tointeger(os.getenv "SEED" or 1)

-- cases(name, n, f): calls f n times, each time with a seed of its own.
local function cases(name, n, f)
	test(name, function()
		for i = 1, n do
			tensor.manual_seed(1000 * SEED + i)
			local fine, message = xpcall(f, debug.traceback)
			if not fine then error(("case %d of SEED=%d: %s"):format(i, SEED, message), 0) end
		end
	end)
end

local function between(a, b) return a + (b - a) * tensor.rand(1)[1] end
local function integer(a, b) return math.min(b, a + math.floor(between(0, b - a + 1))) end
local function choice(list) return list[integer(1, #list)] end

local function relative(got, expected, tolerance, what)
	near(got, expected, tolerance * math.max(1, math.abs(expected)), what)
end

-- A random permutation of the indices from 1 to n.
local function permutation(n)
	local out, key = {}, tensor.rand(n)
	for i = 1, n do out[i] = i end
	table.sort(out, function(a, b) return key[a] < key[b] end)
	return out
end

-- x with its rows, or its columns, in this order.
local function reordered(x, dim, order)
	local parts = {}
	for i, k in ipairs(order) do parts[i] = x:narrow(dim, k, 1) end
	return tensor.cat(parts, dim)
end

-- Two correlated views with columns of different scales.
local function views(n, d)
	local common, scale = tensor.randn(n, d), tensor.rand(1, d) * 3 + .5
	return (common + tensor.randn(n, d) * between(.1, 2)) * scale, (common + tensor.randn(n, d) * between(.1, 2)) * scale
end

local function barlow_loss(more)
	local s = { lambda = between(1e-3, .1), invariance = between(.5, 2), scale = between(.1, 3),
		dialect = choice{ "paper", "algorithm1", "hsic", "unbiased" } }
	for k, v in pairs(more or {}) do s[k] = v end
	return loss.barlow(s)
end

cases("Barlow Twins' loss knows no scale, offset or common sign of a unit", 40, function()
	local n, d = integer(8, 48), integer(2, 40)
	local l, a, b = barlow_loss(), views(n, d)
	-- The off-diagonal target of hsic is -1, which a change of sign alters.
	local sign = l.dialect == "hsic" and tensor.ones(1, d) or tensor.rand(1, d):gt(.5) * 2 - 1
	local function changed(z) return z * sign * (tensor.rand(1, d) * 2 + .5) + tensor.randn(1, d) end
	-- eps is about 1e-4 of the smallest variance here, and the errors of D units add up.
	relative(l(changed(a), changed(b)):item(), l(a, b):item(), 1e-3)
end)

cases("losses do not depend on the order of images and units", 40, function()
	local n, d = integer(8, 48), integer(2, 40)
	local l, a, b = choice{ barlow_loss(), loss.vicreg{ sim = between(1, 30), std = between(1, 30), cov = between(.5, 3) } }, views(n, d)
	local expected = l(a, b):item()
	local rows, columns = permutation(n), permutation(d)
	relative(l(reordered(a, 1, rows), reordered(b, 1, rows)):item(), expected, 1e-4, "images")
	relative(l(reordered(a, 2, columns), reordered(b, 2, columns)):item(), expected, 1e-4, "units")
	relative(l(b, a):item(), expected, 1e-4, "views")
end)

cases("the Gram form is the direct one: value and gradients", 40, function()
	local n, d = integer(4, 40), integer(2, 60)
	local lambda, dialect, a, b = between(1e-3, .05), choice{ "paper", "hsic", "unbiased" }, views(n, d)
	local value, gradient = {}, {}
	for _, form in ipairs{ "direct", "gram" } do
		local x, y = a:clone():requires_grad(true), b:clone():requires_grad(true)
		local out = loss.barlow{ lambda = lambda, dialect = dialect, form = form }(x, y)
		out:backward()
		value[form], gradient[form] = out:item(), tensor.cat({ x.grad, y.grad }, 1)
	end
	relative(value.gram, value.direct, 1e-4)
	local largest = gradient.direct:abs():max():item()
	near((gradient.gram - gradient.direct):abs():max():item(), 0, 1e-3 * largest)
end)

-- --- Fewer images than units ---------------------------------------------------------------------

-- n rows of k orthogonal columns of mean 0 and mean square 1, for k < n.
local function orthogonal(n, k)
	local x = tensor.randn(n, k)
	local u = (x - x:mean(1, true)):svd()
	return u * math.sqrt(n)
end

cases("the loss of fewer images than units: of repeated orthogonal units, and its floor", 20, function()
	local n, times = integer(3, 12), integer(2, 4)
	local d, l = (n - 1) * times, loss.barlow{ lambda = between(1e-3, .1), dialect = "paper" }
	local parts = {}
	parts[1] = orthogonal(n, n - 1)
	for i = 2, times do parts[i] = parts[1] end
	local z = tensor.cat(parts, 2)
	-- If all C_ii are c (here 1), the sum of all C_ij^2 is at least c^2 D^2 / (n - 1); the diagonal's part is c^2 D.
	local k = l.lambda * (d / (n - 1) - 1)
	relative(l(z, z):item(), d * k, 1e-3)
	-- A diagonal slightly below 1 costs less: D ((1 - c)^2 + k c^2) has its minimum at c = 1 / (1 + k).
	relative(l:floor(n, d), d * k / (1 + k), 1e-5)
	local a, b = views(n, d)
	if l(a, b):item() < l:floor(n, d) then error "below the floor" end
end)

cases("eigenvalues and effective rank of fewer rows than columns are those of the singular values", 20, function()
	local n, d = integer(2, 12), integer(13, 40)
	local u, _, vt = tensor.randn(n, d):svd()
	local s = tensor.rand(n) * 3 + .2
	local z = (u * s:reshape(1, n)):mm(vt)
	local values, sum, entropy = {}, 0, 0
	for i = 1, n do
		values[i] = s[i]
		sum = sum + s[i]
	end
	table.sort(values, function(a, b) return a > b end)
	for i = 1, n do entropy = entropy - values[i] / sum * math.log(values[i] / sum) end
	relative(eval.rankme(z), math.exp(entropy), 1e-3)
	local spectrum = eval.spectrum(z, false)
	for i = 1, n do relative(spectrum[i], values[i] ^ 2 / (n - 1), 1e-4, "eigenvalue " .. i) end
	for i = n + 1, spectrum:size(1) do near(spectrum[i], 0, 1e-5) end
end)

-- --- Pipelines -----------------------------------------------------------------------------------

local probable = {}
for _, e in ipairs(registry.entries()) do
	for _, k in ipairs(registry.flat(e.keys)) do probable[e.name] = probable[e.name] or k.name == "p" end
end

-- All constructors of pipelines, except those that change the size, make values outside of the range that others need,
-- work on vectors, or take functions or pipelines.
local apart = { crop = true, resize = true, normalize = true, feature_noise = true, feature_mask = true, feature_mix = true,
	compose = true, func = true, view = true, without = true, replace = true, random_apply = true, random_choice = true,
	random_order = true, weak = true, grey = true }
local OPERATORS = {}
for _, e in ipairs(registry.entries()) do
	local name = e.name:match "^aug%.([%w_]+)$"
	if name and e.returns == "pipeline" and not apart[name] then OPERATORS[#OPERATORS + 1] = name end
end
table.sort(OPERATORS)

local function operator()
	local name = choice(OPERATORS)
	return aug[name](probable["aug." .. name] and { p = between(.3, 1) } or {})
end

local function pipeline(size)
	local parts = { aug.crop{ size = size, scale = { between(.1, .5), between(.5, 1) } } }
	for i = 1, integer(1, 5) do parts[i + 1] = operator() end
	if integer(1, 3) == 1 then parts[#parts + 1] = aug.random_order{ operator(), operator() } end
	if integer(1, 3) == 1 then parts[#parts + 1] = aug.random_choice{ operator(), operator() } end
	return aug.compose(table.unpack(parts))
end

cases("any pipeline makes the same views by any number of threads, and so does the one that it prints", 30, function()
	local set = data.shapes{ n = 40, size = integer(12, 20), channels = 3, seed = integer(1, 99) }
	local pair, seed = aug.twin(pipeline(12), pipeline(10)), integer(1, 999)
	local function made(v, workers)
		local out = {}
		for _, a, b in data.loader{ data = set, views = v, batch = 16, epochs = 2, seed = seed, workers = workers } do
			out[#out + 1] = a:clone()
			out[#out + 1] = b:clone()
		end
		return out
	end
	local expected = made(pair, 1)
	equal(#expected, 8)
	local function same(got, what)
		for i, x in ipairs(expected) do
			if not got[i]:allclose(x, 0, 0) then error(("%s: batch %d differs: %s"):format(what, (i + 1) // 2, pair)) end
		end
	end
	for workers = 2, 4 do same(made(pair, workers), workers .. " threads") end
	same(made(assert(load("return " .. tostring(pair)))(), 2), "printed")
end)

-- --- Recipes -------------------------------------------------------------------------------------

local function settings()
	local size = choice{ 8, 12 }
	local encoder = choice{
		function() return nn.cnn{ widths = { integer(2, 5), integer(2, 5) }, image = size } end,
		function() return nn.sequential(nn.flatten(), nn.linear(size * size, integer(4, 12)), nn.batchnorm1d(), nn.relu()) end,
		function() return nn.resnet{ depth = 18, stem = "small", width = 2, channels = 1 } end,
	}
	local made, s = pcall(encoder)
	return size, made and s or nn.cnn{ widths = { 3, 4 }, image = size }
end

cases("any recipe prints, is read, and makes the same run, to the bit", 20, function()
	local size, encoder = settings()
	local lr = between(1e-4, .1)
	local s = {
		data = data.shapes{ n = integer(40, 64), size = size, channels = 1, seed = integer(0, 1 << 40) }, encoder = encoder,
		projector = choice{ { integer(4, 9) }, { integer(4, 9), integer(4, 9) }, false }, batch = integer(8, 32),
		epochs = between(1, 3), seed = choice{ 0, math.maxinteger, integer(1, 1 << 50) }, warmup = choice{ 0, between(0, .5) },
		views = integer(1, 2) == 1 and aug.grey{ size = size, flip = between(0, 1) }
			or aug.compose(aug.crop{ size = size, scale = { between(.1, .5), 1 } }, aug.noise{ std = between(0, .1) }),
		loss = choice{ barlow_loss{ dialect = "paper" }, loss.vicreg{ cov = between(.1, 2) } }, clip = choice{ 1 / 3, 5 },
		optim = choice{ optim.sgd{ lr = lr, momentum = between(0, .9) }, optim.adamw{ lr = lr, beta2 = between(.9, .999) },
			optim.lars{ lr = lr, eta = between(1e-3, 1e-2) } },
		schedule = choice{ "cosine", "constant" }, precision = choice{ "float32", "bf16" }, folder = false,
	}
	local t = trainer(s)
	local text = tostring(t.recipe)
	local path = os.tmpname()
	local file = assert(io.open(path, "wb"))
	file:write("return ", text, "\n")
	file:close()
	local read, why = recipe.read(path)
	os.remove(path)
	if not read then error(why .. "\n" .. text) end
	local again = trainer(recipe.build(read))
	equal(tostring(again.recipe), text)
	local steps = math.min(2, t.steps)
	t:step(steps)
	again:step(steps)
	equal(again.terms.total, t.terms.total)
	equal(again.terms.grad_norm, t.terms.grad_norm)
end)

tap.done()
