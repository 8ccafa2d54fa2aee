-- SPDX-License-Identifier: GPL-3.0-or-later
-- Evaluation: classes are matched by name, labels have several forms, images are normalised as in training.
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local test, equal, fails, close = tap.test, tap.equal, tap.fails, tap.close

local photographs = tap.root .. "tests/reference/photographs/"
local picture = { a = "subsampled.jpg", b = "palette.png", c = "alpha.png" }

-- Calls f with a folder of class folders for each text of `texts`: "abc" has the classes a, b and c.
local function with_folders(texts, f)
	local root = os.tmpname()
	os.remove(root)
	local paths = {}
	for k, text in ipairs(texts) do
		paths[k] = root .. "/" .. k .. text
		for class in text:gmatch "." do
			local folder = paths[k] .. "/" .. class
			local file, ending = picture[class], picture[class]:match "%..*"
			assert(os.execute(("mkdir -p '%s' && for i in 0 1 2 3 4 5 6 7 8 9; do cp '%s%s' '%s/'$i'%s'; done"):format(folder,
				photographs, file, folder, ending)))
		end
	end
	local fine, message = xpcall(f, debug.traceback, table.unpack(paths))
	os.execute("rm -r '" .. root .. "'")
	if not fine then error(message, 0) end
end

local function sets(a, b) return data.folder{ path = a, size = 16 }, data.folder{ path = b, size = 16 } end

test("classes are matched by their names", function()
	with_folders({ "abc", "ac" }, function(a, b)
		local train, held_out = sets(a, b)
		equal(eval.knn{ train = train, test = held_out, k = 1 }, 1.0)
		equal((eval.linear{ train = train, test = held_out, l2 = { .01 } }), 1.0)
		equal(eval.knn{ train = eval.features(nil, train), train_labels = train,
			test = eval.features(nil, held_out, { like = train }), test_labels = held_out, k = 1 }, 1.0)
	end)
end)

test("a class that the training set lacks is refused by its name", function()
	with_folders({ "ac", "abc" }, function(a, b)
		local train, held_out = sets(a, b)
		fails(function() return eval.knn{ train = train, test = held_out, k = 1 } end, "class 'b'", "does not have")
		fails(function()
			return trainer{ data = train, encoder = nn.sequential(nn.flatten(), nn.linear(768, 4)), projector = false,
				views = aug.paper{ size = 16 }, batch = 2, folder = false,
				knn = { refs = train, queries = held_out, k = 1 } }
		end, "trainer: kNN", "class 'b'")
	end)
end)

test("the kNN of a run matches by name, too", function()
	with_folders({ "abc", "ac" }, function(a, b)
		local train, held_out = sets(a, b)
		local t = trainer{ data = train, encoder = nn.sequential(nn.flatten(), nn.linear(768, 32)), projector = false,
			views = aug.paper{ size = 16 }, batch = 2, steps = 1, folder = false, optim = optim.sgd{ lr = 0 },
			knn = { refs = train, queries = held_out, k = 1 } }
		t:run{ quiet = true }
		equal(t.terms.knn, 1.0)
	end)
end)

test("labels may be a list or a tensor", function()
	local images = tensor.rand(4, 1, 8, 8)
	equal(data.tensor(images, tensor{ 1, 2, 1, 2 })[4].label, 2)
	local z = tensor{ { 1, 0 }, { 0, 1 }, { 1, .1 }, { .1, 1 } }
	equal(eval.knn{ train = z, test = z, train_labels = tensor{ 1, 2, 1, 2 }, test_labels = { 1, 2, 1, 2 }, k = 1 }, 1.0)
	equal(#data.shapes{ n = 9, size = 8 }:subset(tensor{ 2, 4 }), 2)
	fails(function() data.tensor(images, tensor{ 1, 2, 1.5, 2 }) end, "labels: item 3", "1.5")
	fails(function() data.tensor(images, tensor.ones(2, 2)) end, "labels", "(2, 2)")
	fails(function() data.tensor(images, "1212") end, "labels", "string '1212'")
	fails(function() data.tensor(images, tensor.ones(3)) end, "3 labels for 4 images")
end)

test("floats with integer values are indices", function()
	local ds = data.shapes{ n = 10, size = 8 }
	equal(ds[#ds / 2].label, ds[5].label)
	fails(function() return ds[2.5] end, "number 2.5")
	equal(nn.sequential(nn.relu(), nn.tanh())[4 / 2].kind, "tanh")
	equal(tensor.arange(5)[4 / 2], 1.0)
	fails(function() return ds[11.0] end, "image 11", "1..10")
end)

-- A trainer with bright data, and a dark set.
local function trained()
	local bright = data.tensor(tensor.rand(8, 1, 8, 8) * .5 + .5, { 1, 2, 1, 2, 1, 2, 1, 2 })
	local dark = data.tensor(tensor.rand(4, 1, 8, 8) * .5, { 1, 2, 1, 2 })
	local t = trainer{ data = bright, encoder = nn.sequential(nn.flatten(), nn.linear(64, 4)), projector = false,
		batch = 4, steps = 1, folder = false }
	return t, bright, dark
end

-- Classes differ only in brightness, and all test images are bright: normalised by its own statistics, the test set
-- would have a brightness between the classes.
test("raw pixels are normalised by the training set", function()
	local function images(n, class)
		local labels = {}
		for i = 1, n do labels[i] = class(i) end
		return data.tensor(tensor.rand(n, 1, 4, 4) * .02 + tensor(labels):reshape(n, 1, 1, 1) * .2 + .3, labels)
	end
	local train, bright = images(20, function(i) return i % 2 + 1 end), images(10, function() return 2 end)
	equal((eval.linear{ train = train, test = bright, l2 = { .01 } }), 1.0)
	local set = { train = eval.features(nil, train), train_labels = train, test_labels = bright, l2 = { .01 } }
	set.test = eval.features(nil, bright, { like = train })
	equal((eval.linear(set)), 1.0)
	set.test = eval.features(nil, bright)
	if eval.linear(set) == 1 then error "the normalisation makes no difference here" end
end)

test("an encoder's images are normalised as in training", function()
	local t, bright, dark = trained()
	local right = eval.features(t.encoder, dark, { like = bright })
	close(eval.features(t.encoder, dark), right, 0, 0)
	close(eval.features(t.encoder, dark:subset(1, 4)), right, 0, 0)
	if eval.features(t.encoder, dark, { like = dark }):allclose(right) then error "like makes no difference" end
	local z = eval.features(t.encoder, bright:subset(1, 4), { like = bright })
	equal(eval.knn{ train = bright:subset(1, 4), test = dark, encoder = t.encoder, k = 3 },
		eval.knn{ train = z, train_labels = { 1, 2, 1, 2 }, test = right, test_labels = { 1, 2, 1, 2 }, k = 3 })
	close(eval.features(nn.sequential(nn.flatten(), nn.linear(64, 4)):init(3), dark),
		eval.features(nn.sequential(nn.flatten(), nn.linear(64, 4)):init(3), dark, { like = dark }), 0, 0)
end)

test("t:eval prints what was measured on which images", function()
	local t, bright, dark = trained()
	local on_training = t:eval{ k = 1, linear = false }
	if not (on_training.test:find "training images" and on_training.train:find "training images") then
		error(on_training.test)
	end
	local its_own = t:eval{ test = t.data, k = 1, linear = false }
	assert(its_own.test:find "training images" and its_own.knn == on_training.knn, its_own.test)
	local held_out = t:eval{ train = bright, test = dark, k = 1, linear = false }
	equal(held_out.train, tostring(bright))
	equal(held_out.test, tostring(dark))
end)

test("whitened kNN averages maps to 2 x 2 and reports its ridge", function()
	local train, held_out = data.shapes{ n = 200, size = 8, seed = 1 }, data.shapes{ n = 100, size = 8, seed = 2 }
	local e = nn.cnn{ channels = 3, widths = { 6 }, image = 8 }
	equal(eval.features(e, held_out, { pool = 2 }):size(2), 24)
	equal(eval.features(nn.sequential(e), held_out, { pool = 2 }):size(2), 24)
	equal(eval.features(nil, held_out, { pool = 2 }):size(2), 192)
	local a, details = eval.knn{ encoder = e, train = train, test = held_out, whiten = true }
	local b = eval.knn{ whiten = true, train = eval.features(e, train, { pool = 2 }), train_labels = train,
		test = eval.features(e, held_out, { pool = 2, like = train }), test_labels = held_out, ridge = details.ridge }
	equal(a, b)
	equal(details.held_out_accuracy > .1, true)
	equal(select(2, eval.knn{ train = train, test = held_out }).ridge, nil)
	local _, one = eval.knn{ train = train, test = held_out, whiten = true, ridge = .5 }
	equal(one.ridge, .5)
	equal(one.held_out_accuracy, nil)
end)

test("standardised kNN does not depend on units", function()
	local z = tensor{ { 1, 900 }, { -1, 1100 }, { 1, 1100 }, { -1, 900 } }
	local set = { train = z, train_labels = { 1, 2, 1, 2 }, test = tensor{ { 1, 1090 }, { -1, 910 } }, test_labels = { 1, 2 }, k = 1,
		standardise = true }
	equal(eval.knn(set), 1.0)
end)

test("the mean over mirror images does not depend on the side", function()
	local left = tensor.zeros(4, 1, 2, 2)
	left[{ 1, 1, 1, 1 }], left[{ 2, 1, 1, 2 }], left[{ 3, 1, 2, 1 }], left[{ 4, 1, 2, 2 }] = 1, 1, 1, 1
	local set = data.tensor(left, { 1, 1, 2, 2 })
	equal(eval.knn{ train = set:subset{ 1, 3 }, test = set:subset{ 2, 4 }, k = 1, flip = true }, 1.0)
	local f = eval.features(nil, set, { flip = true })
	equal(f[{ 1, 1 }], f[{ 2, 1 }])
	fails(function() eval.knn{ train = tensor.ones(2, 2), test = set, train_labels = { 1, 2 }, flip = true } end,
		"flip = true needs images", "train")
	fails(function() eval.knn{ train = set, test = set, ridge = 1 } end, "ridge", "whiten = true")
end)

-- Two overlapping clouds, in features of different scale, with `classes` classes.
local function clouds(n, classes)
	tensor.manual_seed(4)
	local x, labels = tensor.randn(n, 3), {}
	for i = 1, n do
		labels[i] = i % classes + 1
		x[{ i, 1 }] = x[{ i, 1 }] + labels[i]
	end
	return x * tensor{ { 1, 20, .1 } } + 5, labels
end

test("the probe returns weights for the unscaled features, and its prediction for each test row", function()
	for _, classes in ipairs{ 2, 4 } do
		local x, labels = clouds(120, classes)
		local y, truth = clouds(50, classes)
		local accuracy, d = eval.linear{ train = x, train_labels = labels, test = y, test_labels = truth, l2 = 2 }
		equal(tostring(d.weight:shape()), ("(%d, 3)"):format(classes))
		local logits, right = y:mm(d.weight:t()) + d.bias, 0
		for i = 1, 50 do
			equal(d.predictions[i], logits[i]:argmax() + 0.0)
			if d.predictions[i] == truth[i] then right = right + 1 end
		end
		equal(accuracy, right / 50)
	end
end)

-- At the returned weights, the gradient of the summed cross-entropy + l2 / 2 |W|^2 of standardised features is 0, for
-- two classes and for more.
test("l2 weighs half the squared norm of one row of weights per class", function()
	for _, classes in ipairs{ 2, 3 } do
		local x, labels = clouds(90, classes)
		local mean, std = x:mean(1), (x:var(1) * (89 / 90)):sqrt()
		local _, d = eval.linear{ train = x, train_labels = labels, test = x, test_labels = labels, l2 = 8, iterations = 1000 }
		local w = (d.weight * std):requires_grad(true)
		local z = (x - mean) / std
		local entropy = loss.cross_entropy(z:mm(w:t()) + d.bias + d.weight:mm(mean:reshape(3, 1)):reshape(classes), labels) * 90
		local before = (w * w):sum():item()
		equal(before > .01, true)
		entropy:backward()
		close(w.grad, d.weight * std * -8, .02, .05)
	end
end)

test("kNN returns its prediction for each query", function()
	local x, labels = clouds(60, 3)
	local y, truth = clouds(40, 3)
	local accuracy, d = eval.knn{ train = x, train_labels = labels, test = y, test_labels = truth, k = 5 }
	local right = 0
	for i = 1, 40 do
		if d.predictions[i] == truth[i] then right = right + 1 end
	end
	equal(accuracy, right / 40)
	local _, same = eval.knn{ train = x, train_labels = labels, test = x, test_labels = labels, k = 1 }
	for i = 1, 60 do equal(same.predictions[i], labels[i] + 0.0) end
	local _, white = eval.knn{ train = x, train_labels = labels, test = y, test_labels = truth, k = 5, whiten = true }
	equal(white.predictions:numel(), 40)
end)

tap.done()
