-- SPDX-License-Identifier: GPL-3.0-or-later
-- data.vectors: vectors of features, their augmentations, and a run on them from end to end.
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local test, equal, near, close, fails = tap.test, tap.equal, tap.near, tap.close, tap.fails

-- n vectors of d features around k centres, at positions and scales far from 0 and 1.
local function clusters(n, d, k, spread)
	tensor.manual_seed(3)
	local centres, labels = tensor.randn(k, d), {}
	for i = 1, n do labels[i] = i % k + 1 end
	local x = (centres:rows(tensor(labels)) + tensor.randn(n, d) * spread)
	return x * (tensor.arange(1, d + 1) * 5) + 7, labels
end

test("features are standardised by their own statistics, by another set's, or not at all", function()
	local x, labels = clusters(60, 5, 3, .5)
	local ds = data.vectors(x, labels)
	equal(tostring(ds):match "[^\n]*", "vectors: 60 vectors of 5 features, 3 classes")
	equal(ds[4].label, 2)
	local z = (x - x:mean(1, true)) / (x - x:mean(1, true)):pow(2):mean(1, true):sqrt()
	for _, i in ipairs{ 1, 33, 60 } do close(ds[i].image[1][1], z[i], 1e-4, 1e-4) end
	local plain = data.vectors(x, { standardise = false })
	close(plain[9].image[1][1], x[9], 0, 0)
	equal(#plain.classes, 0)
	close(data.vectors(x:narrow(1, 1, 7), { like = ds })[7].image, ds[7].image, 1e-5, 1e-5)
	close(data.vectors(tensor.full({ 3, 2 }, 4))[1].image[1][1], tensor{ 0, 0 }, 0, 0)
end)

test("arrays that are not sets of vectors are refused", function()
	fails(function() data.vectors(tensor.rand(3, 1, 2, 2)) end, "shape (3, 1, 2, 2), expected (N, D)")
	fails(function() data.vectors(tensor{ { 1, 0 / 0 } }) end, "feature 2 of vector 1 is", "expected a finite number")
	fails(function() data.vectors(tensor.rand(3, 2), { 1, 2 }) end, "2 labels for 3")
	fails(function() data.vectors(tensor.rand(3, 2), { 1, 2, 0 }) end, "label 3 is 0")
	fails(function() data.vectors(tensor.rand(3, 2), { like = data.vectors(tensor.rand(3, 4)) }) end, "2 features like vectors, which has 4")
	fails(function() data.vectors(tensor.rand(3, 2), { like = data.shapes{ n = 3, size = 8 } }) end, "no set of vectors")
	fails(function() data.vectors(tensor.rand(3, 2)):concat(data.vectors(tensor.rand(3, 4))) end, "vectors with the same number of features")
	fails(function() aug.feature_mix(data.shapes{ n = 3, size = 8 }) end, "no set of vectors")
end)

test("augmentations of vectors work as documented, and image operators refuse vectors", function()
	local x = tensor.randn(1, 1, 4000) * 50
	local masked = aug.feature_mask{ p = .25, value = -3 }(x, 1)
	local left_out = masked:eq(-3):mean():item()
	near(left_out, .25, .03)
	close(tensor.where(masked:eq(-3), x, masked), x, 0, 1e-5)
	local noisy = aug.feature_noise(2)(x, 1) - x
	near(noisy:mean():item(), 0, .15)
	near(noisy:pow(2):mean():sqrt():item(), 2, .1)
	local others = data.vectors(tensor.full({ 5, 4000 }, 9), { standardise = false })
	local mixed = aug.feature_mix{ from = others, p = .6 }(x, 1)
	near(mixed:eq(9):mean():item(), .6, .03)
	fails(function() aug.feature_mix(data.vectors(tensor.rand(2, 3)))(x, 1) end, "a vector of 3 features")
	local ds = data.vectors(tensor.rand(64, 8))
	fails(function() data.loader{ data = ds, views = aug.compose{ aug.feature_mask(), aug.flip() }, batch = 32 } end,
		"vectors, view 1: operator 2 (flip) is for images, not for vectors")
	fails(function() data.loader{ data = ds, views = aug.random_apply(aug.blur(), .5), batch = 32 } end, "is for images")
	for _, a in data.loader{ data = ds, batch = 32, views = aug.compose{ aug.random_apply(aug.feature_noise(), .5),
		aug.func(function(v) return v * 2 end), aug.feature_mix(ds) } } do equal(a:size(4), 8) end
end)

test("a run on features from end to end: classes are separated better than without training, and it is resumed", function()
	local x, labels = clusters(600, 20, 3, .7)
	local noise = tensor.randn(600, 20) * 300 -- as many features without information
	local train, held = data.vectors(x:cat(noise, 2), labels):split(.8, 1)
	local folder = os.tmpname()
	os.remove(folder)
	local function run(place)
		return trainer{ data = train, encoder = nn.mlp(40, { widths = { 64, 16 }, flatten = true }), projector = { 32, 32 }, batch = 96,
			epochs = 12, seed = 2, folder = place, views = aug.repeated(aug.compose{ aug.feature_mix(train, .4), aug.feature_noise(.2) }, 2) }
	end
	local t, cut = run(false), run(folder)
	local function knn() return eval.knn{ train = train, test = held, encoder = t.encoder, k = 10 } end
	local untrained = knn()
	t:run{ quiet = true }
	equal(t.iteration, 60)
	local accuracy = knn()
	assert(accuracy > .7, "kNN of the trained features: " .. accuracy)
	assert(accuracy > untrained + .05, ("kNN of the trained features %g, of the untrained %g"):format(accuracy, untrained))
	tap.stop_at(cut, 7)
	local again = runs.resume(folder)
	again:step(53)
	for i = 1, 60 do equal(again:record(i).total, t:record(i).total, "loss of step " .. i) end
	os.execute(("rm -r '%s'"):format(folder))
end)

test("feature views are the default", function()
	local t = trainer{ data = data.vectors(tensor.rand(64, 8)), encoder = nn.mlp(8, { widths = { 8, 4 }, flatten = true }),
		projector = { 8 }, batch = 32, epochs = 1, folder = false }
	equal(tostring(t.recipe.views), "aug.features{mask = 0.2, noise = 0.1}")
	equal(tostring(aug.feature_mask(.5)), "aug.feature_mask{p = 0.5, value = 0}")
end)

tap.done()
