-- SPDX-License-Identifier: GPL-3.0-or-later
-- epoch.lua: trains one epoch of the main job, with loading and augmentation, and prints its seconds.
local train = data.fashion{ train = true }
local t = trainer{
	data = train, folder = false,
	encoder = nn.cnn{ channels = 1, widths = { 16, 32, 64, 128 }, strides = { 1, 2, 2, 2 }, image = 28 },
	projector = { 512, 512 },
	views = aug.compose{ aug.crop{ size = 28, scale = { .4, 1 } }, aug.flip(.5),
		aug.jitter{ brightness = .4, contrast = .4, saturation = 0, hue = 0, p = 1 } },
	loss = loss.barlow{ lambda = .005 }, optim = optim.adamw{ lr = 1e-3 }, schedule = "cosine", batch = 256, epochs = 1,
}
t:start()
t:wait()
print(("%.2f"):format(t:record(t.iteration).time))
