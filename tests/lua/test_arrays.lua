-- SPDX-License-Identifier: GPL-3.0-or-later
-- Less common kinds of NumPy files, written by tests/reference/make_arrays.py.
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local test, equal, fails = tap.test, tap.equal, tap.fails

local arrays = tap.root .. "tests/reference/arrays/"
local a = tensor{ { 0, 1, 2 }, { 3, 4, 5 } }

test("all values of float16", function()
	local t = tensor.load(arrays .. "half.npy")
	equal(t:numel(), 65536)
	for bits = 0, 65535 do
		local exponent, fraction, v = bits >> 10 & 31, bits & 1023, nil
		if exponent == 31 then v = fraction == 0 and math.huge or 0 / 0
		elseif exponent == 0 then v = fraction * 2.0 ^ -24
		else v = (1 + fraction / 1024) * 2.0 ^ (exponent - 15) end
		if bits >> 15 == 1 then v = -v end
		local got = t[bits + 1]
		if got ~= v and not (got ~= got and v ~= v) then error(("bits %04x: %s, expected %s"):format(bits, got, v)) end
	end
	tap.close(tensor.load(arrays .. "half_big.npy"), a, 0, 0)
end)

test("files written by Python 2", function() tap.close(tensor.load(arrays .. "python2.npy"), a, 0, 0) end)

test("arrays that are not numbers are refused with a message", function()
	fails(function() tensor.load(arrays .. "structured.npy") end, "structured.npy: a structured array, whose items have fields")
	fails(function() tensor.load(arrays .. "objects.npy") end, "objects.npy: an array of Python objects ('|O'): expected numbers")
end)

test(".npz, stored and compressed", function()
	local z = tensor.load(arrays .. "stored.npz")
	tap.close(z.a, a, 0, 0)
	tap.close(z.labels, tensor{ { 3 }, { 1 } }, 0, 0)
	z = tensor.load(arrays .. "packed.npz")
	tap.close(z.a, a, 0, 0)
	equal(z.many:numel(), 5000)
	local n = 0
	for _ in pairs(z) do n = n + 1 end
	equal(n, 2)
end)

test("truncated and damaged .npz files are refused", function()
	for _, name in ipairs{ "stored.npz", "packed.npz" } do
		local file = assert(io.open(arrays .. name, "rb"))
		local bytes = file:read "a"
		file:close()
		for cut = 4, #bytes - 1, 13 do
			tap.with_file(bytes:sub(1, cut), function(path) fails(function() tensor.load(path) end, path .. ": ") end)
		end
		local refused = 0
		for at = 1, #bytes, 3 do
			local damaged = bytes:sub(1, at - 1) .. string.char(bytes:byte(at) ~ 0x41) .. bytes:sub(at + 1)
			tap.with_file(damaged, function(path) refused = refused + (pcall(tensor.load, path) and 0 or 1) end)
		end
		assert(refused > #bytes // 3 // 2, refused)
	end
end)
tap.done()
