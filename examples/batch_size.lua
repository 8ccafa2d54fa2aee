-- SPDX-License-Identifier: GPL-3.0-or-later
--[[
How small may a batch be?  The Barlow Twins paper found its method robust: with batches of 256, it loses little
accuracy compared with 2048, while SimCLR loses much (Fig. 2).  This sweep compares batches from 32 to 512 that see the
same number of images of Fashion-MNIST, or of generated shapes, with three seeds each.

    barlow sweep run examples/batch_size.lua          runs the trials, or resumes them
    barlow examples/batch_size.lua [--figure FILE]    does the same, and saves the figure

BARLOW_QUICK=1 uses few images and steps, for a quick try.
]]
local quick = os.getenv "BARLOW_QUICK" == "1"
local fashion = not quick and pcall(data.fashion, { train = true })
local side = quick and 12 or 28

local s = sweep{
	name = "batch size",
	base = {
		data = fashion and data.fashion{ train = true } or data.shapes{ n = side * side * 25, size = side, channels = 1, seed = 1 },
		encoder = nn.cnn{ channels = 1, widths = quick and { 4, 8 } or { 16, 32, 64, 128 },
			strides = quick and { 1, 2 } or { 1, 2, 2, 2 }, image = side },
		projector = quick and { 16, 16 } or { 512, 512 },
		views = aug.compose{ aug.crop{ size = side, scale = { .4, 1 } }, aug.flip(.5),
			aug.jitter{ brightness = .6, contrast = .6, saturation = 0, hue = 0, p = 1 } },
		loss = loss.barlow{ lambda = .005 },
		optim = optim.adamw{ lr = 2e-3 },
		batch = quick and 64 or 256, epochs = quick and .1 or 1, seed = 1,
	},
	space = { batch = quick and { 32, 64 } or { 32, 64, 128, 256, 512 } },
	seeds = quick and 2 or 3,
	jobs = 2,
}

if not (arg and arg[0]) then return s end -- loaded by barlow sweep run, which runs the trials

local figure = arg[1] == "--figure" and arg[2] or "batch_size.svg"
s:run()
plot.sweep(s, "batch"):save(figure)
print("figure: " .. figure)
