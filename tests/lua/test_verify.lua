-- SPDX-License-Identifier: GPL-3.0-or-later
-- test_verify.lua: figures record the origin of their data, and verify detects what has changed since.
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local setup = require "setup"
local native = require "barlow.native"
local test, equal = tap.test, tap.equal
local read, write = setup.read, setup.write

local scratch = os.tmpname()
os.remove(scratch)
os.execute("mkdir " .. scratch)
local formats = { "svg", "png", "pdf", "tex", "gp" }

local function has(text, ...)
	for _, part in ipairs{ ... } do
		if not text:find(part, 1, true) then error(("%q is not in\n%s"):format(part, text), 2) end
	end
end
local function verify(args)
	local p = assert(io.popen(("'%s' verify %s 2>&1"):format(os.getenv "BARLOW" or "./barlow", args)))
	local text = p:read "a"
	local _, _, status = p:close()
	return text, status
end
local function fails(f, ...)
	local fine, message = pcall(f)
	if fine then error("nothing was raised", 2) end
	has(tostring(message), ...)
end

local function small(name, lambda, seed, epochs, wait)
	local d = data.shapes{ n = 96, size = 8, channels = 1 }
	local t = trainer{ data = d, encoder = nn.cnn{ widths = { 4 }, image = 8 }, projector = { 8 }, batch = 32, epochs = epochs or 2,
		name = name, seed = seed, loss = loss.barlow{ lambda = lambda }, knn = { refs = d, queries = d } }
	t:start()
	if wait ~= false then t:wait() end
	return t
end

if not os.execute "command -v gnuplot >/dev/null" then
	print "1..0 # SKIP gnuplot is not installed"
	return
end

local tag = "verify" .. (native.whoami and native.whoami().pid or os.time())
local t = small(tag .. "a", .01, 1)
local one, two, three = runs.get(tag .. "a"), runs.get(small(tag .. "b", .01, 2).folder), runs.get(small(tag .. "c", .05, 1).folder)
local live = one.folder .. "/live"

test("every format contains its data, and is verified", function()
	for _, e in ipairs(formats) do
		local path = scratch .. "/curves." .. e
		plot.curves(one):save(path)
		local text, status = verify(path)
		has(text, "curves, made by barlow", "same     picture", "run " .. one.id .. ": 6 records, recipe and seed are the same", "still give this figure")
		equal(status, 0, e)
		local record = native.json_read((native.figure_record(path)))
		local total = native.run_records(one.folder).total
		for _, s in ipairs(record.data.panels[1].series) do
			if s.label == "total" then
				equal(#s.y, 6)
				equal(("%.6g"):format(s.y[6]), ("%.6g"):format(total[6]), e)
			end
		end
		equal(record.runs[1].seed, 1)
		has(record.runs[1].recipe, "loss.barlow", "lambda = 0.01")
	end
end)

test("every kind of figure of runs is verified, and remade to the bit", function()
	local all = { curves = plot.curves{ one, two, metric = "total" }, trainer = plot.curves(t), heatmap = plot.heatmap(one), heatmaps = plot.heatmap{ one, three },
		spectrum = plot.spectrum(one), spectra = plot.spectrum{ one, three }, compare = plot.compare{ one, two, three, metric = "knn" } }
	for name, f in pairs(all) do
		local path, again = scratch .. "/" .. name .. ".svg", scratch .. "/" .. name .. "-again.svg"
		f:save(path, { width = "column" })
		local text, status = verify(path)
		if status ~= 0 then error(text) end
		verify(("--remake -o %s %s"):format(again, path))
		equal(read(again), read(path), name)
	end
end)

test("heatmaps of several runs have their names, one scale, and the cells of each in the record", function()
	local path = scratch .. "/several.svg"
	local f = plot.heatmap{ one, three }
	equal(tostring(f), "figure of 2 matrices")
	f:save(path)
	local text = read(path)
	has(text, ">" .. one.name .. ", step ", ">" .. three.name .. ", step ")
	local record = native.json_read(native.figure_record(path))
	equal(#record.data.matrices, 2)
	equal(record.data.matrices[1].floor, record.data.matrices[2].floor)
	record.runs, record.hash = {}, nil
	equal(tostring(require "barlow.figure".of_data(record)), "figure of 2 matrices")
end)

test("one changed record is detected in every format", function()
	local before = read(live)
	for _, e in ipairs(formats) do
		local path = scratch .. "/changed." .. e
		plot.curves(one):save(path)
		local total = native.run_records(one.folder).total[3]
		local at = before:find(string.pack("d", total), 1, true)
		if not at then error "the record is not in the live file as it was thought" end
		write(live, before:sub(1, at - 1) .. string.pack("d", total * (1 + 1e-7)) .. before:sub(at + 8))
		local text, status = verify(path)
		write(live, before)
		equal(status, 1, e)
		-- A record that contradicts its own checksum is left out where records have checksums.
		if not text:find "its first 6 records have other values" and not text:find "it has 5 records, had 6" then error(text) end
		has(text, "do not give this figure")
	end
	has(verify(scratch .. "/changed.svg"), "still give this figure")
end)

test("differences are named: recipe, seed, data, a missing run", function()
	local path, recipe = scratch .. "/named.svg", one.folder .. "/recipe.lua"
	local before = read(recipe)
	plot.curves{ one, two }:save(path)
	write(recipe, (before:gsub("lambda = 0.01", "lambda = 0.02")))
	has(verify(path), "differs  run " .. one.id .. ": its recipe: line", "is lambda = 0.02, was lambda = 0.01")
	write(recipe, before)
	os.rename(live, live .. ".away")
	local text, status = verify(path)
	equal(status, 1)
	has(text, "run " .. one.id .. ": missing", "cannot be checked: 1 of its runs")
	has(verify("--remake " .. path), "cannot be made again: runs are missing")
	os.rename(two.folder .. "/live", two.folder .. "/live.away")
	write(live, read(two.folder .. "/live.away")) -- another run in its place
	os.rename(two.folder .. "/live.away", two.folder .. "/live")
	has(verify(path), "its first 6 records have other values", "figure: '" .. tag .. "a': y at x = 1 is ", "values more")
	os.rename(live .. ".away", live)
	has(verify(path), "still give this figure")
end)

test("a changed picture and changed data are detected", function()
	for _, e in ipairs(formats) do
		local path = scratch .. "/edited." .. e
		plot.curves(one):save(path)
		local text = read(path)
		if e == "svg" then text = text:gsub("</svg>", "<circle r='9'/></svg>", 1) else text = text .. "\n" end
		write(path, text)
		local said, status = verify(path)
		equal(status, 1, e)
		has(said, "differs  picture: the file was changed")
	end
	local path = scratch .. "/data.gp"
	plot.curves(one):save(path)
	local all = read(path)
	local x = all:match '"x":%[1'
	if not x then error "no data in the script" end
	write(path, (all:gsub('"x":%[1', '"x":[2', 1)))
	has(verify(path), "differs  data: the data in the file do not match the hash")
end)

test("a run that has trained further still gives the figure of its beginning", function()
	local d = data.shapes{ n = 96, size = 8, channels = 1 }
	local u = trainer{ data = d, encoder = nn.cnn{ widths = { 4 }, image = 8 }, projector = { 8 }, batch = 32, epochs = 40,
		name = tag .. "d" }
	tap.pause_at(u, 5)
	local n = #u.records.step
	plot.curves(u):save(scratch .. "/early.svg")
	u:resume():wait()
	equal(#u.records.step, 120)
	local text, status = verify(scratch .. "/early.svg")
	has(text, n .. " records, recipe and seed are the same")
	equal(status, 0)
end)

test("a run that is training is asked for points of its embedding", function()
	local u = small(tag .. "e", .01, 3, 1e5, false)
	local path = scratch .. "/points.svg"
	plot.embedding(u):save(path)
	u:stop()
	u:wait()
	has(read(path), "of the variance")
	local record = native.json_read((native.figure_record(path)))
	equal(math.type(record.runs[1].moment), "integer")
	equal(#record.data.panels[1].series > 1, true)
end)

test("figures without runs say so, and are drawn again from their data", function()
	local path = scratch .. "/own.png"
	plot.lines{ { { 1, 2 }, { 3, 4 }, label = "mine" } }:save(path)
	local text, status = verify(path)
	equal(status, 1)
	has(text, "the figure has none", "The figure was made from no runs")
	text, status = verify("--remake -o " .. scratch .. "/own.svg " .. path)
	has(text, "made again from the data in it")
	equal(status, 0)
	has(read(scratch .. "/own.svg"), "mine")
	plot.heatmap(tensor.eye(4), { title = "mine, too", batch = 32 }):save(path)
	verify("--remake -o " .. scratch .. "/own.svg " .. path)
	has(read(scratch .. "/own.svg"), "mine, too", "what chance gives")
	plot.curves(one):save(path, { record = false })
	has(verify(path), "no record by barlow")
end)

test("figures of a sweep are verified by its results", function()
	local d = data.shapes{ n = 64, size = 8, channels = 1 }
	local s = sweep{ base = { data = d, encoder = nn.cnn{ widths = { 4 }, image = 8 }, projector = { 8 }, batch = 16, epochs = 1 },
		space = { ["loss.lambda"] = { .001, .01, .1 } }, seeds = 3, name = tag, folder = scratch .. "/sweep" }
	local function result(k, v)
		local path = native.trial_path(s.folder, k)
		native.make_folder(path)
		write(path .. "/result.json", ('{"state": "complete", "value": %.6f, "seconds": 1, "attempt": 1, "metrics": {"knn": %.6f}}'):format(v, v))
	end
	for k = 1, s.trials do result(k, .5 + .1 * math.sin(k)) end
	plot.sweep(s, "loss.lambda"):save(scratch .. "/over.svg")
	plot.compare(s):save(scratch .. "/arms.pdf")
	local pdf = read(scratch .. "/arms.pdf")
	local start = pdf:match "\nstartxref\n(%d+)\n%%%%EOF\n$" -- behind the record, too, as readers expect
	equal(pdf:sub(start + 1, start + 4), "xref")
	for _, name in ipairs{ "over.svg", "arms.pdf" } do
		local text, status = verify(scratch .. "/" .. name)
		has(text, "same     sweep sweep: its declaration is the same", "still give this figure")
		equal(status, 0)
		verify(("--remake -o %s/again.svg %s/%s"):format(scratch, scratch, name))
		has(verify(scratch .. "/again.svg"), "still give this figure")
	end
	result(2, .51)
	for _, name in ipairs{ "over.svg", "arms.pdf" } do
		local text, status = verify(scratch .. "/" .. name)
		equal(status, 1)
		has(text, "differs  figure:", "is ", "was ")
	end
	has(verify(scratch .. "/arms.pdf"), "names of rows: line 1 is") -- another order
	os.rename(s.folder, s.folder .. ".away")
	has(verify(scratch .. "/over.svg"), "sweep sweep: missing", "cannot be checked")
	equal(tostring(plot.compare({ one, two }, "knn")), tostring(plot.compare{ one, two, metric = "knn" }))
	fails(function() plot.compare(one, two.id) end, "several runs are given as a list: plot.compare{a, b}")
	fails(function() plot.compare(s, 3) end, "expected the name of a metric")
	fails(function() plot.compare(s, "no") end, "no trial has a no")
	fails(function() plot.sweep(s, "loss.lamda") end, "did you mean 'loss.lambda'?")
	equal(tostring(plot.sweep(s)), tostring(plot.sweep(s, "loss.lambda")))
	local wide = sweep{ base = s.base, space = { ["loss.lambda"] = { .001, .01 }, batch = { 16, 32 } }, seeds = 1, folder = scratch .. "/wide" }
	fails(function() plot.sweep(wide) end, "say which axis: the sweep has batch, loss.lambda")
end)

-- Each case is a hostile file: it is refused with a message, and nothing in it is shown or executed.
test("records from others are not trusted", function()
	local path = scratch .. "/hostile.gp"
	plot.curves(one):save(path)
	local record = native.json_read((native.figure_record(path)))
	local figure = require "barlow.figure"
	local function try(change, ...)
		local r = native.json_read((native.figure_record(path)))
		change(r)
		local text = figure.encode(r)
		local file = scratch .. "/hostile.tex"
		local lines = {}
		for i = 1, #text, 150 do lines[#lines + 1] = "%barlow-figure " .. text:sub(i, i + 149) end
		write(file, table.concat(lines, "\n") .. "\n")
		for _, how in ipairs{ "", "--json ", "--remake -o " .. scratch .. "/made.svg " } do
			local said, status = verify(how .. file)
			if how == "" then has(said, ...) end
			if status > 1 or said:find "traceback" then error(said) end
			if said:find "[\27\155]" then error "an escape was shown" end
		end
		if native.exists(scratch .. "/pwned") then error "something was run" end
	end
	local code = ("os.execute 'touch %s/pwned'"):format(scratch)
	try(function(r) r.version = 2 end, "its version is 2")
	try(function(r) r.version = nil end, "its version is nil")
	try(function(r) r.figure = "lines\27[31m" end, "its kind of figure is unknown")
	try(function(r) r.figure = "is_sweep" end, "its kind of figure is unknown")
	try(function(r) r.runs[1].id = "../../../etc" end, "its runs or settings are not valid")
	try(function(r) r.runs[1].id = nil; r.runs[1].name = nil end, "its runs or settings are not valid")
	try(function(r) r.runs[1].records = -1 end, "its runs or settings are not valid")
	try(function(r) r.runs[1].records = 1 << 60 end, "it has 6 records, had")
	try(function(r) r.runs[1].id = nil; r.runs[1].folder = "/dev"; r.runs[1].name = "x\27[2J" end, "run x\\x1b[2J: it was not saved")
	try(function(r) r.runs[1].recipe = code end, "its recipe: line 1")
	try(function(r) r.settings = { metric = "\27]0;x\7" } end, "have no '\\x1b]0;x\\x07'")
	try(function(r) r.settings = { metric = { code } } end, "its settings are not valid")
	try(function(r) r.settings = 3 end, "its runs or settings are not valid")
	try(function(r) r.data = nil end, "it has no data")
	try(function(r) r.data = { matrix = { { 1, 2 }, { 3 } }, dims = { 1, 2, 1, 2 }, floor = 0 } end, "its matrix is not valid")
	try(function(r) r.data.panels[1].series[1].y = "x" end, "its data are not valid panels")
	try(function(r) r.data.panels[1].series[1].y = { 1 } end, "differs")
	try(function(r) r.data.panels = { [3] = 1 } end, "its data are not valid panels")
	try(function(r) r.sweep = { name = "../x" } end, "its sweep is not valid")
	try(function(r) r.sweep = { name = "x" } end, "this kind of figure has no sweep")
	write(path, "#barlow-figure {\"a\":\n")
	has(verify(path), "its record is damaged")
	write(path, "#barlow-figure [1,2]\n")
	has(verify(path), "its record was not written by barlow")
	has(verify(scratch .. "/nothing.svg"), "nothing.svg")
	has(verify(scratch), "verify:")
	has(verify("-o x.svg " .. path), "-o can be used only with --remake")
	plot.curves(one):save(scratch .. "/fine.svg") -- an unreadable file does not hide the others
	local text, status = verify(scratch .. "/nothing.svg " .. path .. " " .. scratch .. "/fine.svg")
	has(text, "nothing.svg", "its record was not written by barlow", "still give this figure")
	equal(status, 1)
end)

test("the axis of a spectrum of features names the values that eval.spectrum computes", function()
	local panel = require "barlow.native".figure_data(plot.spectrum(tensor.randn(20, 4))).panels[1]
	equal(panel.ylabel, "eigenvalue of the features' covariance")
end)

test("invalid arguments are reported", function()
	fails(function() plot.compare{ metric = "knn" } end, "plot.compare: expected a trainer, a run, or a list of runs")
	fails(function() plot.compare{ one, metrc = "knn" } end, "unknown key 'metrc' (did you mean 'metric'?)")
	fails(function() plot.compare({ one }, { metric = 3 }) end, "'metric' must be a string, got 3")
	fails(function() plot.compare{ one, metric = "lambdaa" } end, "have no 'lambdaa' (did you mean 'lambda'?)")
	fails(function() plot.spectrum(3) end, "plot.spectrum: expected a tensor, a trainer, a run, or a list of runs, got 3")
	fails(function() plot.spectrum(tensor.zeros(4)) end, "no value is above 0")
	fails(function() plot.embedding(one) end, "has no points of its embeddings", "eval.features")
	-- A tensor gives the same points as a list.
	local shown, file = {}, os.tmpname() .. ".gp"
	for i, y in ipairs{ { 1, 4, 9 }, tensor{ 1, 4, 9 }, tensor{ { 1, 0 }, { 4, 0 }, { 9, 0 } }:select(2, 1) } do
		plot.lines{ { x = { 1, 2, 3 }, y = y } }:save(file, { record = false })
		shown[i] = read(file)
	end
	os.remove(file)
	has(shown[1], "2 4", "3 9")
	equal(shown[2], shown[1])
	equal(shown[3], shown[1])
	-- Texts and fractions get numbers that no label has.
	local path = os.tmpname() .. ".gp"
	for want, labels in pairs{ ["cat dog bird"] = { "cat", "dog", "cat", "bird" }, ["0 1 1.5 x"] = { 1.5, 0, "x", 1 }, ["0 1"] = { 0, 0, 1, 1 } } do
		plot.embedding(tensor.randn(4, 2), { labels = labels }):save(path)
		local names, file = {}, assert(io.open(path))
		for name in file:read "a":gmatch "dashtype 1 title '([^']*)'" do names[#names + 1] = name end
		file:close()
		equal(table.concat(names, " "), want)
	end
	os.remove(path)
	fails(function() plot.embedding(tensor.zeros(4)) end, "expected points (N, 2) or features (N, D), not a tensor (4)")
	fails(function() plot.embedding(tensor.randn(4, 2), { labels = { 1 } }) end, "'labels' must be a list or a tensor of 4 labels")
	fails(function() plot.embedding(tensor.randn(4, 2), { lables = { 1 } }) end, "did you mean 'labels'?")
	fails(function() plot.heatmap({ one, two }, { title = "both" }) end, "a title is for one run")
	fails(function() plot.heatmap({ one, "no-such-run" }) end, "no-such-run")
	fails(function() plot.curves(one):save(scratch .. "/a.svg", { width = "colum" }) end, "width", "did you mean 'column'?")
	fails(function() plot.curves(one):save(scratch .. "/a.gif") end, ".svg, .png, .pdf, .tex or .gp")
	fails(function() plot.curves(one):save(scratch .. "/none/a.svg") end, "none/a.svg")
	fails(function() plot.curves(one):save() end, "string expected")
end)

test("figures print a description, and a matrix may have missing elements", function()
	equal(tostring(plot.lines{ { { 1 }, { 2 } }, title = "x\27" }), "figure of 1 series: x\\x1b")
	equal(tostring(plot.curves(one)), ("figure of 2 panels: %s   (batch 32, D 8)"):format(one.name))
	local c = tensor.eye(2)
	c[1][2] = 0 / 0
	local f = plot.heatmap(c, { title = "holes" })
	equal(tostring(f), "figure of a matrix: holes")
	f:save(scratch .. "/holes.gp")
	has(read(scratch .. "/holes.gp"), "\n1 NaN\n0 1\nEOD", '"matrix":[[1,"nan"],[0,1]]')
	local text = verify("--remake -o " .. scratch .. "/holes.svg " .. scratch .. "/holes.gp")
	has(text, "made again from the data in it")
end)

test("a full disk leaves the existing figure unchanged", function()
	local path = scratch .. "/full.png"
	plot.curves(one):save(path)
	local before = read(path)
	local command = ("ulimit -f 1; '%s' -e 'plot.curves(%q):save(%q)' 2>&1"):format(os.getenv "BARLOW" or "./barlow", one.id, path)
	local p = io.popen(command)
	local said = p:read "a"
	local _, _, status = p:close()
	equal(status, 1)
	has(said, "full.png")
	equal(read(path), before)
end)

for _, r in ipairs(runs.list{}) do
	if r.name:sub(1, #tag) == tag then native.run_remove(r.folder, true) end
end
os.execute("rm -r " .. scratch)
tap.done()
