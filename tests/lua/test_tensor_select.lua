-- SPDX-License-Identifier: GPL-3.0-or-later
-- Tensors: comparison, selection, sorting, concatenation; products with vectors and norms.
-- The results are those of PyTorch, but indices are counted from 1.
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local test, equal, fails = tap.test, tap.equal, tap.fails

-- Returns the numbers of t in row-major order, as one line of text.
local function flat(t)
	local words = {}
	for i, v in ipairs(t:reshape(-1):totable()) do words[i] = ("%g"):format(v) end
	return table.concat(words, " ")
end
local function shape(t) return table.concat(t:shape(), " ") end

test("comparisons are masks of 1 and 0", function()
	local x = tensor{ 1, 2, 3, 0 / 0 }
	for name, want in pairs{ lt = "1 0 0 0", le = "1 1 0 0", gt = "0 0 1 0", ge = "0 1 1 0", eq = "0 1 0 0", ne = "1 0 1 1" } do
		equal(flat(x[name](x, 2)), want)
		equal(flat(x[name](x, tensor{ 2, 2, 2, 2 })), want)
	end
	equal(flat(x:ne(x)), "0 0 0 1")
	local a, b = tensor{ 0, 0, 2, -1 }, tensor{ 0, 3, 0, 5 }
	equal(flat(a:logical_and(b)), "0 0 0 1")
	equal(flat(a:logical_or(b)), "0 1 1 1")
	equal(flat(a:logical_xor(b)), "0 1 1 0")
	equal(flat(a:logical_not()), "1 1 0 0")
	equal(shape(tensor.zeros(3, 1):lt(tensor.ones(4))), "3 4")
	equal(x:requires_grad(true):lt(2):requires_grad(), false)
	fails(function() return tensor.ones(3):lt(tensor.ones(4)) end, "lt: shapes (3,) and (4,)")
end)

test("where selects, and the gradient goes to the selected elements", function()
	local a, b = tensor{ 1, 2, 3 }:requires_grad(true), tensor(5):requires_grad(true)
	local y = tensor.where(a:gt(2), a, b)
	equal(flat(y), "5 5 3")
	y:sum():backward()
	equal(flat(a.grad), "0 0 1")
	equal(b.grad:item(), 2.0)
	equal(flat(tensor.where(tensor{ { 1 }, { 0 } }, tensor{ 1, 2 }, -1)), "1 2 -1 -1")
	equal(flat(tensor{ 1, -2 }:masked_fill(tensor{ 0, 1 }, 7)), "1 7")
	equal(flat(tensor.where(tensor{ 0 / 0, 0 }, 1, 2)), "1 2") -- NaN counts as true, since it is not 0
end)

test("masks select and assign", function()
	local x = tensor{ { 1, -2 }, { -3, 4 } }
	equal(flat(x:masked_select(x:lt(0))), "-2 -3")
	equal(flat(x:t()[x:t():lt(0)]), "-3 -2")
	equal(shape(x[x:gt(9)]), "0")
	x[x:lt(0)] = 0
	equal(flat(x), "1 0 0 4")
	x:t()[tensor{ { 0, 1 }, { 0, 0 } }] = 9
	equal(flat(x), "1 0 9 4")
	fails(function() x[tensor{ 1, 0 }] = 3 end, "a mask of shape (2,) for shape (2, 2)")
	fails(function() x[x:gt(0)] = tensor{ 1, 2 } end, "expected a number", "tensor.where")
	fails(function() return x[tensor{ 1, 0 }] end, "masked_select", "(2,)")
end)

test("sort, argsort and topk", function()
	local x = tensor{ { 3, 1, 2 }, { 5, 0 / 0, 5 } }
	local v, p = x:sort()
	equal(flat(v):gsub("-nan", "nan"), "1 2 3 5 5 nan")
	equal(flat(p), "2 3 1 1 3 2")
	v, p = x:sort(2, true)
	equal(flat(v):gsub("-nan", "nan"), "3 2 1 nan 5 5")
	equal(flat(p), "1 3 2 2 1 3")
	equal(flat((tensor{ { 3, 1 }, { 2, 4 } }:sort(1))), "2 1 3 4")
	equal(flat(tensor{ 4, 4, 4 }:argsort(1, true)), "1 2 3")
	v, p = tensor{ { 3, 1, 2 }, { 4, 6, 5 } }:topk(2)
	equal(flat(v), "3 2 6 5")
	equal(flat(p), "1 3 2 3")
	v, p = tensor{ 3, 1, 2 }:topk(1, 1, false)
	equal(flat(v) .. "/" .. flat(p), "1/2")
	equal(shape((tensor.zeros(0, 3):sort())), "0 3")
	fails(function() return tensor{ 1 }:topk(2) end, "topk: 2", "expected 0 to 1")
	fails(function() return tensor(1):sort() end, "sort", "scalar")
end)

test("gather applies the indices of sort, and gradients go back to their elements", function()
	local x = tensor{ { 3, 1, 2 }, { 4, 6, 5 } }:requires_grad(true)
	local v, p = x:sort()
	equal(flat(x:gather(2, p)), flat(v))
	v:narrow(2, 1, 1):sum():backward()
	equal(flat(x.grad), "0 1 0 1 0 0")
	equal(flat(x:gather(1, tensor{ { 2, 1 } })), "4 1")
	fails(function() return x:gather(2, tensor{ { 4 } }) end, "index 4", "1..3")
	fails(function() return x:gather(2, tensor{ { 0 } }) end, "index 0")
	fails(function() return x:gather(2, tensor{ { 1.5 } }) end, "index 1.5")
	fails(function() return x:gather(1, tensor{ 1 }) end, "gather: indices of shape (1,)")
	fails(function() return x:gather(1, tensor.ones(1, 4)) end, "gather: indices of shape (1, 4)")
end)

test("flip and cumsum", function()
	local x = tensor{ { 1, 2 }, { 3, 4 } }
	equal(flat(x:flip(1)), "3 4 1 2")
	equal(flat(x:flip(1, -1)), "4 3 2 1")
	equal(flat(x:t():flip(2)), "3 1 4 2")
	equal(flat(x:cumsum(1)), "1 2 4 6")
	equal(flat(x:cumsum(2)), "1 3 3 7")
	equal(tensor.full({ 100000 }, .1):cumsum(1)[-1], tensor(10000):item()) -- summed in double precision
	fails(function() return x:flip() end, "expected the dimensions")
	fails(function() return x:cumsum(3) end, "dimension")
end)

test("cat takes any number of tensors, stack adds a dimension", function()
	local many = {}
	for i = 1, 1000 do many[i] = tensor.full({ 1, 2 }, i) end
	equal(shape(tensor.cat(many)), "1000 2")
	equal(shape(tensor.cat(many, 2)), "1 2000")
	equal(shape(tensor.stack(many)), "1000 1 2")
	equal(tensor.stack(many)[{ 700, 1, 2 }], 700.0)
	local a, b = tensor{ 1, 2 }, tensor{ 3, 4 }
	equal(flat(tensor.stack{ a, b }), "1 2 3 4")
	equal(flat(tensor.stack({ a, b }, 2)), "1 3 2 4")
	equal(flat(tensor.stack({ a, b }, -1)), "1 3 2 4")
	equal(shape(tensor.stack{ tensor(1), tensor(2) }), "2")
	fails(function() return tensor.stack{ a, tensor{ 1 } } end, "stack: shapes (2,) and (1,)")
	fails(function() return tensor.stack({ a, b }, 3) end, "stack: dimension 3, expected 1 to 2")
	fails(function() return tensor.stack{} end, "at least one tensor")
	fails(function() return tensor.cat{ a, 3 } end, "item 2 of the list: expected a tensor, got number 3")
end)

test("products with vectors, dot and norms", function()
	local m, v = tensor{ { 1, 2 }, { 3, 4 } }, tensor{ 1, -1 }
	equal(flat(m:matmul(v)), "-1 -1")
	equal(flat(v:matmul(m)), "-2 -2")
	equal(flat(m:matmul(m)), "7 10 15 22")
	equal(v:matmul(v):item(), 2.0)
	equal(v:dot(tensor{ 3, 5 }):item(), -2.0)
	fails(function() return m:matmul(tensor{ 1, 2, 3 }) end, "matmul: shapes (2, 2) and (3,)")
	fails(function() return v:dot(tensor{ 1 }) end, "dot", "(1,)")
	local x = tensor{ { 3, 4 }, { 0, 0 } }:requires_grad(true)
	equal(x:norm():item(), 5.0)
	equal(flat(x:norm(2, 2)), "5 0")
	equal(shape(x:norm(2, 2, true)), "2 1")
	equal(x:norm(1):item(), 7.0)
	equal(x:norm(math.huge):item(), 4.0)
	equal(tensor{ 1e30, 1e30 }:norm():item() < 1.5e30, true)
	x:norm(2, 2):sum():backward()
	equal(flat(x.grad), "0.6 0.8 0 0")
	fails(function() return x:norm(0) end, "norm: p = 0")
end)

test("messages count dimensions from 1, as Lua does", function()
	local x = tensor.rand(2, 3)
	fails(function() x:topk(5) end, "5 of the elements along the 2nd dimension of shape (2, 3), expected 0 to 3")
	fails(function() x:topk(5, 1) end, "the 1st dimension")
	fails(function() x:narrow(2, 2, 5) end, "the 2nd dimension")
	fails(function() x:permute(1, 1) end, "the 1st dimension")
	fails(function() x:gather(1, tensor.ones(4, 4)) end, "the 1st dimension")
	fails(function() tensor.cat({ x, tensor.rand(2, 4) }, 1) end, "the 1st dimension")
	fails(function() return x + tensor.rand(4) end, "3 against 4 in the 2nd dimension")
	fails(function() tensor.zeros(2, 0):max(2) end, "along the 2nd dimension")
end)

tap.done()
