-- SPDX-License-Identifier: GPL-3.0-or-later
--[[
Does a wider projector help?  The Barlow Twins paper found that accuracy keeps rising with the dimension of the embeddings, where
other methods level off (Fig. 4).  This sweep compares projectors of two layers on Fashion-MNIST, or on generated shapes, with three seeds
each.

    barlow sweep run examples/projector_width.lua          runs the trials, or resumes them
    barlow examples/projector_width.lua [--figure FILE]    does the same, and saves the figure

BARLOW_QUICK=1 uses few images and steps, for a quick try.
]]
local quick = os.getenv "BARLOW_QUICK" == "1"
local fashion = not quick and pcall(data.fashion, { train = true })
local side, steps, batch = quick and 12 or 28, quick and 6 or 250, quick and 64 or 256

local s = sweep{
	name = "projector width",
	space = { width = quick and { 8, 16 } or { 32, 64, 128, 256, 512, 1024 } },
	seeds = quick and 2 or 3,
	jobs = 2,
	trial = function(p)
		return {
			data = fashion and data.fashion{ train = true } or data.shapes{ n = side * side * 25, size = side, channels = 1, seed = 1 },
			encoder = nn.cnn{ channels = 1, widths = { 16, 32, 64, 128 }, strides = { 1, 2, 2, 2 }, image = side },
			projector = { p.width, p.width },
			views = aug.compose{ aug.crop{ size = side, scale = { .4, 1 } }, aug.flip(.5),
				aug.jitter{ brightness = .6, contrast = .6, saturation = 0, hue = 0, p = 1 } },
			loss = loss.barlow{ lambda = .005 },
			optim = optim.adamw{ lr = 2e-3 },
			batch = batch, steps = steps, seed = 1,
		}
	end,
}

if not (arg and arg[0]) then return s end -- loaded by barlow sweep run, which runs the trials

local figure = arg[1] == "--figure" and arg[2] or "projector_width.svg"
s:run()
plot.sweep(s, "width"):save(figure)
print("figure: " .. figure)
