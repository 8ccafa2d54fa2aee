-- SPDX-License-Identifier: GPL-3.0-or-later
-- data.tar: images and labels in plain tar archives.
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local test, equal, close, fails = tap.test, tap.equal, tap.close, tap.fails

local photographs = tap.root .. "tests/reference/photographs"
local root = os.tmpname()
os.remove(root)
local function sh(command) assert(os.execute((command:gsub("%%", "'" .. root .. "'")))) end
local function write(name, text)
	local file = assert(io.open(root .. "/" .. name, "wb"))
	file:write(text)
	file:close()
end
local function text(list) return table.concat(list, "|") end

-- Samples 1 to n from `first` below `folder`: a picture each, three pictures in turn, and the further files that `files` gives for i.
local pictures = { "palette.png", "alpha.png", "grey.jpg" }
local function make_shard(name, format, first, n, folder, files)
	sh(("rm -rf %%/x; mkdir -p '%%/x/%s'"):format(folder))
	for i = first, first + n - 1 do
		local picture = pictures[i % 3 + 1]
		local base = ("%s/%03d"):format(folder, i)
		sh(("cp '%s/%s' '%%/x/%s.%s'"):format(photographs, picture, base, picture:match "%.(%w+)$"))
		for ending, body in pairs(files(i)) do write("x/" .. base .. "." .. ending, body) end
	end
	sh(("tar --format=%s --sort=name -C %%/x -cf %%/%s ."):format(format, name))
end
local function cls(i) return { cls = (" %d\n"):format(i % 2) } end
local function json(i) return { json = ('{"species": "%s", "n": %d}'):format(i % 2 == 0 and "cat" or "dög", i), txt = "a caption" } end
sh "mkdir %"

local function same_images(ds, first)
	for i = 1, #ds do
		local file = pictures[(first + i - 1) % 3 + 1]
		local folder = data.folder{ photographs, labels = false }
		for k = 1, #folder do
			if folder[k].path:match "[^/]*$" == file then close(ds[i].image, folder[k].image, 0, 0) end
		end
	end
end

test("archives of every kind with long names, read in place", function()
	for _, format in ipairs{ "v7", "ustar", "gnu", "pax" } do
		local long = format == "v7" and "short" or format == "ustar" and ("d"):rep(90) .. "/" .. ("e"):rep(40) or ("ü"):rep(90) .. "/" .. ("e"):rep(90)
		make_shard("a.tar", format, 1, 5, long, cls)
		local ds = data.tar(root .. "/a.tar")
		equal(#ds, 5, format)
		equal(text(ds.labels), "2|1|2|1|2")
		equal(ds[4].path, root .. "/a.tar/./" .. long .. "/004.png")
		same_images(ds, 1)
	end
end)

test("several shards by a pattern, labels of JSON, or none", function()
	make_shard("s-08.tar", "pax", 1, 3, "p", json)
	make_shard("s-09.tar", "gnu", 4, 2, "p", json)
	make_shard("s-10.tar", "ustar", 6, 4, "p", json)
	local ds = data.tar{ root .. "/s-{08..10}.tar", labels = "json:species", size = 16 }
	equal(#ds, 9)
	equal(text(ds.classes), "cat|dög")
	equal(text(ds.labels), "2|1|2|1|2|1|2|1|2")
	equal(ds.height, 16)
	same_images(ds, 1)
	equal(text(data.tar{ root .. "/s-{09..09}.tar", labels = "json:n" }.labels), "5|6")
	equal(#data.tar(root .. "/s-{09..10}.tar").classes, 0)
	equal(#data.tar{ root .. "/s-09.tar", labels = "none" }.classes, 0)
	fails(function() data.tar(root .. "/s-{09..11}.tar") end, "/s-11.tar: No such file")
	fails(function() data.tar(root .. "/s-{09-10}.tar") end, "expected {from..to}")
	fails(function() data.tar(root .. "/s-{10..09}.tar") end, "the smaller number first")
	fails(function() data.tar(root .. "/s-{0..9}{0..99999}.tar") end, "more than 100000 names")
	fails(function() data.tar{ root .. "/s-09.tar", labels = "json:colour" } end, "/s-09.tar: ./p/004.json: no key 'colour'")
	fails(function() data.tar{ root .. "/s-09.tar", labels = "cls" } end, "sample ./p/004 has no label (.cls)")
	fails(function() data.tar{ root .. "/s-09.tar", labels = "colour" } end, "'labels' must be")
end)

test("files that are not tar archives, compressed, truncated, or with two images in a sample are refused by name", function()
	make_shard("a.tar", "ustar", 1, 6, "p", cls)
	for program, word in pairs{ gzip = "gzip", bzip2 = "bzip2", xz = "XZ" } do
		if os.execute("command -v " .. program .. " >/dev/null") then
			sh(program .. " -c %/a.tar >%/z.tar")
			fails(function() data.tar(root .. "/z.tar") end, "/z.tar: compressed with " .. word, "unpacks it")
		end
	end
	sh ": >%/empty.tar; head -c 10240 /dev/zero >%/zeros.tar; head -c 9000 /dev/urandom >%/random.tar; head -c 15000 %/a.tar >%/cut.tar"
	sh "head -c 700 %/a.tar >%/cut2.tar; cp '%/a.tar' %/broken.tar; printf 'zzzz' | dd of=%/broken.tar bs=1 seek=600 conv=notrunc status=none"
	fails(function() data.tar(root .. "/empty.tar") end, "/empty.tar: 0 bytes")
	fails(function() data.tar(root .. "/zeros.tar") end, "/zeros.tar: no image file in it")
	fails(function() data.tar(root .. "/random.tar") end, "/random.tar: cannot be read as a tar archive")
	fails(function() data.tar(root .. "/cut.tar") end, "/cut.tar: cannot be read as a tar archive: ", ", after ")
	fails(function() data.tar(root .. "/cut2.tar") end, "/cut2.tar: ")
	fails(function() data.tar(root .. "/broken.tar") end, "/broken.tar: cannot be read as a tar archive: ")
	fails(function() data.tar(root) end, "not a regular file")
	write("x/p/001.png", "")
	sh "cp '%/x/p/002.jpg' %/x/p/001.jpg; tar --sort=name -C %/x -cf %/two.tar ."
	fails(function() data.tar(root .. "/two.tar") end, "/two.tar: sample ./p/001 has two images: ./p/001.png is the second")
	sh "rm %/x/p/001.jpg; tar --sort=name -C %/x -cf %/zero.tar ."
	fails(function() return data.tar{ root .. "/zero.tar", size = 8 }[1] end, "/zero.tar: ./p/001.png: 0 bytes, expected a JPEG")
	sh "truncate -s 300M %/x/p/002.png; rm %/x/p/002.jpg; tar --sort=name -C %/x -cf %/large.tar ."
	fails(function() data.tar{ root .. "/large.tar" } end, "/large.tar: ./p/002.png: 314572800 bytes, expected an image of at most")
	sh "rm %/large.tar; rm %/x/p/002.png; tar --sparse --sort=name -C %/x -cf %/sparse.tar ."
end)

test("samples are those of WebDataset: names that are the same up to the first dot", function()
	local function make(files)
		sh "rm -rf %/x; mkdir -p %/x"
		for _, name in ipairs(files) do
			if name:match "%.cls$" then
				write("x/" .. name, name:match "%d+" or "0")
			else
				sh(("cp '%s/%s' '%%/x/%s'"):format(photographs, name:match "png$" and "palette.png" or "grey.jpg", name))
			end
		end
		sh("tar -C %/x -cf %/w.tar " .. table.concat(files, " "))
	end
	local function names(ds)
		local out = {}
		for i = 1, #ds do out[i] = ds[i].path:match "[^/]*$" end
		return text(out)
	end
	local path = root .. "/w.tar"
	make{ "1.left.jpg", "1.cls", "2.cls", "2.left.jpg", "3.a.left.jpg", "3.a.cls" }
	equal(text(data.tar(path).labels), "2|3|4")
	equal(names(data.tar(path)), "1.left.jpg|2.left.jpg|3.a.left.jpg")
	make{ "1.left.jpg", "1.right.jpg", "1.seg.png", "1.cls", "2.cls", "2.left.jpg", "2.right.jpg" }
	fails(function() data.tar(path) end, "/w.tar: sample 1 has 3 images and one label; image = \"left.jpg\" selects this image")
	equal(names(data.tar{ path, image = "right.jpg" }), "1.right.jpg|2.right.jpg")
	equal(text(data.tar{ path, image = "right.jpg" }.labels), "2|3")
	equal(names(data.tar{ path, image = "seg.png" }), "1.seg.png")
	equal(#data.tar{ path, labels = "none" }, 5)
	local recipe = require "barlow.recipe"
	local line = recipe.text(recipe.copy(data.tar{ path, image = "right.jpg" }))
	equal(names(assert(load("return " .. line))()), "1.right.jpg|2.right.jpg")
	make{ "1.jpg", "1.seg.png", "1.cls", "2.jpg", "2.seg.png", "2.cls" }
	equal(names(data.tar{ path, image = "jpg" }), "1.jpg|2.jpg")
	make{ "day.1.jpg", "day.1.cls", "day.2.jpg", "day.2.cls" } -- each image has a label that is named like it
	equal(text(data.tar(path).labels), "2|3")
	make{ "day.1.jpg", "day.2.jpg", "day.3.jpg" }
	equal(#data.tar(path), 3)
	make{ "1.jpg", "1.cls", "2.b.jpg", "2.c.jpg", "3.cls" }
	fails(function() data.tar(path) end, "sample 2 has no label (.cls), others have one")
	fails(function() data.tar{ path, image = "gif" } end, "/w.tar: no file in it ends with .gif")
	fails(function() data.tar{ path, image = "left.npy" } end, "'image' must be the ending of an image file", "'left.npy'")
	fails(function() data.tar{ path, image = ("x"):rep(9000) .. ".jpg" } end, "'image' must be the ending")
end)

test("an archive that shrinks or is replaced while it is read is an error that names it", function()
	make_shard("a.tar", "ustar", 1, 6, "p", cls)
	local ds = data.tar(root .. "/a.tar")
	equal(ds[6].label, 1)
	sh "truncate -s 4096 %/a.tar"
	fails(function() return ds[6] end, "/a.tar: it has been changed or replaced since its files were listed", "4096 now")
	make_shard("a.tar", "ustar", 1, 6, "p", cls)
	fails(function() return ds[1] end, "/a.tar: it has been changed or replaced")
	sh "rm %/a.tar"
	fails(function() return ds[1] end, "/a.tar: No such file")
end)

test("batches are those of a folder with the same files, at any number of threads", function()
	make_shard("s-0.tar", "gnu", 1, 20, "p", cls)
	make_shard("s-1.tar", "pax", 21, 12, "p", cls)
	local function batches(ds, threads)
		local out = {}
		for _, a in data.loader{ data = ds, views = aug.paper{ size = 16 }, batch = 16, epochs = 2, seed = 1, workers = threads } do
			out[#out + 1] = a:clone()
		end
		return out
	end
	sh "rm -rf %/all; mkdir %/all; for f in %/s-0.tar %/s-1.tar; do tar -C %/all -xf $f; done; rm %/all/p/*.cls"
	local settings = { size = 16 }
	local shards, folder = data.tar{ root .. "/s-{0..1}.tar", size = 16 }, data.folder{ root .. "/all", labels = false, size = 16 }
	equal(settings.size, 16)
	local one, four, files = batches(shards, 1), batches(shards, 4), batches(folder, 2)
	equal(#one, 4)
	for i = 1, 4 do
		close(four[i], one[i], 0, 0)
		close(files[i], one[i], 1e-5, 1e-5)
	end
end)

test("evaluation resizes as PIL does if requested, as for a folder and a table", function()
	sh "ls %/all/p/*.jpg %/all/p/*.png 2>/dev/null | sed '1i path' >%/all.csv"
	local function features(ds) return eval.features(nn.flatten(), ds) end
	for _, backend in ipairs{ "pil", "tensor" } do
		local shards = features(data.tar{ root .. "/s-{0..1}.tar", size = 16, backend = backend })
		close(shards, features(data.folder{ root .. "/all", labels = false, size = 16, backend = backend }), 0, 0)
		close(shards, features(data.csv{ root .. "/all.csv", size = 16, backend = backend }), 0, 0)
	end
	fails(function() data.tar{ root .. "/s-{0..1}.tar", backend = "pil", cache = "memory" } end, 'data.tar: backend = "pil" resizes whole images')
	fails(function() data.csv{ root .. "/all.csv", backend = "pil", cache = "disk" } end, 'data.csv: backend = "pil" resizes whole images')
end)

test("recipes name the shards by an absolute pattern and refuse others", function()
	local recipe = require "barlow.recipe"
	make_shard("s-0.tar", "gnu", 1, 4, "p", cls)
	make_shard("s-1.tar", "pax", 5, 4, "p", cls)
	local line = recipe.text(recipe.copy(data.tar(root .. "/s-{0..1}.tar")))
	assert(line:find(root .. "/s-{0..1}.tar", 1, true), line)
	equal(#assert(load("return " .. line))(), 8)
	make_shard("s-1.tar", "pax", 5, 4, "p", function(i) return { cls = tostring(i) } end)
	fails(function() load("return " .. line)() end, "these are not the images that the recipe was written for")
end)

sh "rm -r %"
tap.done()
