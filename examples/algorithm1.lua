-- SPDX-License-Identifier: GPL-3.0-or-later
--[[
Algorithm 1 of the Barlow Twins paper (Zbontar et al. 2021), line for line, on
tensors with automatic differentiation. It does not use loss.barlow.

    barlow examples/algorithm1.lua [STEPS]

When another program loads this file, as the test does, it returns its functions.
]]
local algorithm1 = {}

-- The listing's off_diagonal(x).mul_(lambda), but not in place: returns x with its off-diagonal elements times lambda.
local function weigh_off_diagonal(x, lambda)
	local eye = tensor.eye(#x)
	return x * (eye + (1 - eye) * lambda)
end

-- The loss of the embeddings z_a and z_b, (N, D) each.
function algorithm1.loss(z_a, z_b, lambda)
	local N, D = z_a:size(1), z_a:size(2)
	-- normalize repr. along the batch dimension
	local z_a_norm = (z_a - z_a:mean(1)) / z_a:std(1) -- NxD
	local z_b_norm = (z_b - z_b:mean(1)) / z_b:std(1) -- NxD
	-- cross-correlation matrix
	local c = z_a_norm:t():mm(z_b_norm) / N -- DxD
	-- loss
	local c_diff = (c - tensor.eye(D)):pow(2) -- DxD
	-- multiply off-diagonal elems of c_diff by lambda
	c_diff = weigh_off_diagonal(c_diff, lambda)
	return c_diff:sum()
end

-- f: encoder and projector as one network; loader: iterates over (step, first views, second views); lambda: weight of the
-- off-diagonal terms; on_step(step, loss): called after each step
function algorithm1.train(f, loader, optimizer, lambda, on_step)
	for step, y_a, y_b in loader do -- load a batch with N samples, two randomly augmented versions of each
		-- compute embeddings
		local z_a = f(y_a) -- NxD
		local z_b = f(y_b) -- NxD
		local loss = algorithm1.loss(z_a, z_b, lambda)
		-- optimization step
		optimizer:zero_grad()
		loss:backward()
		optimizer:step()
		on_step(step, loss:item())
	end
end

local function main(steps)
	local ds = data.shapes{ n = 2048, size = 28, channels = 1, seed = 1 }
	local f = nn.sequential(nn.cnn{ channels = 1, image = 28 }, nn.mlp(2048, { widths = { 128, 128 } }))
	local views = aug.paper{ size = 28, scale = { .4, 1 }, blur = 0, solarize = 0 }
	local loader = data.loader{ data = ds, views = views, batch = 128, steps = steps }
	print(("%d parameters, %d steps"):format(f:count(), steps))
	algorithm1.train(f, loader, optim.adamw(f, { lr = 1e-3 }), .0051, function(step, loss)
		print(("step %3d  loss %.4f"):format(step, loss))
	end)
end

if arg and arg[0] and arg[0]:match "[^/]*$" == "algorithm1.lua" then
	main(math.tointeger(tonumber(arg[1] or 40)) or error "STEPS must be an integer")
end

return algorithm1
