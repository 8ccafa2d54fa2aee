-- SPDX-License-Identifier: GPL-3.0-or-later
-- The `nn`, `loss` and `optim` modules.
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local test, equal, close, near, fails = tap.test, tap.equal, tap.close, tap.near, tap.fails

local function shape(t) return "(" .. table.concat(t:shape(), ", ") .. ")" end

test("parameters and buffers print as a list of names and shapes", function()
	local net = nn.sequential(nn.linear(4, 3), nn.batchnorm1d(3))
	equal(tostring(net:parameters()), "0.weight  (3, 4)\n0.bias    (3,)\n1.weight  (3,)\n1.bias    (3,)")
	equal(tostring(net:buffers()):match "^[^\n]*", "1.running_mean         (3,)")
	equal(tostring(nn.relu():parameters()), "none")
	local names = {}
	for name, w in net:parameters() do names[#names + 1] = name .. w:numel() end
	equal(table.concat(names, " "), "0.weight12 0.bias3 1.weight3 1.bias3")
end)

test("layers have PyTorch's shapes", function()
	local x = tensor.randn(2, 4, 8, 8)
	equal(shape(nn.linear(3, 5)(tensor.randn(2, 3))), "(2, 5)")
	equal(shape(nn.conv2d(4, 6, 3, { padding = 1 })(x)), "(2, 6, 8, 8)")
	equal(shape(nn.conv2d{ 4, 6, kernel = 3, stride = 2, groups = 2, bias = false }(x)), "(2, 6, 3, 3)")
	equal(shape(nn.batchnorm2d(4)(x)), "(2, 4, 8, 8)")
	equal(shape(nn.batchnorm1d(3, { affine = false })(tensor.randn(5, 3))), "(5, 3)")
	equal(shape(nn.maxpool(2)(x)), "(2, 4, 4, 4)")
	equal(shape(nn.avgpool(3, { stride = 1, padding = 1 })(x)), "(2, 4, 8, 8)")
	equal(shape(nn.global_avgpool()(x)), "(2, 4, 1, 1)")
	equal(shape(nn.flatten()(x)), "(2, 256)")
	close(nn.relu()(tensor{ { -1, 2 } }), { { 0, 2 } })
	close(nn.identity()(tensor{ { -1, 2 } }), { { -1, 2 } })
	equal(shape(nn.residual(nn.conv2d(4, 4, 3, { padding = 1 }))(x)), "(2, 4, 8, 8)")
	equal(shape(nn.residual(nn.conv2d(4, 6, 1), nn.conv2d(4, 6, 1), { relu = false })(x)), "(2, 6, 8, 8)")
end)

test("max pooling propagates NaN, wherever it is in the window", function()
	for place = 1, 4 do
		local window = { 1, 2, 3, 4 }
		window[place] = 0 / 0
		local y = nn.maxpool(2)(tensor{ { { { window[1], window[2], 5, 7 }, { window[3], window[4], 8, 6 } } } })
		local v, other = y[1][1][1][1], y[1][1][1][2]
		if v == v then error(("a NaN at place %d became %g"):format(place, v)) end
		equal(other, 8.0)
	end
end)

test("networks", function()
	equal(shape(nn.cnn{ channels = 3, image = 32 }(tensor.randn(2, 3, 32, 32))), "(2, 2048)")
	local pooled = nn.cnn{ channels = 1, widths = { 4, 8 }, strides = { 2, 2 }, pool = true }
	equal(shape(pooled(tensor.randn(2, 1, 28, 28))), "(2, 8)")
	equal(shape(nn.mlp(12, { widths = { 5, 7 } })(tensor.randn(2, 12))), "(2, 7)")
	local r = nn.resnet{ depth = 18, stem = "small", width = 8 }
	equal(shape(r(tensor.randn(2, 3, 16, 16))), "(2, 64)")
	equal(r:features(3, 16, 16), 64)
	local names = {}
	for name in r:parameters() do names[name] = true end
	equal(names["layer1.0.conv1.weight"], true)
end)

test("parameters, modes, children, printing", function()
	local net = nn.sequential(nn.linear(4, 3), nn.batchnorm1d(3), nn.relu())
	local names = {}
	for name, p in net:parameters() do
		names[#names + 1] = name
		equal(p:requires_grad(), true)
	end
	equal(table.concat(names, " "), "0.weight 0.bias 1.weight 1.bias")
	names = {}
	for name in net:buffers() do names[#names + 1] = name end
	equal(names[1], "1.running_mean")
	equal(net:count(), 4 * 3 + 3 + 6)
	equal(#net, 3)
	equal(net[1].kind, "linear")
	equal(net.training, true)
	equal(net:eval().training, false)
	equal(net[2].training, false)
	equal(net:train().training, true)
	equal(net:train(false).training, false)
	equal(tostring(net), "nn.sequential( -- 21 parameters\n\tnn.linear{bias = true, inputs = 4, outputs = 3}, -- [1], 15 parameters\n"
		.. "\tnn.batchnorm1d{affine = true, eps = 1e-05, features = 3, momentum = 0.1}, -- [2], 6 parameters\n"
		.. "\tnn.relu() -- [3]\n)")
	fails(function() return net[4] end, "4")
	fails(function() return net:paramters() end, "did you mean 'parameters'")
end)

test("initialisation depends on the seed", function()
	local function weight(seed)
		local _, w = nn.linear(4, 4):init(seed):parameters()()
		return w
	end
	close(weight(3), weight(3), 0, 0)
	if weight(3):allclose(weight(4)) then error "two seeds gave the same weights" end
end)

test("weights are saved to a file and loaded", function()
	tap.with_file("", function(path)
		local a, b = nn.mlp(4, { widths = { 3, 2 } }):init(1), nn.mlp(4, { widths = { 3, 2 } }):init(2)
		a:save(path)
		b:load(path)
		local x = tensor.randn(3, 4)
		close(b:eval()(x), a:eval()(x), 0, 0)
		fails(function() nn.mlp(5, { widths = { 3, 2 } }):load(path) end, path)
	end)
end)

test("a training loop in a script learns, with each optimiser", function()
	local x = tensor.randn(64, 4)
	local y = x:mm(tensor{ { 1 }, { -2 }, { 3 }, { .5 } })
	for _, make in ipairs{ optim.sgd, optim.lars, optim.adamw } do
		local net = nn.linear(4, 1):init(1)
		local opt = make(net, { lr = make == optim.lars and 50 or .05 })
		local first, last
		for _ = 1, 100 do
			local l = ((net(x) - y) ^ 2):mean()
			opt:zero_grad()
			l:backward()
			opt:step()
			first, last = first or l:item(), l:item()
		end
		if last > .5 * first then error(("%s: loss %g at first, %g at last"):format(opt.kind, first, last)) end
	end
end)

test("optimisers on plain tensors, on several modules, with settings that change", function()
	local w = tensor{ 4 }:requires_grad(true)
	local opt = optim.sgd{ params = { w }, lr = .5, momentum = 0, weight_decay = 0 };
	(w * w):sum():backward()
	opt:step()
	close(w, { 0 })
	w:fill_(4)
	opt:zero_grad()
	opt.lr = .25
	equal(opt.lr, .25);
	(w * w):sum():backward()
	opt:step(.5)
	close(w, { 3 })
	local a, b = nn.linear(2, 2), nn.linear(2, 1)
	local both = optim.adamw({ a, b }, { lr = .1 })
	b(a(tensor.randn(3, 2))):sum():backward()
	both:step()
	fails(function() optim.sgd{ lr = 1 }:step() end, "no parameters")
	fails(function() opt.lrr = 1 end, "lrr", "did you mean 'lr'")
	fails(function() return optim.sgd(3) end, "params", "number 3")
end)

test("LARS with separate norms, computed by hand", function()
	local w = tensor{ { 3, 4 } }:requires_grad(true)
	local opt = optim.lars({ w }, { lr = .5, momentum = 0, weight_decay = .1, eta = .02, apart = true })
	opt:zero_grad();
	(w * tensor{ { .6, .8 } }):sum():backward()
	opt:step()
	-- .02 * 5 / (1 + .1 * 5) = 1 / 15 of the gradient {.9, 1.2}, times lr
	close(w, { { 2.97, 3.96 } }, 1e-6, 1e-6)
end)

test("the settings of the paper's authors and of solo-learn depend on the batch, and a recipe states them as optim.lars", function()
	local opt, times = optim.authors{ batch = 512 }
	equal(tostring(opt), tostring(optim.lars{ lr = .4, lr_bias = .0096, weight_decay = 1e-6, eta = .001 }))
	equal(times.warmup, 10.0)
	equal(times.schedule.kind, "cosine")
	equal(times.schedule.last, .001)
	local solo, when = optim.solo{ batch = 512 }
	equal(tostring(solo), tostring(optim.lars{ lr = .6, lr_bias = 0, weight_decay = 1e-4, eta = .02, clip = true, apart = true }))
	equal(when.schedule.last, 0.0)
	solo.lr = .5
	local t = trainer{ data = data.shapes{ n = 64, size = 8, channels = 1 }, encoder = nn.cnn{ widths = { 4 }, image = 8 },
		projector = { 8 }, batch = 32, folder = false, optim = solo, schedule = when.schedule, warmup = when.warmup }
	equal(t.recipe.optim.clip, true)
	equal(t.recipe.optim.lr, .5)
	equal(tostring(trainer(t.recipe).recipe), tostring(t.recipe))
	fails(function() return optim.authors{ batch = 0 } end, "optim.authors", "batch")
end)

test("an optimiser has its kind's parameters, checks them, and prints as the code that makes it", function()
	local opt = optim.adamw{ lr = 1 / 3, beta2 = .99, decay_all = true }
	equal(opt.beta2, .99)
	equal(opt.decay_all, true)
	fails(function() return opt.momentum end, "momentum")
	opt.eps = 1e-6
	equal(tostring(load("return " .. tostring(opt))()), tostring(opt))
	equal(load("return " .. tostring(opt))().lr, 1 / 3)
	fails(function() return optim.sgd{ momentum = 1 } end, "'momentum' must be a number of at least 0 and below 1, got 1")
	fails(function() return optim.sgd{ nesterov = 1 } end, "'nesterov' must be true or false")
	fails(function() return optim.adamw{ momentum = .9 } end, "unknown key 'momentum'")
end)

test("schedules", function()
	local s = optim.schedule{ steps = 100, warmup = 10, last = .001 }
	for step = 0, 9 do near(s(step), step / 10, 1e-6) end
	for _, step in ipairs{ 10, 20, 55, 60, 99 } do
		near(s(step), .001 + .999 * (1 + math.cos(math.pi * (step - 10) / 90)) / 2, 1e-6)
	end
	equal(optim.schedule{ kind = "constant", steps = 10 }(5), 1.0)
	fails(function() return optim.schedule{ kind = "linear", steps = 1 } end, "constant, cosine")
	fails(function() return optim.schedule{ kind = "constant", steps = 1, last = .1 } end, "unknown key 'last'")
end)

test("losses by their names: settings, more views, printed text that makes them again", function()
	local z = {}
	for i = 1, 3 do z[i] = tensor.randn(12, 5) end
	local l = loss.barlow{ lambda = .1, dialect = "algorithm1" }
	local three, terms = l(z[1], z[2], z[3])
	near(three:item(), (l(z[1], z[2]) + l(z[1], z[3]) + l(z[2], z[3])):item(), 1e-3)
	near(terms.total, three:item(), 1e-3)
	equal(l.kind, "barlow")
	equal(tostring(load("return " .. tostring(l))()), tostring(l))
	equal(loss.vicreg{ cov = 1 / 3 }.cov, 1 / 3)
	near(l:floor(4, 64, 3), 3 * l:floor(4, 64), 1e-9)
	equal(loss.barlow{}:floor(64, 4), 0.0)
	local none = loss.vicreg{}:floor(4, 64)
	equal(none ~= none, true)
	fails(function() return l(z[1]) end, "loss.barlow", "1 views")
	fails(function() return l.mu end, "mu")
	fails(function() return loss.vicreg{ lambda = 1 } end, "loss.vicreg", "unknown key 'lambda'")
end)

test("the loss: terms, forms, dialects, gradient", function()
	local za, zb = tensor.randn(16, 8):requires_grad(true), tensor.randn(16, 8)
	local l, terms = loss.barlow{ lambda = .01, scale = .5 }(za, zb)
	near(l:item(), terms.total, 1e-4)
	near(terms.total, .5 * (terms.invariance + .01 * terms.redundancy), 1e-6)
	l:backward()
	equal(shape(za.grad), "(16, 8)")
	local direct, gram = loss.barlow{ form = "direct" }(za, zb), loss.barlow{ form = "gram" }(za, zb)
	near(direct:item(), gram:item(), 1e-4)
	local hsic = loss.barlow{ dialect = "hsic" }
	equal(hsic.dialect, "hsic")
	equal(loss.barlow{}.lambda, .0051)
	local c = loss.correlation(za, zb)
	near(((1 - c:diag()) ^ 2):sum():item(), terms.invariance, 1e-4)
	near(loss.cross_entropy(tensor{ { 0, 0 } }, { 1 }):item(), math.log(2), 1e-6)
	near(loss.barlow{ lambda = .005 }:floor(256, 8192), 1103, 1)
end)

test("invalid arguments: errors name the key and the nearest valid one, or both shapes", function()
	fails(function() return loss.barlow{ lamda = 1 } end, "loss.barlow", "unknown key 'lamda'", "did you mean 'lambda'")
	fails(function() return loss.barlow{ lambda = -1 } end, "lambda", "at least 0", "-1")
	fails(function() return loss.barlow{ lambda = "x" } end, "'lambda' must be a number", "string 'x'")
	fails(function() return loss.barlow{ form = "gramm" } end, "auto, direct, gram", "gramm")
	fails(function() return loss.barlow{}(tensor.zeros(4, 3), tensor.zeros(4, 2)) end, "(4, 3)", "(4, 2)")
	fails(function() return loss.barlow{}(tensor.zeros(1, 3), tensor.zeros(1, 3)) end, "(1, 3)")
	fails(function() return nn.linear(3) end, "outputs")
	fails(function() return nn.linear(3, 4, 5) end, "one too many")
	fails(function() return nn.linear(3, 4, { bais = true }) end, "did you mean 'bias'")
	fails(function() return nn.linear(3, 4, { bias = 1 }) end, "true or false", "number 1")
	fails(function() return nn.linear(3.5, 4) end, "integer", "3.5")
	fails(function() return nn.linear(0, 4) end, "'inputs'", "an integer between 1 and")
	fails(function() return nn.resnet{ depth = 19 } end, "19")
	fails(function() return nn.resnet{ stem = "tiny" } end, "large, small")
	fails(function() return nn.cnn{ widths = { 1, 2 }, strides = { 1 } } end, "1 strides for 2 widths")
	fails(function() return nn.cnn{ widths = 5 } end, "list of 1 to 64 integers")
	fails(function() return nn.sequential(nn.relu(), 3) end, "item 2", "number 3")
	fails(function() return nn.linear(4, 3)(tensor.zeros(2, 5)) end, "(2, 5)", "(N, 4)")
	fails(function() return nn.sequential(nn.relu(), nn.linear(4, 3))(tensor.zeros(2, 5)) end, "[2] (linear 4 -> 3)", "(2, 5)", "(N, 4)")
	fails(function() return nn.conv2d(3, 4, 3)(tensor.zeros(2, 1, 5, 5)) end, "(2, 1, 5, 5)")
	fails(function() return nn.linear(4, 3)(7) end, "tensor expected, got number")
	fails(function() return loss.cross_entropy(tensor.zeros(1, 2), { 3 }) end, "3", "1..2")
	fails(function() return optim.adamw{ lr = 1, momentum = 1 } end, "unknown key 'momentum'")
end)

test("a convolution's filter has rows and columns, and may be dilated", function()
	local x = tensor.randn(2, 4, 9, 8)
	local m = nn.conv2d(4, 6, { 1, 5 }, { padding = 2 })
	equal(shape(m(x)), "(2, 6, 13, 8)")
	equal(shape(select(2, m:parameters()())), "(6, 4, 1, 5)")
	equal(tostring(m):find("kernel = {1, 5}", 1, true) ~= nil, true)
	equal(shape(nn.conv2d(4, 6, { 3, 2 })(x)), "(2, 6, 7, 7)")
	equal(shape(nn.conv2d{ inputs = 4, outputs = 6, kernel = 3, dilation = 3 }(x)), "(2, 6, 3, 2)")
	-- taps 2 apart on all pixels equal adjacent taps on every second pixel
	local wide, near = nn.conv2d(1, 1, 3, { dilation = 2 }), nn.conv2d(1, 1, 3)
	local _, w = near:parameters()()
	local _, v = wide:parameters()()
	v:copy_(w)
	for name, b in near:parameters() do if name == "bias" then b:fill_(0) end end
	for name, b in wide:parameters() do if name == "bias" then b:fill_(0) end end
	local image = tensor.randn(1, 1, 7, 7)
	local thin = tensor.stack({ image[1][1][1], image[1][1][3], image[1][1][5], image[1][1][7] }, 1)
	thin = tensor.stack({ thin:select(2, 1), thin:select(2, 3), thin:select(2, 5), thin:select(2, 7) }, 2):reshape(1, 1, 4, 4)
	local near_one = near(thin):reshape(4)
	local all = wide(image)
	close(tensor{ all[1][1][1][1], all[1][1][1][3], all[1][1][3][1], all[1][1][3][3] }, near_one, 1e-5, 1e-5)
	fails(function() return nn.conv2d(1, 1, { 1, 2, 3 }) end, "'kernel' must be a list of 1 to 2 numbers")
	fails(function() return nn.conv2d(1, 1, 2.5) end, "'kernel' must be one or two whole numbers, got 2.5")
	fails(function() return nn.conv2d(1, 1, 3, { dilation = 0 }) end, "'dilation'")
	fails(function() return nn.conv2d(4, 1, 3, { dilation = 5 })(x) end, "dilated by 5", "larger than images")
end)

test("the stem's padding is torchvision's, or solo-learn's", function()
	local image = tensor.randn(2, 3, 8, 8)
	local function first(settings)
		settings.width = 4
		return shape(nn.resnet(settings)[1](image))
	end
	equal(first{}, "(2, 4, 8, 8)")
	equal(first{ stem_padding = 2 }, "(2, 4, 10, 10)")
	equal(first{ stem = "large" }, "(2, 4, 4, 4)")
	equal(first{ stem = "large", stem_padding = 1 }, "(2, 4, 2, 2)")
	equal(tostring(nn.resnet{ width = 4, stem_padding = 2 }):find(".conv1: nn.conv2d(3, 4, 3, {padding = 2, bias = false})", 1, true) ~= nil, true)
	fails(function() return nn.resnet{ stem_padding = -1 } end, "'stem_padding'")
end)

test("recipes rebuild such convolutions", function()
	local recipe = require "barlow.recipe"
	for _, m in ipairs{ nn.conv2d(2, 3, { 1, 5 }, { dilation = 2 }), nn.conv2d(2, 3, 3), nn.resnet{ width = 4, stem_padding = 2 } } do
		local again = load("return " .. recipe.text(recipe.copy(m)))()
		equal(tostring(again), tostring(m))
	end
end)

tap.test("modules nest so deep, and hold so many, and no more", function()
	local m = nn.relu()
	for _ = 1, 499 do m = nn.sequential(m) end
	tap.equal(m(tensor.zeros(1, 2)):sum():item(), 0)
	tap.fails(function() nn.sequential(m) end, "nested at most 500 levels deep")
	m = nn.relu()
	tap.fails(function() for _ = 1, 60 do m = nn.sequential(m, m) end end, "1048576 modules")
end)

tap.test("an object that was ended is none any more", function()
	for _, v in ipairs{ tensor.zeros(1), nn.relu(), data.shapes{ n = 4 }, loss.barlow{}, optim.adamw{}, aug.flip(.5) } do
		local gc = debug.getmetatable(v).__gc
		gc(v)
		assert(not pcall(gc, v))
		assert(not pcall(function() return v.kind or v:shape() end))
	end
	collectgarbage()
end)

tap.done()
