-- SPDX-License-Identifier: GPL-3.0-or-later
-- For test_no_memory_lua.c, which provides begin_failure(n) and finish_failure(n): examples of the help without memory.
local registry = require "barlow.registry"

local NEVER = 1 << 60
local most = tonumber(os.getenv "NO_MEMORY" or 4)
local names = os.getenv "NO_MEMORY_NAMES" or ""
math.randomseed(tonumber(os.getenv "NO_MEMORY_SEED" or 1))

-- What an example prints and returns, as text.
local function texts(...)
	local out = table.pack(...)
	for i = 1, out.n do out[i] = tostring(out[i]) end
	return table.concat(out, "\t")
end

-- Addresses, times and names of temporary files differ from run to run.
local function comparable(text)
	return (text:gsub("0x%x+", "0x"):gsub("/tmp/[%w_-]+", "/tmp/"))
end

-- Runs an example; the n-th allocation fails.  Returns whether it succeeded, its output or message, and the number of allocations.
local function run(e, n)
	local lines = {}
	local function take(...) lines[#lines + 1] = texts(...) end
	local env = setmetatable({ print = take }, { __index = _G })
	local chunk = load("return " .. e.example, "=" .. e.name, "t", env) or assert(load(e.example, "=" .. e.name, "t", env))
	local printed = print
	print = take -- luacheck: ignore
	begin_failure(n) -- luacheck: ignore
	local out = table.pack(pcall(function() return texts(chunk()) end))
	local calls = finish_failure(n) -- luacheck: ignore
	print = printed -- luacheck: ignore
	lines[#lines + 1] = tostring(out[2])
	collectgarbage()
	return out[1], comparable(out[1] and table.concat(lines, "\n") or tostring(out[2])), calls
end

-- The allocations that fail, at most `most`; 0: all of them.
local function chosen(calls, most)
	local out = {}
	if most == 0 or calls <= most then
		for n = 1, calls do out[n] = n end
	else
		for i = 1, most do out[i] = math.random(1 + (i - 1) * calls // most, i * calls // most) end
	end
	return out
end

-- What runs and sweeps print depends on the runs that are there, and on when they stop.  An example that fails with memory, too,
-- shows nothing.
local faults, examples, wrong = 0, 0, {}
local function try(e)
	run(e, NEVER)
	local fine, first = run(e, NEVER)
	local _, second, calls = run(e, NEVER)
	if not fine then return end
	local changes = first ~= second or e.name:find "^runs?%f[^%w]" or e.name:find "^sweep" or e.name == "trainer:stop"
	examples = examples + 1
	for _, n in ipairs(chosen(calls, e.most or most)) do
		if os.getenv "NO_MEMORY_SHOW" then io.stderr:write(e.name, " ", n, " of ", calls, "\n") end
		local ok, text = run(e, n)
		faults = faults + 1
		-- A run reports on standard error that there was no memory for its recipe; without one it cannot be forked later.
		if not (text:find "memory" or text:find "there is none %(recipe.lua%)" or ok and (text == first or changes)) then
			wrong[#wrong + 1] = ("%s, allocation %d of %d: %s\n  instead of %s"):format(e.name, n, calls, text, first)
		end
	end
end
for _, e in ipairs(registry.entries()) do
	if e.name:find(names) then try(e) end
end

-- What the examples do not reach.
local train = "data.shapes{ n = 200, size = 8, channels = 1, seed = 1 }"
for name, text in pairs{
	["conv2d, dilated"] = "nn.conv2d(8, 4, 3, { dilation = 2 })(tensor.full({ 2, 8, 9, 9 }, .5)):sum():item()",
	["conv2d, groups"] = "nn.conv2d(8, 8, 3, { groups = 2, stride = 2 })(tensor.full({ 2, 8, 9, 9 }, .5)):sum():item()",
	["conv2d, wide"] = "nn.conv2d(32, 32, 3, { padding = 1 })(tensor.full({ 4, 32, 16, 16 }, .5)):shape()",
	["convolution's gradient"] = [[
		local m = nn.sequential(nn.conv2d(8, 8, 3, { dilation = 2 }), nn.batchnorm2d(8), nn.relu(), nn.conv2d(8, 4, 3, { groups = 2 }))
		local x = tensor.full({ 2, 8, 11, 11 }, .5):requires_grad(true)
		m(x):sum():backward()
		return x.grad:shape()]],
	["networks"] = "nn.resnet{ depth = 18, width = 4 }:count(), nn.cnn{ widths = { 4, 8 }, image = 8 }:count(), nn.mlp{ 4, 8, 8 }:count()",
	["losses"] = [[
		local a, b = tensor.arange(1, 65):reshape(16, 4):requires_grad(true), (tensor.arange(1, 65) ^ 2):reshape(16, 4)
		local out = {}
		for _, form in ipairs{ "direct", "gram" } do
			local l = loss.barlow{ form = form }(a, b)
			l:backward()
			out[#out + 1] = l:item()
		end
		out[3] = loss.vicreg{}(a, b):item()
		return out[1], out[2], out[3], a.grad:shape()]],
	["kNN, whitened"] = "eval.knn{ train = T, test = T, k = 5, whiten = true }, eval.knn{ train = T, test = T, k = 5, standardise = true }",
	["linear probe"] = "eval.linear{ train = T, test = T, l2 = .1 }, eval.linear{ train = T, test = T }",
	["spectra"] = "eval.rankme(tensor.arange(1, 65):reshape(16, 4)), tensor.arange(1, 65):reshape(16, 4):svd()",
	["views"] = "aug.paper{ size = 8 }(T[1].image):shape(), aug.elastic{ p = 1 }(T[1].image):shape(), aug.equalize{ p = 1 }(T[1].image):shape()",
	["parts"] = "#T:subset(3, 20), #T:split(.5), #T:balance(), T:statistics()",
} do
	if name:find(names) then try{ name = name, most = most > 0 and most < 60 and 60 or most, example = (text:gsub("%f[%w]T%f[%W]", train)) } end
end
print(("# %d allocations failed in %d examples"):format(faults, examples))
for _, why in ipairs(wrong) do io.stderr:write("# ", (why:gsub("\n", "\n# ")), "\n") end
if #wrong > 0 then error(#wrong .. " of them ended otherwise than with the same result or an error that names memory", 0) end
