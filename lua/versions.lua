-- SPDX-License-Identifier: GPL-3.0-or-later
--[[
versions.lua: reads recipes of earlier versions.

A recipe states its version, trainer{barlow = "0.2.0", ...}, and every setting.  Recipes of 0.1 state neither: their omitted
settings have the defaults of 0.1, which are listed here, so that later defaults may differ.  A recipe of a later version than
this program may contain unknown settings, and is refused.
]]
local native = require "barlow.native"

local versions = { here = native.version }

-- The defaults of 0.1 by the name of the call; only for calls with named settings, since others have no defaults.
local first = {
	["trainer"] = { batch = 256, epochs = 10, seed = 0, schedule = "cosine", warmup = 0, last = .001, clip = 0,
		precision = "float32", projector = { 512, 512, 512 } },
	["loss.barlow"] = { lambda = .0051, scale = 1, form = "auto", dialect = "paper" },
	["optim.sgd"] = { lr = .06, momentum = .9, weight_decay = 5e-4, nesterov = false },
	["optim.lars"] = { lr = .2, lr_bias = .0048, momentum = .9, weight_decay = 1e-6, eta = .001 },
	["optim.adamw"] = { lr = 1e-3, weight_decay = 1e-2, beta1 = .9, beta2 = .999, eps = 1e-8, decay_all = false },
	["nn.cnn"] = { channels = 1, widths = { 16, 32, 64, 128 }, image = 28, pool = false },
	["nn.resnet"] = { depth = 18, stem = "small", channels = 3, width = 64, zero_init = false, classes = 0 },
	["aug.crop"] = { size = 224, scale = { .08, 1 }, ratio = { 3 / 4, 4 / 3 } },
	["aug.flip"] = { p = .5 },
	["aug.jitter"] = { brightness = .4, contrast = .4, saturation = .2, hue = .1, p = .8 },
	["aug.grayscale"] = { p = .2 },
	["aug.blur"] = { sigma = { .1, 2 }, p = 1 },
	["aug.solarize"] = { threshold = 128 / 255, p = .2 },
	["aug.affine"] = { degrees = 10, translate = .1, scale = { .9, 1.1 }, p = .5, backend = "pil" }, -- 0.1 had the edges of PIL
	["aug.noise"] = { std = .05, p = .5 },
	["aug.cutout"] = { p = .5 },
	["data.folder"] = { channels = 3, labels = true, skip_broken = false, full_scale = false, endings = "jpg jpeg png" },
	["data.shapes"] = { n = 10000, size = 32, channels = 3, seed = 0 },
	["data.fashion"] = { train = true, folder = "/usr/share/datasets/fashion-mnist" },
}

local LONGEST = 32 -- greatest number of characters of a version

-- Parses a version such as 0.2.0 or 0.3.1-rc1.
local function numbers(text)
	local major, minor, rest = text:match "^(%d+)%.(%d+)([0-9A-Za-z.+-]*)$"
	if not major or #text > LONGEST or (rest ~= "" and not rest:find "^[.+-]") then return nil end
	return tonumber(major), tonumber(minor)
end

-- Raises an error for an invalid version, and for a later one.
function versions.check(version)
	local major, minor = numbers(version)
	if not major then
		error(("barlow = %q is not a version: expected one such as %q"):format(version:sub(1, LONGEST), versions.here), 0)
	end
	local here_major, here_minor = numbers(versions.here)
	if major > here_major or (major == here_major and minor > here_minor) then
		error(("the recipe was written by barlow %s, this is barlow %s: it may have settings that this version does not know"):format(version,
			versions.here), 0)
	end
end

-- Sets the omitted settings in a recipe that was read as data, in place; descriptions have the call's name in their metatables.
local function fill(d)
	if type(d) ~= "table" then return end
	local meta = getmetatable(d)
	local defaults = meta and meta.call and (meta.single or meta.n == 0) and first[meta.call]
	for k, v in pairs(defaults or {}) do
		if d[k] == nil and not (meta.call == "trainer" and k == "epochs" and d.steps) then d[k] = v end
	end
	if defaults then meta.single, meta.n = true, 1 end
	for _, v in pairs(d) do fill(v) end
end

local function described(name)
	return setmetatable({}, { call = name, single = true, n = 1, result = 1, results = 1 })
end

-- Adds the settings that a recipe of 0.1, as read by recipe.read, omits.  Raises an error for a later version.
function versions.complete(r)
	if r.barlow ~= nil then
		versions.check(tostring(r.barlow))
		return r
	end
	if r.loss == nil then r.loss = described "loss.barlow" end
	if r.optim == nil then r.optim = described "optim.adamw" end
	fill(r)
	return r
end

-- Returns the notice for resuming a run of that version, or nil.
function versions.remark(version)
	return version == "0.1" and "its recipe was written by barlow 0.1: omitted settings have the defaults of 0.1, its images are not "
		.. "compared with those of the run, and from here on views are drawn with other random numbers than in 0.1" or nil
end

return versions
