-- SPDX-License-Identifier: GPL-3.0-or-later
-- trainer: running, inspection, changes, recipes, evaluation.
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local test, equal, close, near, fails = tap.test, tap.equal, tap.close, tap.near, tap.fails

local function small(more)
	local s = {
		data = data.shapes{ n = 96, size = 8, channels = 1, seed = 1 },
		encoder = nn.cnn{ channels = 1, widths = { 4, 8 }, image = 8 }, projector = { 16, 16 },
		views = aug.compose{ aug.crop{ size = 8, scale = { .5, 1 } }, aug.flip(.5) }, batch = 32, epochs = 4, seed = 3,
		loss = loss.barlow{ lambda = .01 }, optim = optim.adamw{ lr = 1e-3 },
	}
	for k, v in pairs(more or {}) do s[k] = v end
	if s.epochs == "default" then s.epochs = nil end
	return trainer(s)
end

test("a run in the background", function()
	local t = small()
	equal(t.state, "new")
	equal(t.terms, nil)
	equal(t.steps, 12)
	equal(t.steps_per_epoch, 3)
	equal(t:start(), t)
	equal(t:wait(), true)
	equal(t.state, "done")
	equal(t.iteration, 12)
	equal(#t, 12)
	equal(#t.records.total, 12)
	equal(t.records.step[12], 12)
	equal(t:record(12).total, t.terms.total)
	equal(t:record(13), nil)
	local terms = t.terms
	near(terms.total, terms.invariance + .01 * terms.redundancy, 1e-6)
	local c = t.C
	equal(c:size(1), 16)
	near(((1 - c:diag()) ^ 2):sum():item(), terms.invariance, 1e-3)
end)

test("a run in the background continues when nothing refers to its trainer", function()
	local seen = setmetatable({}, { __mode = "k" })
	small{ epochs = 1e6, name = "nobody's" }:start()
	collectgarbage()
	collectgarbage()
	local found
	for _, t in ipairs(require "barlow.native".trainers()) do
		if t.name == "nobody's" then found = t end
	end
	equal(found.state, "running")
	found:stop()
	seen[found], found = true, nil
	small():start():wait() -- a finished trainer is collected
	collectgarbage()
	collectgarbage()
	equal(next(seen), nil)
end)

test("schedules by name, with `last` as a short form, and as a table", function()
	local function last_lr(more)
		local t = small(more):start()
		t:wait()
		return t.terms.lr
	end
	equal(last_lr{ schedule = "constant", last = .5 }, 1e-3)
	local by_table = last_lr{ schedule = { kind = "cosine", last = .5 } }
	equal(last_lr{ last = .5 }, by_table)
	if by_table < .5e-3 or by_table > .6e-3 then error(("the last rate is %g"):format(by_table)) end
	if last_lr() > .1e-3 then error "the schedule of nobody's choice is no cosine" end
	fails(function() return small{ schedule = "step" } end, "trainer", "unknown schedule 'step'", "constant, cosine")
	fails(function() return small{ schedule = { kind = "constant", last = 1 } } end, "unknown key 'last'")
	fails(function() return small{ schedule = 3 } end, "the name of a schedule, or a table", "number 3")
end)

test("a loss other than Barlow Twins: its terms and settings, and none of the others", function()
	local t = small{ loss = loss.vicreg{ cov = 2 } }
	t:step(2)
	local r = t.terms
	near(r.total, 25 * r.invariance + 25 * r.variance + 2 * r.covariance, 1e-4)
	near(r.weighted_covariance, 2 * r.covariance, 1e-9)
	equal(r.lambda, nil)
	equal(r.floor ~= r.floor, true)
	t:set{ cov = 3, ["loss.std"] = 20, ["optim.lr"] = 5e-4 }
	t:step()
	equal(t.terms.cov, 3.0)
	equal(t.terms.std, 20.0)
	equal(t.records.cov[2], 2.0)
	fails(function() t:set{ lambda = 1 } end, "nothing called 'lambda'", "sim, std, cov, lr, lr_bias")
	fails(function() t:set{ cov = 4, sim = -1 } end, "'sim' must be a number of at least 0")
	fails(function() t:set{ cov = "4" } end, "set: 'cov' must be a number", "string '4'")
	t:step()
	equal(t.terms.cov, 3.0) -- a call sets all of its settings, or none
	equal(t.C:size(1), 16) -- C of the embeddings can be read, although this loss does not use it
end)

test("steps in the foreground are the same steps", function()
	local a, b = small(), small()
	a:step(5)
	a:step(7)
	b:start():wait()
	equal(a.terms.total, b.terms.total)
end)

test("steps alone give the length of the run; with epochs they end it early", function()
	equal(small{ epochs = "default", steps = 40 }.steps, 40)
	local t = small{ epochs = "default", steps = 5 }
	t:step(5)
	near(t.terms.lr, 0, 2e-4) -- near the end of the cosine
	t = small{ steps = 5 }
	equal(t.steps, 5)
	t:step(5)
	if t.terms.lr < 5e-4 then error("lr is " .. t.terms.lr) end
end)

test("pause, resume, stop, set", function()
	local t = small{ epochs = 100000 }
	t:start():pause()
	while t.state ~= "paused" do t:wait(.01) end
	local at = t.iteration
	t:wait(.05)
	equal(t.iteration, at)
	t:set{ lambda = .5, lr = 1e-4 }
	t:resume()
	while #t < at + 3 do t:wait(.01) end
	t:stop()
	equal(t.state, "stopped")
	equal(t.terms.lambda, .5)
	if t.terms.lr > 1e-4 then error("lr is " .. t.terms.lr) end
end)

test("kNN during training, evaluation after it", function()
	local ds = data.shapes{ n = 200, size = 8, channels = 1, seed = 2 }
	local refs, queries = ds:split(.5, 1)
	local t = small{ data = ds, epochs = 2, knn = { every = 1, refs = refs, queries = queries, k = 5 } }
	t:run{ quiet = true }
	-- The same values, computed here from features that are normalised as in training.
	local sets = { train = eval.features(t.encoder, refs, { like = ds }), train_labels = refs,
		test = eval.features(t.encoder, queries, { like = ds }), test_labels = queries }
	local e = t:eval()
	equal(e.linear, (eval.linear(sets)))
	equal(e.knn, (eval.knn(sets)))
	sets.k = 5
	equal(t.terms.knn, (eval.knn(sets)))
	equal(t:eval{ linear = false }.linear, nil)
	equal(t:eval{ k = 5, linear = false }.knn, t.terms.knn)
	fails(function() t:eval{ kk = 1 } end, "kk")
end)

test("run prints lines and calls back", function()
	local steps = {}
	equal(small():run{ quiet = true, on_progress = function(r, t) steps[#steps + 1] = r.step + #t * 0 end }, "done")
	equal(table.concat(steps, " "), "1 2 3 4 5 6 7 8 9 10 11 12")
	fails(function() small():run{ quite = true } end, "quite")
end)

test("the objects of a trainer can be inspected", function()
	local t = small{ name = "a run" }
	equal(t.name, "a run")
	equal(t.encoder.kind, "cnn")
	equal(t.projector.kind, "mlp")
	equal(#t.data, 96)
	equal(small{ projector = false }.projector, nil)
	equal(small{ projector = nn.sequential(nn.linear(128, 4)) }.projector.kind, "sequential")
	equal(tostring(t), "trainer a run: new, step 0 of 12")
	fails(function() return t.term end, "did you mean 'terms'")
end)

test("weights are saved with prefixes and loaded into an encoder", function()
	local t = small()
	t:step(1)
	tap.with_file("", function(path)
		t:save(path)
		equal(t.message, ("step %d: weights saved to %s"):format(t.iteration, path))
		local e = nn.cnn{ channels = 1, widths = { 4, 8 }, image = 8 }:init(9)
		e:load(path, { prefix = "encoder", strict = false })
		local x = tensor.randn(2, 1, 8, 8)
		close(e:eval()(x), t.encoder:eval()(x), 0, 0)
	end)
end)

test("precision of the products", function()
	local exact, rounded = small{ precision = "float32" }, small{ precision = "bf16" }
	exact:step(1)
	rounded:step(1)
	if exact.terms.total == rounded.terms.total then error "bf16 changes nothing" end
	near(rounded.terms.total, exact.terms.total, .02 * exact.terms.total)
	equal(rounded.recipe.precision, "bf16")
	if not tostring(rounded.recipe):find('precision = "bf16"', 1, true) then error(tostring(rounded.recipe)) end
	equal(trainer(rounded.recipe):step(1).terms.total, rounded.terms.total)
	fails(function() small{ precision = "bf61" } end, "'precision' must be one of float32, bf16, got string 'bf61'")
	fails(function() small{ precison = "bf16" } end, "did you mean 'precision'")
end)

test("the recipe prints as Lua code that rebuilds the trainer", function()
	local ds = data.shapes{ n = 120, size = 8, channels = 1, seed = 1 }
	local _, second = ds:split(.2, 7)
	local t = small{ data = second:subset(1, 90), encoder = nn.sequential(
		nn.cnn{ channels = 1, widths = { 4, 8 }, image = 8 }:init(5), nn.linear(128, 12, { bias = false })) }
	local text = tostring(t.recipe)
	equal(t.recipe.loss.lambda, .01)
	local again = assert(load("return " .. text))()
	equal(tostring(again.recipe), text)
	t:step(3)
	again:step(3)
	equal(again.terms.total, t.terms.total)
	local recipe = t.recipe
	recipe.loss.lambda = .5
	local other = trainer(recipe)
	other:step(1)
	equal(other.terms.lambda, .5)
	local f = small{ encoder = nn.sequential(nn.flatten(), nn.func(function(x) return x end)) }
	if not tostring(f.recipe):find("f = function(x) return x end,", 1, true) then error(tostring(f.recipe)) end
	equal(tostring(assert(load("return " .. tostring(f.recipe)))().recipe), tostring(f.recipe))
	equal(trainer(f.recipe):step(1).iteration, 1)
end)

test("views default to the paper's, normalised by the data's statistics", function()
	local ds = data.shapes{ n = 64, size = 16, channels = 3, seed = 1 }
	local mean, std = ds:statistics()
	equal(#mean, 3)
	equal(#std, 3)
	local sum = tensor.zeros(2)
	for _, a, b in data.loader{ data = ds, batch = 32, seed = 1 } do
		sum = sum + tensor{ a:mean():item(), b:std():item() }
		equal(table.concat(a:shape(), " "), "32 3 16 16")
	end
	near(sum[1] / 2, 0, .7)
	near(sum[2] / 2, 1, .7)
end)

test("pipelines are called on images", function()
	local image = data.shapes{ n = 1, size = 16, channels = 3, seed = 1 }[1].image
	equal(table.concat(aug.crop(8)(image):shape(), " "), "3 8 8")
	close(aug.compose{ aug.flip(1), aug.flip(1) }(image), image, 0, .01)
	close(aug.flip(1)(image)[{ {}, {}, 1 }], image[{ {}, {}, 16 }], 0, .01)
	close(aug.crop(8)(image, 5), aug.crop(8)(image, 5), 0, 0)
	local a, b = aug.paper{ size = 8 }(image, 1)
	if a:allclose(b) then error "both views are the same" end
	local pair = aug.twin(aug.crop(8), aug.resize(4))
	equal(tostring(pair.second), 'aug.resize{size = 4, backend = "tensor"}')
	equal(#aug.compose(aug.flip(), aug.flip()), 2)
	for _, make in ipairs{ aug.jitter, aug.grayscale, aug.blur, aug.solarize, aug.normalize, aug.affine, aug.noise,
		aug.cutout } do
		equal(make{}(image):numel(), image:numel())
	end
	close(aug.normalize{ mean = .5, std = { .25 } }(image), (image - .5) / .25, 1e-4, 1e-4)
end)

test("measures of features", function()
	local z = tensor.randn(100, 8)
	near(eval.rankme(z), 7.5, .6)
	equal(#eval.std(z), 8)
	equal(#eval.spectrum(z), 8)
	local labels = {}
	for i = 1, 100 do labels[i] = z[{ i, 1 }] > 0 and 1 or 2 end
	local sets = { train = z, train_labels = labels, test = z, test_labels = labels }
	near(eval.linear(sets), 1, .05)
	sets.k = 1
	equal(eval.knn(sets), 1.0)
	local _, details = eval.linear{ train = z, train_labels = labels, test = z, test_labels = labels, l2 = { .1 } }
	near(details.l2, .1, 1e-9)
end)

test("a loader returns the labels of its images if requested", function()
	local pixels = {}
	for i = 1, 10 do pixels[i] = tensor.ones(1, 4, 4) * (i / 10) end
	local set = data.tensor(tensor.stack(pixels), { 3, 1, 2, 3, 1, 2, 3, 1, 2, 3 })
	local as_is = aug.compose{ aug.resize(4), aug.normalize{ mean = 0, std = 1 } }
	local seen = 0
	for _, a, b, labels in data.loader{ data = set, views = as_is, batch = 5, epochs = 2, labels = true } do
		equal(tostring(labels:shape()), "(5)")
		for i = 1, 5 do
			local place = math.floor(a[i][1][1][1] * 10 + .5)
			equal(labels[i], set[place].label + 0.0)
			equal(a[i][1][1][1], b[i][1][1][1])
			seen = seen + 1
		end
		equal(loss.cross_entropy(tensor.zeros(5, 3), labels):dim(), 0)
	end
	equal(seen, 20)
	local _, _, _, fourth = data.loader{ data = set, views = as_is, batch = 5 }()
	equal(fourth, nil)
	fails(function() return data.loader{ data = data.tensor(tensor.rand(4, 1, 4, 4)), batch = 2, labels = true } end, "labels = true",
		"has no labels")
end)

test("the clock counts seconds with fractions", function()
	local before = clock()
	equal(math.type(before), "float")
	local least = math.huge
	for _ = 1, 1000 do
		local from, at = clock(), nil
		repeat at = clock() until at ~= from
		least = math.min(least, at - from)
	end
	equal(least > 0 and least < 1, true)
end)

-- A run that would take minutes.
local function long(more)
	local settings = { data = data.shapes{ n = 64, size = 8, channels = 1 }, encoder = nn.cnn{ image = 8, widths = { 4 } }, projector = { 8 },
		batch = 32, epochs = 1e6, folder = false }
	for k, v in pairs(more) do settings[k] = v end
	return trainer(settings)
end

test("a limit of seconds ends a run, saves it, and is reported", function()
	local folder = os.tmpname()
	os.remove(folder)
	local t = long{ seconds = .05, folder = folder }
	equal(t.seconds, .05)
	equal(t.recipe.seconds, .05)
	equal(t:run{ quiet = true }, "done")
	local steps, time = t.iteration, t.records.time
	equal(time[steps] >= .05, true)
	equal(steps == 1 or time[steps - 1] < .05, true)
	equal(t.message:find("the limit of 0.05 s of training time is reached", 1, true) ~= nil, true)
	fails(function() t:start() end, "its limit of 0.05 s of training time is reached", "recipe.lua")
	fails(function() t:step(1) end, "is reached")
	fails(function() runs.resume(folder) end, "the run is over: its limit of 0.05 s of training time is reached", "{set = {seconds = 0.1}}")
	local again = runs.fork(folder)
	equal(again.iteration, steps)
	fails(function() again:step(1) end, "is reached")
	local more = trainer(again.recipe)
	equal(more.seconds, .05)
	os.execute("rm -r " .. folder)
end)

test("a resumed run has the rest of the limit, and steps by hand count", function()
	local folder = os.tmpname()
	os.remove(folder)
	local first = long{ seconds = 1e-9, folder = folder }
	first:run{ quiet = true }
	equal(first.iteration, 1)
	local file = assert(io.open(folder .. "/recipe.lua"))
	local text = file:read "a"
	file:close()
	local function resumed(seconds)
		local changed, n = text:gsub("seconds = [%w.-]+", ("seconds = %.17g"):format(seconds))
		equal(n, 1)
		file = assert(io.open(folder .. "/recipe.lua", "w"))
		file:write(changed)
		file:close()
		return runs.resume(folder)
	end
	local left = resumed(first.records.time[1] + 1e-9) -- enough to begin one step
	equal(left.iteration, 1)
	left:step(1)
	equal(left.iteration, 2)
	equal(left.state, "done")
	equal(resumed(100):step(1).state, "paused")
	os.execute("rm -r " .. folder)
end)

test("the limit is a number of seconds", function()
	fails(function() long{ seconds = 0 } end, "'seconds' must be a number above 0, got 0")
	fails(function() long{ seconds = "1 h" } end, "'seconds'", "1 h")
	equal(long{}.seconds, 0.0)
end)
tap.done()
