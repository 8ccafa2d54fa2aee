-- SPDX-License-Identifier: GPL-3.0-or-later
--[[
look.lua: shows images in the terminal (ds:show), shows what augmentations do to images (aug.preview), and measures
the time that they take (aug.stats).

aug.preview shows the views that a run with the same seed makes of the same images in the same epoch.
]]
local native = require "barlow.native"

local look = {}

-- Returns the pipeline of each view; a single pipeline makes two views.
local function pipelines_of(views)
	local several = pcall(function() return views.first end)
	if not several then return { views, views } end
	local list = {}
	for i = 1, #views do list[i] = views[i] end
	if #list == 0 then error("aug.batch without 'views' makes views only inside a trainer or loader: give 'views'", 3) end
	return list
end

-- Showing.

local RAMP = " .:-=+*#%@"

local function byte(v) return math.floor(255 * math.max(0, math.min(1, v)) + .5) end

-- Returns the terminal's number of colours: "full" (24 bits), "256", or nil if it has none.
local function colours()
	if not native.colours() then return nil end
	local more, term = os.getenv "COLORTERM" or "", os.getenv "TERM" or ""
	if more:find "truecolor" or more:find "24bit" then return "full" end
	return term:find "256" and "256" or nil
end

-- Returns the escape sequence that sets a colour (0 to 255 each); layer 3: foreground, 4: background.
local function code(kind, layer, r, g, b)
	if kind == "full" then return ("\27[%d8;2;%d;%d;%dm"):format(layer, r, g, b) end
	local function step(v) return (v * 5 + 127) // 255 end
	return ("\27[%d8;5;%dm"):format(layer, 16 + 36 * step(r) + 6 * step(g) + step(b))
end

-- Returns red, green and blue of an image (C,H,W), given as nested tables, at x and y, which are fractions of its
-- longer side; nil outside of the image.
local function pixel(image, x, y)
	local rows = #image[1]
	local columns = #image[1][1]
	local longer = math.max(rows, columns)
	local i, j = math.floor(y * longer) + 1, math.floor(x * longer) + 1
	if i > rows or j > columns then return nil end
	local r = image[1][i][j]
	if #image < 3 then return r, r, r end
	return r, image[2][i][j], image[3][i][j]
end

-- Returns the lines of text that draw a row of images, each `side` columns wide.  With colours a character cell shows
-- two pixels, one above the other; without, it shows one pixel as a character whose density is its lightness.
local function row_lines(images, side, kind)
	local lines, cells = {}, {}
	for i, t in ipairs(images) do cells[i] = t:totable() end
	for y = 0, side // 2 - 1 do
		local line = {}
		for _, image in ipairs(cells) do
			for x = 0, side - 1 do
				local r, g, b = pixel(image, (x + .5) / side, (2 * y + .5) / side)
				if not r then
					line[#line + 1] = kind and "\27[0m " or " "
				elseif kind then
					local r2, g2, b2 = pixel(image, (x + .5) / side, (2 * y + 1.5) / side)
					line[#line + 1] = code(kind, 3, byte(r), byte(g), byte(b))
						.. (r2 and code(kind, 4, byte(r2), byte(g2), byte(b2)) or "\27[49m") .. "▀"
				else
					local light = math.max(0, math.min(1, .299 * r + .587 * g + .114 * b))
					local at = math.floor(light * (#RAMP - 1) + .5) + 1
					line[#line + 1] = RAMP:sub(at, at)
				end
			end
			line[#line + 1] = kind and "\27[0m " or " "
		end
		lines[#lines + 1] = table.concat(line)
	end
	return lines
end

-- Returns text that draws an image (C,H,W), at most `most` columns wide.
function look.picture(image, most)
	local side = math.max(4, math.min(most, native.width() - 1)) // 2 * 2
	local lines = row_lines({ image }, side, colours())
	while lines[#lines]:find "^[%s\27%[0m]*$" and #lines > 1 do lines[#lines] = nil end
	return table.concat(lines, "\n")
end

-- ds:show(i): draws one image, at most 64 columns wide, and prints its size, class and path.
function look.show(ds, i)
	local it = ds[i]
	local rows, columns = it.image:size(2), it.image:size(3)
	local text = ("%s, image %d: %d x %d"):format(ds.name, i, rows, columns)
	local channels = it.image:size(1)
	if channels ~= 1 and channels ~= 3 then text = ("%s, %d channels, %s shown"):format(text, channels, channels > 3 and "the first 3" or "the first") end
	if it.label then text = ("%s, %s"):format(text, ds.classes[it.label]) end
	if it.path then text = ("%s, %s"):format(text, it.path) end
	io.write(look.picture(it.image, 64), "\n", native.clean(text), "\n")
end

local preview = {}
preview.__index = preview
preview.__name = "preview"

-- Returns texts with the randomly drawn parameters, one for each view.
local function notes_of(p)
	local notes = {}
	for i, row in ipairs(p.rows) do
		for v, drawn in ipairs(row.drawn) do
			notes[#notes + 1] = ("%d, view %d: %s"):format(row.sample, v, drawn ~= "" and drawn or "as it is")
		end
	end
	return notes
end

function preview:__tostring()
	return table.concat(notes_of(self), "\n")
end

-- Draws each image and its views in the terminal.
function preview:show()
	local kind, columns = colours(), 1 + #self.rows[1].drawn
	local side = math.max(4, math.min(32, native.width() // columns - 1)) // 2 * 2
	for _, row in ipairs(self.rows) do
		io.write(table.concat(row_lines(row.images, side, kind), "\n"), "\n\n")
	end
	return self
end

-- Saves a contact sheet of the images and their views, with the drawn parameters below it.
function preview:save(path)
	local rows, longest = {}, 1
	for i, row in ipairs(self.rows) do
		rows[i] = row.images
		for _, t in ipairs(row.images) do longest = math.max(longest, t:size(2), t:size(3)) end
	end
	local side = longest * math.max(1, math.ceil(72 / longest))
	native.look_sheet(rows, side, notes_of(self), "the image, and its views", path)
	return self
end

-- aug.preview: views of the first o.n images.  views: a pipeline, or one for each view.
function look.preview(ds, views, o)
	local list, plain, p = pipelines_of(views), require "barlow".aug.compose{}, { rows = {} }
	local report <close> = native.progress "views"
	for i = 1, math.min(o.n, #ds) do
		report(i - 1, math.min(o.n, #ds))
		local row = { sample = i, images = { (native.look_draw(plain, ds, i, 0, 1, 1)) }, drawn = {} }
		for v, pipe in ipairs(list) do
			row.images[v + 1], row.drawn[v] = native.look_draw(pipe, ds, i, o.seed, o.epoch, v)
		end
		p.rows[i] = row
	end
	setmetatable(p, preview)
	if native.is_terminal() then p:show() end
	return p
end

-- Measuring.

-- Returns Pearson's correlation of two images, or nil if their sizes differ or one of them is constant.
local function correlation(a, b)
	if a:numel() ~= b:numel() then return nil end
	a, b = a:contiguous():flatten(), b:contiguous():flatten()
	a, b = a - a:mean(), b - b:mean()
	local size = math.sqrt((a * a):sum():item() * (b * b):sum():item())
	return size > 1e-9 and (a * b):sum():item() / size or nil
end

local function mean_of(list)
	local sum = 0
	for _, v in ipairs(list) do sum = sum + v end
	return #list > 0 and sum / #list or nil
end

local stats = {}
stats.__name = "stats"

function stats.__tostring(s)
	local lines = {}
	for v, view in ipairs(s.views) do
		lines[#lines + 1] = ("view %d: %.0f views/s per core"):format(v, view.rate)
		for _, op in ipairs(view.operators) do
			lines[#lines + 1] = ("  %-20s %9.2f us  %3.0f%%"):format(op.name, op.seconds * 1e6, 100 * op.share)
		end
	end
	lines[#lines + 1] = ("correlation of a pair: %s (two views of an image; 1: equal); of views of two images: %s"):format(
		s.correlation and ("%.3f"):format(s.correlation) or "none, their sizes differ", s.others and ("%.3f"):format(s.others) or "none")
	return table.concat(lines, "\n")
end

-- Measures a pipeline on n views: an operator's time is that of the pipeline up to and including it, minus that of the pipeline
-- before it.  Reading the images is not timed; a pipeline without operators only converts them to float32.
local function measure(pipe, ds, n)
	local view, before = { operators = {} }, 0
	local all
	local report <close> = native.progress "operators"
	for i = 0, #pipe do
		report(i, #pipe + 1)
		all = native.look_time(pipe, i, ds, n)
		local name = i == 0 and "without operators" or (native.look_text(pipe, i))
		view.operators[i + 1] = { name = name, seconds = math.max(0, all - before) }
		before = math.max(before, all)
	end
	for _, op in ipairs(view.operators) do op.share = op.seconds / before end
	view.rate = 1 / all
	return view
end

-- aug.stats: the time of each operator, and mean correlations of two views of an image, and of views of two images.
function look.stats(ds, views, o)
	local n = math.min(o.n, #ds)
	local list, s, pairs_of, others = pipelines_of(views), { views = {} }, {}, {}
	for v, pipe in ipairs(list) do
		s.views[v] = v > 1 and pipe == list[v - 1] and s.views[v - 1] or measure(pipe, ds, n)
	end
	local last
	for i = 1, n do
		local a = native.look_draw(list[1], ds, i, o.seed, 1, 1)
		local b = native.look_draw(list[math.min(2, #list)], ds, i, o.seed, 1, 2)
		pairs_of[#pairs_of + 1] = correlation(a, b)
		others[#others + 1] = last and correlation(last, b)
		last = a
	end
	s.correlation, s.others = mean_of(pairs_of), mean_of(others)
	return setmetatable(s, stats)
end

return look
