-- SPDX-License-Identifier: GPL-3.0-or-later
-- Compares examples/algorithm1.lua with loss.barlow in the dialect "algorithm1": losses and gradients of 20 steps.
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local algorithm1 = assert(loadfile(tap.root .. "examples/algorithm1.lua"))()

local LAMBDA, STEPS, N, D = .0051, 20, 32, 16

local function network()
	return nn.sequential(nn.flatten(), nn.linear(64, 48), nn.batchnorm1d(48), nn.relu(), nn.linear(48, D)):init(7)
end

-- Loss and gradients of a network's parameters for one batch.
local function gradients(f, y_a, y_b, loss_of)
	f:zero_grad()
	local loss = loss_of(f(y_a), f(y_b))
	loss:backward()
	local out = {}
	for name, p in f:parameters() do out[name] = p.grad:clone() end
	return loss:item(), out
end

local function compare(form)
	local ds = data.shapes{ n = 256, size = 8, channels = 1, seed = 3 }
	local loader = data.loader{ data = ds, views = aug.crop{ size = 8, scale = { .5, 1 } }, batch = N, steps = STEPS }
	local f = network()
	local ours = loss.barlow{ lambda = LAMBDA, dialect = "algorithm1", form = form }
	local optimizer = optim.sgd(f, { lr = .01 })
	local steps = 0
	for step, y_a, y_b in loader do
		local fused, expected = gradients(f, y_a, y_b, function(a, b) return (ours(a, b)) end)
		local plain, got = gradients(f, y_a, y_b, function(a, b) return algorithm1.loss(a, b, LAMBDA) end)
		tap.near(plain, fused, 1e-5 * fused, "loss of step " .. step)
		local largest = 0
		for _, g in pairs(expected) do largest = math.max(largest, g:abs():max():item()) end
		for name, g in pairs(expected) do
			local close, worst = got[name]:allclose(g, 1e-4, 1e-5 * largest)
			if not close then error(("gradient of %s at step %d differs by %g"):format(name, step, worst)) end
		end
		optimizer:step()
		steps = step
	end
	tap.equal(steps, STEPS, "steps")
end

tap.test("losses and gradients of 20 steps equal loss.barlow, direct form", function() compare "direct" end)
tap.test("losses and gradients of 20 steps equal loss.barlow, gram form", function() compare "gram" end)
tap.test("it learns", function()
	local losses = {}
	local ds = data.shapes{ n = 256, size = 8, channels = 1, seed = 3 }
	local loader = data.loader{ data = ds, views = aug.crop{ size = 8, scale = { .5, 1 } }, batch = N, steps = 60 }
	local f = network()
	algorithm1.train(f, loader, optim.adamw(f, { lr = 3e-3 }), LAMBDA, function(step, loss) losses[step] = loss end)
	tap.equal(#losses, 60)
	if losses[60] > .8 * losses[1] then error(("loss %g at first, %g at last"):format(losses[1], losses[60])) end
end)
tap.done()
