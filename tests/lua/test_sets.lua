-- SPDX-License-Identifier: GPL-3.0-or-later
-- Data sets in their published file layouts, written by tests/reference/make_sets.py.
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local test, equal, fails = tap.test, tap.equal, tap.fails

local sets = tap.root .. "tests/reference/sets/"

-- Every pixel has the value given in make_sets.py; labels count from 1.
local function check(ds, n, side, channels, labels)
	equal(#ds, n)
	equal(ds.channels, channels)
	for i = 1, n do
		local image = ds[i].image
		equal(table.concat(image:shape(), " "), ("%d %d %d"):format(channels, side, side))
		for c = 0, channels - 1 do
			for y = 0, side - 1, 3 do
				for x = 0, side - 1, 3 do
					equal(math.floor(image[c + 1][y + 1][x + 1] * 255 + .5), ((i - 1) * 37 + y * 5 + x * 3 + c * 50) % 256)
				end
			end
		end
		equal(ds[i].label, labels[i])
	end
end

test("MNIST, found in a folder of its own and below a root", function()
	check(data.mnist{ folder = sets .. "mnist" }, 3, 28, 1, { 8, 1, 10 })
	local ds = data.mnist{ folder = sets, train = false }
	check(ds, 3, 28, 1, { 8, 1, 10 })
	equal(tostring(ds):match "[^\n]*", "mnist test: 3 images 28 x 28, 1 channel, 10 classes")
	fails(function() data.kmnist{ folder = sets .. "nowhere" } end,
		"Kuzushiji-MNIST: no train-images-idx3-ubyte (or train-images-idx3-ubyte.gz) in ", "codh.rois.ac.jp")
end)

test("QMNIST's labels have eight columns, the class first", function()
	check(data.qmnist{ folder = sets, train = false }, 3, 28, 1, { 5, 3, 9 })
end)

test("EMNIST is transposed", function()
	local ds = data.emnist{ folder = sets, split = "letters" }
	check(ds, 3, 28, 1, { 1, 26, 3 })
	equal(ds.classes[26], "z")
	ds = data.emnist{ folder = sets }
	check(ds, 3, 28, 1, { 1, 47, 37 })
	equal(ds.classes[47], "t")
	equal(ds.classes[37], "a")
end)

test("CIFAR, binary and as a Python pickle", function()
	check(data.cifar10{ folder = sets .. "bin10", train = false }, 4, 32, 3, { 7, 10, 1, 2 })
	equal(#data.cifar10{ folder = sets .. "bin10" }, 5)
	equal(data.cifar10{ folder = sets .. "bin10" }.labels[5], 5)
	check(data.cifar10{ folder = sets .. "py10", train = false }, 4, 32, 3, { 7, 10, 1, 2 })
	for protocol = 2, 5 do
		check(data.cifar10{ folder = sets .. "py10-" .. protocol, train = false }, 4, 32, 3, { 7, 10, 1, 2 })
	end
	for _, folder in ipairs{ "bin100", "py100" } do
		check(data.cifar100{ folder = sets .. folder }, 4, 32, 3, { 100, 1, 6, 7 })
		check(data.cifar100{ folder = sets .. folder, labels = "coarse" }, 4, 32, 3, { 7, 20, 1, 2 })
	end
	equal(data.cifar100{ folder = sets .. "bin100" }.classes[100], "worm")
end)

test("STL-10's columns, and SVHN's MATLAB files, compressed and not", function()
	check(data.stl10{ folder = sets }, 2, 96, 3, { 10, 1 })
	check(data.svhn{ folder = sets }, 4, 32, 3, { 1, 2, 10, 3 })
	check(data.svhn{ folder = sets, part = "test" }, 4, 32, 3, { 1, 2, 10, 3 })
end)

-- f(folder with file `name` of these bytes)
local function with_bytes(name, bytes, f)
	local folder = os.tmpname()
	os.remove(folder)
	assert(os.execute("mkdir -p '" .. folder .. "'"))
	local file = assert(io.open(folder .. "/" .. name, "wb"))
	file:write(bytes)
	file:close()
	local fine, message = xpcall(f, debug.traceback, folder)
	os.execute("rm -r '" .. folder .. "'")
	if not fine then error(message, 0) end
end

local function bytes_of(name)
	local file = assert(io.open(sets .. name, "rb"))
	local bytes = file:read "a"
	file:close()
	return bytes
end

test("a pickle that would call a function is refused, and nothing is called", function()
	with_bytes("test_batch", bytes_of "hostile/test_batch", function(folder)
		fails(function() data.cifar10{ folder = folder, train = false } end, folder .. "/test_batch: byte ", "opcode 0x")
	end)
end)

test("files that are truncated, too long or of another kind are named", function()
	local readers = {
		{ "test_batch.bin", "bin10/test_batch.bin", function(f) return data.cifar10{ folder = f, train = false } end },
		{ "test_batch", "py10/test_batch", function(f) return data.cifar10{ folder = f, train = false } end },
		{ "test_batch", "py10-5/test_batch", function(f) return data.cifar10{ folder = f, train = false } end },
		{ "train_32x32.mat", "svhn/train_32x32.mat", function(f) return data.svhn{ folder = f } end },
		{ "train_32x32.mat", "svhn/test_32x32.mat", function(f) return data.svhn{ folder = f } end },
		{ "unlabeled_X.bin", "stl10/train_X.bin", function(f) return data.stl10{ folder = f, part = "unlabeled" } end },
	}
	for _, r in ipairs(readers) do
		local bytes = bytes_of(r[2])
		with_bytes(r[1], bytes, function(f) assert(#r[3](f) > 0) end)
		for _, cut in ipairs{ 0, 1, 7, 100, 200, #bytes // 2 + 1, #bytes - 40 } do
			with_bytes(r[1], bytes:sub(1, cut), function(f) fails(function() r[3](f) end, r[1] .. ": ") end)
		end
		with_bytes(r[1], ("\xff"):rep(4000), function(f) fails(function() r[3](f) end, r[1] .. ": ") end)
	end
	with_bytes("test_batch.bin", "\x0b" .. ("x"):rep(3072), function(f)
		fails(function() data.cifar10{ folder = f, train = false } end, "label 11 of image 1, expected 0 to 9: this is not CIFAR-10")
	end)
end)

test("a file that shrinks while it is read is named", function()
	with_bytes("unlabeled_X.bin", bytes_of "stl10/train_X.bin", function(f)
		local ds = data.stl10{ folder = f, part = "unlabeled" }
		assert(io.open(f .. "/unlabeled_X.bin", "wb")):close()
		fails(function() return ds[2] end, "unlabeled_X.bin: it has become shorter since it was opened")
	end)
end)

test("data.list() says which sets are installed, and how to get the others", function()
	local seen = {}
	for _, e in ipairs(data.list()) do
		seen[e.name] = e
		assert((e.path == nil) ~= (e.missing == nil), e.name)
	end
	assert(seen.mnist and seen.cifar10 and seen.stl10 and seen.svhn and seen.emnist and not seen.folder)
	local text = tostring(data.list())
	assert(text:find("\nmnist     " .. (seen.mnist.path and "here    " or "not here") .. "  " .. seen.mnist.help, 1, true), text)
	assert(text:find "data.list%(%)%[1%].missing" and not text:find "{", text)
	local command = ("env XDG_DATA_HOME=/nowhere BARLOW_DATA='%s' ./barlow -e 'for _, e in ipairs(data.list()) do print(e.name, "
		.. "e.path or e.missing) end' 2>&1"):format(sets)
	local out = io.popen(command):read "a"
	assert(out:find("mnist\t" .. sets .. "/mnist\n", 1, true) or out:find("mnist\t" .. sets .. "mnist\n", 1, true), out)
	assert(out:find("kmnist\tKuzushiji%-MNIST: no .* in .*, /nowhere/datasets/kmnist, .*; its four files are at"), out)
end)

test("recipes state the paths of the files, and find them again", function()
	local ds = data.cifar10{ folder = sets .. "bin10" }
	local t = trainer{ data = ds, encoder = nn.sequential(nn.flatten(), nn.linear(3072, 4)), projector = false, batch = 4, epochs = 1,
		folder = false, views = aug.paper{ size = 32 } }
	local text = tostring(t.recipe)
	assert(text:find("bin10\"", 1, true) and text:find('fingerprint = "v1 5 files, names ', 1, true), text)
end)

test("IDX of several members, of every type, with columns", function()
	with_bytes("images", "\0\0\x0b\3\0\0\0\2\0\0\0\1\0\0\0\2\0\0\0\xff\0\7\0\1", function(f)
		local ds = data.idx(f .. "/images")
		equal(math.floor(ds[1].image[1][1][2] * 255 + .5), 255)
		equal(math.floor(ds[2].image[1][1][1] * 255 + .5), 7)
	end)
	with_bytes("images", "\0\0\x0b\3\0\0\0\1\0\0\0\1\0\0\0\2\0\0\1\0", function(f)
		fails(function() data.idx(f .. "/images") end, "number 1 of the images (counted from 0) is 256, expected 0 to 255")
	end)
	with_bytes("images", "\0\0\x0d\3\0\0\0\1\0\0\0\1\0\0\0\2" .. (">ff"):pack(.125, .7), function(f)
		tap.close(data.idx(f .. "/images")[1].image, tensor{ { { .125, .7 } } }, 1e-6, 0)
	end)
	with_bytes("labels", "\0\0\x0c\2\0\0\0\3\0\0\0\2" .. (">i4i4i4i4i4i4"):pack(4, 9, 0, 9, 1, 9), function(f)
		equal(table.concat(data.idx(sets .. "mnist/train-images-idx3-ubyte.gz", f .. "/labels").labels, " "), "5 1 2")
	end)
end)
tap.done()
