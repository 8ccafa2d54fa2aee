-- SPDX-License-Identifier: GPL-3.0-or-later
-- Linear systems, factorisations and spectra: by their definitions, on small exact cases, and with their error messages.
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local test, equal, fails = tap.test, tap.equal, tap.fails

local function near(a, b)
	local fine, worst = a:allclose(b, 1e-5, 1e-5)
	if not fine then error(("%s\nis not\n%s\n(by %g)"):format(a, b, worst), 2) end
end

tensor.manual_seed(1)
local a = tensor.randn(60, 60) + tensor.eye(60) * 10
local s = a:mm(a:t()) / 60

test("solve and inverse", function()
	near(tensor{ { 2, 1 }, { 1, 3 } }:solve(tensor{ 3, 5 }), tensor{ .8, 1.4 })
	near(tensor{ { 0, 2 }, { 1, 0 } }:solve(tensor{ { 2, 4 }, { 3, 5 } }), tensor{ { 3, 5 }, { 1, 2 } })
	near(tensor{ { 0, 2 }, { 1, 0 } }:t():solve(tensor{ 2, 4 }), tensor{ 2, 2 })
	local b = tensor.randn(60, 7)
	near(a:mm(a:solve(b)), b)
	near(a:mm(a:inverse()), tensor.eye(60))
	near(tensor{ { 4, 3 }, { 3, 2 } }:inverse(), tensor{ { -2, 3 }, { 3, -4 } })
	fails(function() return tensor{ { 1, 2 }, { 2, 4 } }:inverse() end, "inverse: the matrix is singular: pivot 2")
	fails(function() return tensor{ { 1, 2 }, { 2, 4 } }:solve(tensor{ 1, 1 }) end, "solve: the matrix is singular")
	fails(function() return tensor.ones(2, 3):inverse() end, "inverse: expected a square matrix, got shape (2, 3)")
	fails(function() return a:solve(tensor.ones(3)) end, "solve: shapes (60, 60) and (3,)", "60 rows")
	fails(function() return tensor{ { 1, 0 / 0 }, { 0, 1 } }:inverse() end, "element 1", "not finite")
end)

test("cholesky", function()
	near(tensor{ { 4, 2 }, { 2, 10 } }:cholesky(), tensor{ { 2, 0 }, { 1, 3 } })
	local l = s:cholesky()
	near(l:mm(l:t()), s)
	fails(function() return tensor{ { 1, 2 }, { 2, 1 } }:cholesky() end, "not positive definite: its leading 2 x 2 part")
	fails(function() return tensor{ { 1, 2 }, { 0, 5 } }:cholesky() end, "not symmetric: element (1, 0) is 0, (0, 1) is 2")
end)

test("eigh", function()
	local w, v = tensor{ { 2, 1 }, { 1, 2 } }:eigh()
	near(w, tensor{ 1, 3 })
	near(v:abs(), tensor.full({ 2, 2 }, math.sqrt(.5)))
	w, v = s:eigh()
	near((v * w):mm(v:t()), s)
	near(v:t():mm(v), tensor.eye(60))
	equal((w - w:sort()):abs():max():item(), 0.0)
	local x = s:clone():requires_grad(true)
	local values, vectors = x:eigh()
	equal(vectors:requires_grad(), false)
	values:sum():backward() -- the trace
	near(x.grad, tensor.eye(60))
	fails(function() return a:eigh() end, "eigh: the matrix is not symmetric")
end)

test("svd", function()
	local u, d, vt = tensor{ { 0, 3, 0 }, { -2, 0, 0 } }:svd()
	near(d, tensor{ 3, 2 })
	equal(u:size(2) * 10 + vt:size(1), 22)
	for _, x in ipairs{ a:narrow(1, 1, 20), a:narrow(2, 1, 20), a:t():narrow(1, 3, 30), tensor.ones(3, 4) } do
		u, d, vt = x:svd()
		near((u * d):mm(vt), x)
		near(u:t():mm(u), tensor.eye(d:numel()))
		near(vt:mm(vt:t()), tensor.eye(d:numel()))
	end
	fails(function() return tensor{ 1, 2 }:svd() end, "svd: expected a matrix, got shape (2,)")
	fails(function() return tensor.zeros(0, 3):svd() end, "svd: expected a matrix, got shape (0, 3)")
end)

tap.done()
