-- SPDX-License-Identifier: GPL-3.0-or-later
-- precision.lua: compares loss curves in float32 and in bf16; prints a Markdown table.
--
--     barlow bench/precision.lua cnn|mlp [STEPS [SEEDS]]
local steps, seeds = tonumber(arg[2]) or 468, tonumber(arg[3]) or 3
local train, test = data.fashion{ train = true }, data.fashion{ train = false }
local views = aug.compose{ aug.crop{ size = 28, scale = { .4, 1 } }, aug.flip(.5),
	aug.jitter{ brightness = .6, contrast = .6, saturation = 0, hue = 0, p = 1 } }
local recipe = ({
	cnn = { "The main job's: CNN, projector 2048-512-512", { 512, 512 },
		function() return nn.cnn{ channels = 1, widths = { 16, 32, 64, 128 }, strides = { 1, 2, 2, 2 }, image = 28 } end },
	mlp = { "Linear layers alone: MLP 784-512-512, projector 512-2048-2048-2048", { 2048, 2048, 2048 },
		function() return nn.mlp(784, { widths = { 512, 512 }, last_plain = false, flatten = true }) end },
})[arg[1]] or error "usage: barlow bench/precision.lua cnn|mlp [STEPS [SEEDS]]"

local function run(precision, seed)
	local t = trainer{
		data = train, folder = false, encoder = recipe[3]():init(seed), projector = recipe[2], views = views,
		loss = loss.barlow{ lambda = .005 }, optim = optim.adamw{ lr = 2e-3 }, batch = 256, steps = steps, seed = seed,
		precision = precision,
		knn = { every = steps / (#train // 256), refs = train:subset(1, 20000), queries = test },
	}
	t:start()
	t:wait()
	return t
end

-- Returns the mean over the ten steps up to n, because the noise of one batch is larger than the difference of
-- interest.
local function total(t, n)
	local sum, first = 0, math.max(1, n - 9)
	for i = first, n do sum = sum + t:record(i).total end
	return sum / (n - first + 1)
end

local function row(head, twins, value, form)
	local cells = { head }
	for _, p in ipairs(twins) do
		cells[#cells + 1] = (form .. " / " .. form):format(value(p[1]), value(p[2]))
	end
	print("| " .. table.concat(cells, " | ") .. " |")
	io.flush()
end

local twins, heads = {}, { "float32 / bf16" }
for seed = 1, seeds do
	twins[seed] = { run("float32", seed), run("bf16", seed) }
	heads[#heads + 1] = "seed " .. seed
end
print(("%s:\n\n| %s |\n|%s"):format(recipe[1], table.concat(heads, " | "), (" --- |"):rep(#heads)))
row("total, step 1", twins, function(t) return t:record(1).total end, "%.3f")
for _, part in ipairs{ .05, .1, .25, .5, .75, 1 } do
	local n = math.max(10, math.floor(part * steps + .5))
	row(("total, steps %d to %d"):format(n - 9, n), twins, function(t) return total(t, n) end, "%.3f")
end
row("kNN", twins, function(t) return t:record(steps).knn end, "%.4f")
