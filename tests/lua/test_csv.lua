-- SPDX-License-Identifier: GPL-3.0-or-later
-- data.csv: image files and labels from a table of text.
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local test, equal, fails = tap.test, tap.equal, tap.fails

local photographs = tap.root .. "tests/reference/photographs"
local root = os.tmpname()
os.remove(root)
local function sh(command) assert(os.execute((command:gsub("%%", "'" .. root .. "'")))) end
sh("mkdir -p '%/pictures, all' && cp '" .. photographs .. "'/*.png '%/pictures, all'")
sh("cp '" .. photographs .. "'/palette.png %/'a \"quoted\" name.png'")
local function table_of(text)
	local file = assert(io.open(root .. "/t.csv", "wb"))
	file:write(text)
	file:close()
	return root .. "/t.csv"
end
local function text(list) return table.concat(list, "|") end

test("paths are relative to the table, labels by name are sorted", function()
	local ds = data.csv{ table_of('file,species,note\n"pictures, all/palette.png",dog,"two\r\nlines"\n'
		.. '"a ""quoted"" name.png",cat,\n"' .. root .. '/pictures, all/palette.png",dog,"a ""b"""'), labels = "species" }
	equal(#ds, 3)
	equal(text(ds.classes), "cat|dog")
	equal(text(ds.labels), "2|1|2")
	equal(ds[1].path, root .. "/pictures, all/palette.png")
	equal(ds[2].path, root .. '/a "quoted" name.png')
	equal(ds[3].path, root .. "/pictures, all/palette.png")
	tap.close(ds[1].image, ds[2].image, 0, 0)
	tap.close(ds[1].image, ds[3].image, 0, 0)
	equal(ds[1].image:size(1), 3)
	equal(tostring(ds):match "[^\n]*", "t.csv: 3 images 41 x 53, 3 channels, 2 classes")
end)

test("labels that are numbers are classes from 0; columns by number; no header; a mark, CR LF and another separator", function()
	local ds = data.csv{ table_of '\xef\xbb\xbf3;pictures, all/palette.png\r\n\r\n0;"a ""quoted"" name.png"', header = false,
		separator = ";", images = "2", labels = "1", channels = 1, size = 8 }
	equal(#ds, 2)
	equal(text(ds.classes), "0|1|2|3")
	equal(text(ds.labels), "4|1")
	equal(ds.channels, 1)
	equal(ds.height, 8)
	equal(#data.csv{ table_of "a\nx.png\n", size = 8 }.labels, 0)
end)

test("errors in a table are reported with the line", function()
	local function wrong(t, ...)
		local path = table_of(t)
		local words = { ... }
		fails(function() data.csv{ path, labels = "b" } end, path .. ": ", table.unpack(words))
	end
	wrong("", "it lists no images")
	wrong("a,b\n", "it lists no images")
	wrong("a,c\nx.png,1\n", "line 1: no column 'b'; there are a, c")
	wrong("a,b\nx.png,1\ny.png\n", "line 3: 1 fields, expected 2 as in the first row")
	wrong('a,b\n"x.png,1\n', "line 2: a quote that is not closed")
	wrong('a,b\n"x"y,1\n', "line 2: text after a closing quote")
	wrong('a,b\n"one\nline"z,1\n', "line 3: text after a closing quote")
	wrong('a,b\nx"y,1\n', "line 2: a quote within a field")
	wrong("a,b\nx\0y,1\n", "line 2: a zero byte")
	wrong("a,b\n,1\n", "line 2: the path of the image is empty")
	wrong("a,b\n" .. ("x"):rep(5000) .. ",1\n", "line 2: a path of more than 4095 bytes")
	fails(function() data.csv{ table_of "a,b\nnothing.png,1\n" } end, "/nothing.png: No such file") -- the image size is read from the first image
	fails(function() data.csv{ table_of "a,b\nx.png,1\n", size = 8, verify = true } end,
		"1 of 1 images cannot be read", "/x.png: No such file")
	fails(function() data.csv{ root .. "/nowhere.csv" } end, "nowhere.csv: cannot open")
	fails(function() data.csv{ table_of "a\n", separator = "ab" } end, "'separator'")
	fails(function() data.csv{ table_of "x.png,1\n", header = false, images = "3", size = 8 } end, "no column '3': expected a number from 1 to 2")
	fails(function() data.csv{ root } end, "not a regular file")
	sh "truncate -s 2G %/huge.csv"
	fails(function() data.csv{ root .. "/huge.csv" } end, "huge.csv: 2147483648 bytes, expected a table of at most")
end)

test("a file that is changed after the table was read is an error that names it", function()
	local path = table_of 'f\n"pictures, all/palette.png"\n"a ""quoted"" name.png"\n'
	local ds = data.csv(path)
	local keep = ds[2].image
	sh "cp -p %/'a \"quoted\" name.png' %/kept; head -c 60 %/kept >%/'a \"quoted\" name.png'"
	fails(function() return ds[2] end, '/a "quoted" name.png: it has been changed or replaced since it was listed', "60 now")
	sh "mv %/kept %/'a \"quoted\" name.png'"
	tap.close(ds[2].image, keep, 0, 0)
end)

test("recipes name the table by absolute path, and refuse one with other labels or images", function()
	local recipe = require "barlow.recipe"
	local path = table_of 'f,l\n"pictures, all/palette.png",x\n"a ""quoted"" name.png",y\n'
	local line = recipe.text(recipe.copy(data.csv{ path, labels = "l" }))
	local made = assert(load("return " .. line))()
	equal(text(made.classes), "x|y")
	table_of 'f,l\n"pictures, all/palette.png",y\n"a ""quoted"" name.png",x\n'
	fails(function() load("return " .. line)() end, "these are not the images that the recipe was written for")
	table_of 'f,l\n"pictures, all/palette.png",x\n"a ""quoted"" name.png",y\n'
	load("return " .. line)()
	sh "echo >>%/'a \"quoted\" name.png'"
	fails(function() load("return " .. line)() end, "is no longer the same file")
end)

sh "rm -r %"
tap.done()
