-- SPDX-License-Identifier: GPL-3.0-or-later
--[[
How much does lambda matter?  This sweep trains the encoder of examples/first_light.lua on Fashion-MNIST (on data.shapes if
that is not installed) with seven values of lambda and three seeds each.  It prints a table with intervals and saves a
figure of the metric over lambda.

    barlow sweep run examples/lambda_sweep.lua          runs the trials, or resumes them
    barlow examples/lambda_sweep.lua [--figure FILE]    does the same, and saves the figure

BARLOW_QUICK=1 uses few images and steps, for a quick try.
]]
local quick = os.getenv "BARLOW_QUICK" == "1"

local found, train = pcall(data.fashion, { train = true })
if quick or not found then
	train = data.shapes{ n = quick and 400 or 20000, size = quick and 12 or 28, channels = 1, seed = 1 }
end
local side = train.width

local s = sweep{
	name = "lambda",
	base = {
		data = train,
		encoder = nn.cnn{ channels = 1, widths = quick and { 4, 8 } or { 16, 32, 64, 128 },
			strides = quick and { 1, 2 } or { 1, 2, 2, 2 }, image = side },
		projector = quick and { 16, 16 } or { 512, 512 },
		views = aug.compose{ aug.crop{ size = side, scale = { .4, 1 } }, aug.flip(.5),
			aug.jitter{ brightness = .6, contrast = .6, saturation = 0, hue = 0, p = 1 } },
		loss = loss.barlow{ lambda = .005 },
		optim = optim.adamw{ lr = 2e-3 },
		batch = quick and 64 or 256, steps = quick and 6 or 250, seed = 1,
	},
	space = { ["loss.lambda"] = { .0002, .0005, .0015, .005, .015, .05, .15 } },
	seeds = quick and 2 or 3,
	jobs = 2,
}

if not (arg and arg[0]) then return s end -- loaded by barlow sweep run, which runs the trials

local figure = arg[1] == "--figure" and arg[2] or "lambda.svg"
s:run()
plot.sweep(s, "loss.lambda"):save(figure)
print("figure: " .. figure)
