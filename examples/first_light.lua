-- SPDX-License-Identifier: GPL-3.0-or-later
--[[
First light: trains a small convolutional encoder on Fashion-MNIST without
labels, shows the run on the screen, and then compares the encoder's features
with raw pixels and with those of the untrained encoder.

    barlow examples/first_light.lua [--plain] [--epochs N] [--steps N] [--seed N] [--out FOLDER] [--data FOLDER]
        [--images N] [--precision float32|bf16]

--plain   print progress lines also on a terminal, instead of the screen
--steps   end after this number of steps, if it is reached before the epochs
--out     folder for weights and figures (.)
--data    folder with the files of Fashion-MNIST; without them, generated shapes are used
--images  number of training images, for a quick try (all)
--precision  precision of the projector's matrix products (float32)

During training, Ctrl-C stops the run between two steps and saves it, and no table is printed.  During the comparison, Ctrl-C
ends it, and the table shows the numbers that were measured by then.
]]

-- Options.

local function usage(message)
	io.stderr:write("first_light: ", message, "\n",
		"usage: barlow examples/first_light.lua [--plain] [--epochs N] [--steps N] [--seed N] [--out FOLDER] "
		.. "[--data FOLDER] [--images N] [--precision float32|bf16]\n")
	os.exit(2)
end

local function parse(list)
	local o = { epochs = 5, seed = 1, out = "." }
	local numbers = { ["--epochs"] = "epochs", ["--steps"] = "steps", ["--seed"] = "seed", ["--images"] = "images" }
	local folders = { ["--out"] = "out", ["--data"] = "data" }
	local i = 1
	while i <= #list do
		local name, value = list[i], list[i + 1]
		if name == "--plain" then
			o.plain = true
		elseif name == "--precision" then
			o.precision, i = value or usage "--precision needs float32 or bf16", i + 1
		elseif folders[name] then
			o[folders[name]], i = value or usage(name .. " needs a folder"), i + 1
		elseif numbers[name] then
			o[numbers[name]], i = math.tointeger(tonumber(value)) or usage(name .. " needs an integer"), i + 1
		else
			usage(("unknown option '%s'"):format(name))
		end
		i = i + 1
	end
	return o
end

-- Checks before the training, and not after minutes of it, that files can be written to the folder.
local function check_out(folder)
	local path = folder:gsub("/*$", "/first_light.tmp")
	local file, message = io.open(path, "w")
	if not file then
		io.stderr:write("first_light: --out: ", message, "\n")
		os.exit(1)
	end
	file:close()
	os.remove(path)
end

-- Data.

local TRAIN, TEST = 60000, 10000

local function generated()
	local function shapes(n, seed) return data.shapes{ n = n, size = 28, channels = 1, seed = seed } end
	return shapes(TRAIN, 1), shapes(TEST, 2)
end

local function read(folder)
	return data.fashion{ train = true, folder = folder }, data.fashion{ train = false, folder = folder }
end

local function load_data(folder)
	local fine, train, test = pcall(read, folder)
	if fine then return train, test end
	if not train:find(": no train-images-idx3-ubyte", 1, true) then error(train, 0) end
	print((train:gsub("^.-:%d+: ", ""))) -- names the file and the package
	print "Going on without Fashion-MNIST, with generated shapes."
	return generated()
end

-- The first n images, or all of them.
local function first(ds, n) return n and n < #ds and ds:subset(1, n) or ds end

-- Network and trainer.

local function new_encoder(train, seed)
	return nn.cnn{ channels = train.channels, widths = { 16, 32, 64, 128 }, strides = { 1, 2, 2, 2 },
		image = train.width }:init(seed)
end

local function new_trainer(train, test, encoder, o)
	return trainer{
		name = "first light",
		data = train,
		encoder = encoder,
		projector = { 512, 512 },
		views = aug.compose{ aug.crop{ size = train.width, scale = { .4, 1 } }, aug.flip(.5),
			aug.jitter{ brightness = .6, contrast = .6, saturation = 0, hue = 0, p = 1 } },
		loss = loss.barlow{ lambda = .005 },
		optim = optim.adamw{ lr = 2e-3 },
		schedule = "cosine",
		batch = 256, epochs = o.epochs, steps = o.steps, seed = o.seed, precision = o.precision,
		knn = { every = 1, refs = first(train, 5000), queries = first(test, 2000) },
	}
end

-- Evaluation.

local REFERENCES, FEW = 20000, 1000

local function row_features(encoder, train, test)
	return eval.features(encoder, train), eval.features(encoder, test, { like = train })
end

-- Calls f and prints what is measured, how long it took, and the result.
local function report(what, f, ...)
	local start = os.time()
	io.write("  ", what, " ... ")
	io.flush()
	local accuracy = f(...)
	print(("%.4f  (%d s)"):format(accuracy, os.time() - start))
	return accuracy
end

local function heads(train)
	return { ("kNN, %d references"):format(math.min(REFERENCES, #train)), "kNN whitened",
		("linear, %d labels"):format(math.min(FEW, #train)), ("linear, %d labels"):format(#train) }
end

-- Whitening gives all directions the same weight; in plain cosine similarity a few large directions dominate.
local function whitened(encoder, train, test, n)
	local refs = train:subset(1, math.min(n, #train))
	return eval.knn{ whiten = true, train = eval.features(encoder, refs, { like = train, pool = 2 }), train_labels = refs,
		test = eval.features(encoder, test, { like = train, pool = 2 }), test_labels = test }
end

-- Fills row = {knn, whitened, few, all} one after the other, so that after Ctrl-C the finished ones are shown.
local function measure(row, encoder, train, test)
	local a, b = row_features(encoder, train, test)
	local function part(n)
		n = math.min(n, #train)
		return { train = a:narrow(1, 1, n), train_labels = train:subset(1, n), test = b, test_labels = test }
	end
	local what = heads(train)
	row[1] = report(what[1], eval.knn, part(REFERENCES))
	row[2] = report(what[2], whitened, encoder, train, test, REFERENCES)
	row[3] = report(what[3], eval.linear, part(FEW))
	row[4] = report(what[4], eval.linear, part(#train))
end

local function print_table(rows, train)
	local heads = heads(train)
	print(("\n| %-22s | %s |"):format("features", table.concat(heads, " | ")))
	local rules = { ("-"):rep(22) }
	for i, head in ipairs(heads) do rules[i + 1] = ("-"):rep(#head) end
	print("| " .. table.concat(rules, " | ") .. " |")
	for _, row in ipairs(rows) do
		local cells = {}
		for i, head in ipairs(heads) do
			cells[i] = (row[i] and ("%.4f"):format(row[i]) or "-") .. (" "):rep(#head - (row[i] and 6 or 1))
		end
		print(("| %-22s | %s |"):format(row.name, table.concat(cells, " | ")))
	end
	print()
end

-- Trains: on the screen if there is a terminal, otherwise with progress lines.  Returns true if the run is complete.
local function train_it(t, o)
	local watched, how = false, nil
	if not o.plain then watched, how = pcall(t.watch, t) end -- fails where there is no terminal
	if not watched or how == "quit" then t:run() end
	t:wait()
	return t.state == "done"
end

local function last_knn(t)
	for i = #t, 1, -1 do
		local r = t:record(i)
		if r.knn == r.knn then return ("%.4f at step %d"):format(r.knn, r.step) end -- NaN: not measured there
	end
end

-- Saves the weights and prints where, or why that failed: a full disk must not prevent the evaluation.  Returns true if they
-- were saved.
local function try_save(make, path)
	local fine, message = pcall(function() make():save(path) end)
	print(fine and "saved " .. path or message)
	return fine
end

local function save(t, o)
	local base = o.out:gsub("/*$", "/")
	local saved = try_save(function() return t end, base .. "first_light.safetensors")
	saved = try_save(function() return plot.curves(t) end, base .. "first_light.svg") and saved
	return try_save(function() return plot.heatmap(t.C, { title = "cross-correlation", batch = t.batch }) end, base .. "c.png") and saved
end

-- Measures a row until it is complete or Ctrl-C is pressed; the numbers measured by then stay in the row.
local function try_measure(row, encoder, train, test)
	print(("measuring %s"):format(row.name))
	return interruptible(measure, row, encoder, train, test)
end

local function main()
	local o, started = parse(arg), os.time()
	check_out(o.out)
	local train, test = load_data(o.data)
	train = first(train, o.images)
	print(train)
	local encoder = new_encoder(train, o.seed)
	local t = new_trainer(train, test, encoder, o)
	print(("%d parameters, %d steps of %d images"):format(encoder:count() + t.projector:count(), t.steps, t.batch))
	local complete = train_it(t, o)
	local rows = { { name = "raw pixels" }, { name = "untrained encoder" },
		{ name = ("trained, %d steps"):format(t.iteration) } }
	print(("kNN during training (%d references, %d queries): %s"):format(#t.knn.refs,
		#t.knn.queries, last_knn(t) or "not measured yet"))
	local saved = t.iteration == 0 or save(t, o)
	if complete then
		print "Comparing these features with raw pixels and the untrained encoder; Ctrl-C ends it."
		complete = try_measure(rows[3], encoder, train, test) and try_measure(rows[1], nil, train, test)
			and try_measure(rows[2], new_encoder(train, o.seed), train, test) -- the same weights as before the first step
	end
	if rows[3][1] then print_table(rows, train) end
	print(("%s in %s"):format(complete and "done" or "stopped", os.date("!%M:%S", os.time() - started)))
	return saved
end

if not main() then os.exit(1, true) end
