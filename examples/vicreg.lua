-- SPDX-License-Identifier: GPL-3.0-or-later
--[=[
A loss written in Lua: VICReg (Bardes, Ponce, LeCun 2022) as a function, which the trainer uses like a built-in loss.

    barlow examples/vicreg.lua [STEPS [FOLDER]]

FOLDER is the folder of the run (default: a new one among all runs): `barlow watch FOLDER` shows the run, `barlow resume FOLDER`
continues it. Its three terms are columns of the run's records; t:set{cov = 2}, or + and - on the screen, change a weight while
it trains. loss.vicreg{} is the same loss in C.
]=]
local steps, folder = tonumber(arg[1] or 300), arg[2]

local vicreg = loss.func{ function(za, zb, p)
	local n, d = za:size(1), za:size(2)
	local function variance(z) return (1 - (z:var(1) + 1e-4):sqrt()):relu():mean() end
	local function covariance(z)
		local centred = z - z:mean(1, true)
		local c = centred:t():mm(centred) / (n - 1)
		return ((c ^ 2):sum() - (c:diag() ^ 2):sum()) / d
	end
	return {
		invariance = p.sim * ((za - zb) ^ 2):mean(),
		variance = p.std * (variance(za) + variance(zb)) / 2,
		covariance = p.cov * (covariance(za) + covariance(zb)),
	}
end, parameters = { sim = { default = 25, min = 0 }, std = { default = 25, min = 0 }, cov = { default = 1, min = 0 } },
	terms = { "invariance", "variance", "covariance" }, turn = "cov", name = "vicreg" }

local t = trainer{
	name = "vicreg", folder = folder, data = data.shapes{ n = 1024, size = 16, channels = 1, seed = 1 },
	encoder = nn.cnn{ channels = 1, widths = { 8, 16 }, image = 16 }, projector = { 64, 64 }, views = aug.paper{ size = 16 },
	loss = vicreg, optim = optim.adamw{ lr = 1e-3 }, batch = 64, steps = steps, seed = 1,
}
t:run()
print(t)
