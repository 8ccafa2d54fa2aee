-- SPDX-License-Identifier: GPL-3.0-or-later
-- cache = "memory" and "disk": a cache of decoded images.
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local test, equal, close, fails = tap.test, tap.equal, tap.close, tap.fails

local photographs = tap.root .. "tests/reference/photographs"
local root = os.tmpname()
os.remove(root)
local function sh(command) assert(os.execute((command:gsub("%%", "'" .. root .. "'")))) end
sh("mkdir -p %/day && cp '" .. photographs .. "'/*.jpg '" .. photographs .. "'/*.png %/day")
local function folder(more)
	local s = { path = root .. "/day", labels = false, size = 16 }
	for k, v in pairs(more or {}) do s[k] = v end
	return data.folder(s)
end

-- The output of a separate process with the test's cache folder.
local function other(script)
	local pipe = assert(io.popen(("XDG_CACHE_HOME='%s/cache' '%s' -e '%s' 2>&1"):format(root, os.getenv "BARLOW", script)))
	local out = pipe:read "a"
	pipe:close()
	return out
end
local function files()
	local pipe = assert(io.popen(("ls '%s/cache/barlow/images' 2>/dev/null"):format(root)))
	local out = {}
	for name in pipe:lines() do out[#out + 1] = name end
	pipe:close()
	return out
end
local sums = ([[local d = data.folder{ "%s/day", labels = false, size = 16, cache = "%%s" } local s = 0
	for i = 1, #d do s = s + d[i].image:sum():item() end print(#d, d[1].image:size(2), d[1].image:size(3), s)]]):format(root)

test("images are stored with their shorter side 8/7 of the size, or unchanged", function()
	local plain, kept = folder(), folder{ cache = "memory" }
	local h, w = plain[1].image:size(2), plain[1].image:size(3)
	equal(kept[1].image:size(2), 18)
	equal(kept[1].image:size(3), 18 * w // h)
	local large = folder{ cache = "memory", size = 64 }
	for i = 1, #plain do
		close(large[i].image, plain[i].image, 0, 0)
		close(large[i].image, plain[i].image, 0, 0)
	end
end)

test("evaluation reads nearly the same pixels as without a cache", function()
	local e = nn.sequential(nn.flatten())
	local plain = folder()
	local a, b = eval.features(e, plain), eval.features(e, folder{ cache = "memory" }, { like = plain })
	local off = (a - b):abs():mean():item()
	assert(off < .02, "mean difference of normalised values " .. off)
end)

test("views are the same at any number of threads", function()
	local function batches(ds, threads)
		local out = {}
		for _, a, b in data.loader{ data = ds, views = aug.paper{ size = 12 }, batch = 8, epochs = 3, seed = 1, workers = threads } do
			out[#out + 1], out[#out + 2] = a:clone(), b:clone()
		end
		return out
	end
	local one, four = batches(folder{ cache = "memory" }, 1), batches(folder{ cache = "memory" }, 4)
	equal(#one, 6)
	for i = 1, #one do close(four[i], one[i], 0, 0) end
end)

test("on disk: one file for all runs, also for two processes at once, and the same images as in memory", function()
	local both = ("(XDG_CACHE_HOME='%s/cache' '%s' -e '%s' & XDG_CACHE_HOME='%s/cache' '%s' -e '%s' & wait)"):format(root, os.getenv "BARLOW",
		sums:format "disk", root, os.getenv "BARLOW", sums:format "disk")
	local pipe = assert(io.popen(both))
	local first, second = pipe:read "l", pipe:read "l"
	pipe:close()
	equal(first, second)
	equal(#files(), 1)
	equal(other(sums:format "memory"), first .. "\n")
	equal(other(sums:format "disk"), first .. "\n")
end)

test("a file that is damaged or truncated is made again, or is an error that names it", function()
	local fine, path = other(sums:format "disk"), root .. "/cache/barlow/images/" .. files()[1]
	sh(("truncate -s -5 '%s'"):format(path))
	equal(other(sums:format "disk"), fine)
	sh(("printf x | dd of='%s' bs=1 seek=3 conv=notrunc status=none"):format(path))
	equal(other(sums:format "disk"), fine)
	sh(("printf 'xyz' | dd of='%s' bs=1 seek=$(($(wc -c <'%s') - 9)) conv=notrunc status=none"):format(path, path))
	local out = other(sums:format "disk")
	assert(out:find(path .. ": this file of decoded images was changed", 1, true), out)
	sh(("rm '%s'"):format(path))
	equal(other(sums:format "disk"), fine)
	local shrinks = ([[local d = data.folder{ "%s/day", labels = false, size = 16, cache = "disk" } os.execute "truncate -s 100 %s"
		print(pcall(function() return d[3] end))]]):format(root, path)
	out = other(shrinks)
	assert(out:find(path .. ": this file of decoded images was changed (if you remove it, it is made again): it ends before byte ", 1, true), out)
end)

test("another file in the folder, another size or channels use another cache; a broken image is named, and no file is left", function()
	sh "rm -r '%/cache'"
	local before = other(sums:format "disk")
	sh "touch -d '2020-01-01' '%/day/palette.png'"
	equal(other(sums:format "disk"), before)
	equal(#files(), 2)
	other((sums:format "disk"):gsub("size = 16", "size = 16, channels = 1"))
	equal(#files(), 3)
	sh ": >'%/day/zz.png'"
	local out = other(sums:format "disk")
	assert(out:find("/day/zz.png: 0 bytes", 1, true), out)
	equal(#files(), 3)
	sh "rm '%/day/zz.png'"
	fails(function() folder{ cache = "dsik" } end, "did you mean 'disk'")
end)

test("csv and tar have a cache, too, and a recipe states it", function()
	sh "cd % && tar -cf t.tar day && ls day/*.png >t.csv"
	local a, b = data.tar{ root .. "/t.tar", size = 16, cache = "memory" }, data.csv{ root .. "/t.csv", header = false, size = 16, cache = "memory" }
	equal(math.min(a[2].image:size(2), a[2].image:size(3)), 18)
	equal(math.min(b[2].image:size(2), b[2].image:size(3)), 18)
	assert(require "barlow.recipe".text(require "barlow.recipe".copy(b)):find('cache = "memory"', 1, true))
	local both = a:concat(b):map(function(img) return 1 - img end)
	close(both[#a + 2].image, 1 - b[2].image, 0, 1e-6)
	local none = data.shapes{ n = 3, size = 8 }
	equal(none.height, 8)
end)

sh "rm -r %"
tap.done()
