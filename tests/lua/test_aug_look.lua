-- SPDX-License-Identifier: GPL-3.0-or-later
-- aug.preview and aug.stats.
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local test, equal, near, close, fails = tap.test, tap.equal, tap.near, tap.close, tap.fails

local ds = data.shapes{ n = 40, size = 8, channels = 3, seed = 1 }
local plain = aug.compose{ aug.normalize{ mean = 0, std = 1 } }

test("a preview shows the views that a run makes", function()
	local pipe = aug.compose{ aug.crop(8), aug.flip(), aug.normalize{ mean = 0, std = 1 } }
	local p = aug.preview(ds, pipe, { n = 40, seed = 5, epoch = 2 })
	local seen = 0
	local tagged = aug.compose{ aug.crop(8), aug.flip(), aug.func(function(x, _, info)
		return tensor.full({ 3, 8, 8 }, info.sample)
	end), aug.normalize{ mean = 0, std = 1 } }
	local tags = data.loader{ data = ds, views = tagged, batch = 20, epochs = 2, seed = 5 }
	for step, a, b in data.loader{ data = ds, views = pipe, batch = 20, epochs = 2, seed = 5 } do
		local _, rows = tags()
		if step > 2 then
			for i = 1, 20 do
				local row = p.rows[math.tointeger(rows[i][1][1][1])]
				close(row.images[2], a[i], 0, 0)
				close(row.images[3], b[i], 0, 0)
				seen = seen + 1
			end
		end
	end
	equal(seen, 40)
end)

test("it prints what was drawn, and saves a contact sheet", function()
	local p = aug.preview(ds, aug.views{ aug.compose{ aug.crop(8), aug.flip(1) }, aug.crop(4), plain }, { n = 3 })
	equal(#p.rows, 3)
	equal(#p.rows[1].images, 4)
	close(p.rows[2].images[1], ds[2].image, 0, 1e-6)
	close(p.rows[2].images[4], ds[2].image, 0, 1e-6)
	for _, word in ipairs{ "1, view 1: crop ", ", flip", "3, view 3: as it is" } do
		if not tostring(p):find(word, 1, true) then error(tostring(p)) end
	end
	equal(#aug.preview(ds, plain).rows, 8)
	equal(#aug.preview(data.shapes{ n = 3, size = 8 }, plain).rows, 3)
	local path = os.tmpname()
	p:save(path .. ".gp")
	local script = assert(io.open(path .. ".gp", "rb"))
	local text = script:read "a"
	script:close()
	os.remove(path .. ".gp")
	local x, y = text:match "set xrange %[%-%.5:(%d+)%.5%]\nset yrange %[(%d+)%.5:%-%.5%]"
	equal(select(2, text:gsub("\n%d+ %d+ %d+ %d+ %d+%f[\n]", "")), (x + 1) * (y + 1)) -- the axes end at the last pixel
	equal(x + 1, 4 * (72 + 4) + 4) -- cells of 72 pixels with 4 between and around them
	equal(y + 1, 3 * (72 + 4) + 4)
	if os.execute "command -v gnuplot >/dev/null" then
		p:save(path .. ".png")
		local file = assert(io.open(path .. ".png", "rb"))
		equal(file:read(8), "\137PNG\r\n\26\n")
		file:close()
		os.remove(path .. ".png")
	end
	os.remove(path)
	fails(function() aug.preview(ds, plain, { m = 3 }) end, "aug.preview", "'m'")
	fails(function() aug.preview(3, plain) end, "dataset")
	fails(function() aug.preview(ds, 3) end, "pipeline")
	fails(function() aug.preview(ds, aug.batch(function(v) return v end)) end, "views")
	fails(function() aug.preview(ds, aug.normalize{ mean = { 1, 2 }, std = 1 }) end, "normalize")
end)

test("a terminal shows pictures", function()
	local look = assert(io.popen(("TERM=xterm-256color COLORTERM= script -qec '%s -e \"aug.preview(data.shapes{n = 4, size = 8}, "
		.. "aug.weak(8), {n = 1})\"' /dev/null 2>&1"):format(os.getenv "BARLOW" or "./barlow")))
	local text = look:read "a"
	look:close()
	if text:find "script:" or text:find "not found" then return end -- the program is not installed
	local _, cells = text:gsub("▀", "")
	if cells < 3 * 4 * 4 or not text:find "\27%[38;5;" then error(text) end
end)

test("statistics: speed by operator, and the similarity of a pair", function()
	local s = aug.stats(ds, plain)
	near(s.correlation, 1, 1e-5)
	local weak, strong = aug.stats(ds, aug.weak(8)), aug.stats(ds, aug.compose{ aug.crop{ size = 8, scale = { .05, .1 } }, aug.flip() })
	if not (strong.correlation < weak.correlation and weak.correlation < 1) then error(tostring(weak) .. tostring(strong)) end
	equal(#weak.views, 2)
	equal(weak.views[1].operators[1].name, "without operators")
	equal(weak.views[1].operators[2].name, "crop")
	if not (weak.views[1].rate > 0) then error(tostring(weak)) end
	local sum = 0
	for _, op in ipairs(strong.views[1].operators) do sum = sum + op.share end
	near(sum, 1, 1e-6)
	equal(aug.stats(ds, aug.views{ aug.crop(8), aug.crop(4) }).correlation, nil)
	for _, word in ipairs{ "views/s", "crop", "correlation of a pair" } do
		if not tostring(weak):find(word, 1, true) then error(tostring(weak)) end
	end
end)

tap.done()
