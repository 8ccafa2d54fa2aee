-- SPDX-License-Identifier: GPL-3.0-or-later
--[[
First light: a small convolutional encoder learns from Fashion-MNIST without
labels, and is then held against raw pixels and against itself untrained.

    barlow examples/first_light.lua [--plain] [--epochs N] [--steps N] [--seed N] [--out FOLDER]

--plain   progress lines also on a terminal, instead of the screen
--steps   ends after so many steps, whatever the epochs
--out     where weights and figures go (.)

Ctrl-C stops between two steps, saves, and prints the table so far.
]]

-- Options.

local function usage(message)
	io.stderr:write("first_light: ", message, "\n",
		"usage: barlow examples/first_light.lua [--plain] [--epochs N] [--steps N] [--seed N] [--out FOLDER]\n")
	os.exit(2)
end

local function parse(list)
	local o = { epochs = 5, seed = 1, out = "." }
	local numbers = { ["--epochs"] = "epochs", ["--steps"] = "steps", ["--seed"] = "seed" }
	local i = 1
	while i <= #list do
		local name, value = list[i], list[i + 1]
		if name == "--plain" then
			o.plain = true
		elseif name == "--out" then
			o.out, i = value or usage "--out needs a folder", i + 1
		elseif numbers[name] then
			o[numbers[name]], i = math.tointeger(tonumber(value)) or usage(name .. " needs an integer"), i + 1
		else
			usage(("unknown option '%s'"):format(name))
		end
		i = i + 1
	end
	return o
end

-- Data.

local function load_data()
	local fine, train = pcall(data.fashion, { train = true })
	if fine then return train, data.fashion{ train = false } end
	print(train)
	print "Fashion-MNIST is not here (Debian package dataset-fashion-mnist): going on with generated shapes."
	return data.shapes{ n = 60000, size = 28, channels = 1, seed = 1 },
		data.shapes{ n = 10000, size = 28, channels = 1, seed = 2 }
end

-- What is trained.

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
		batch = 256, epochs = o.epochs, steps = o.steps, seed = o.seed,
		knn = { every = 1, refs = train:subset(1, 5000), queries = test:subset(1, 2000) },
	}
end

-- What it is worth.

local REFERENCES, FEW = 20000, 1000

local function row_features(encoder, train, test)
	return eval.features(encoder, train), eval.features(encoder, test, { like = train })
end

-- Fills row = {knn, few, all}, one measure after the other: what Ctrl-C leaves is shown.
local function measure(row, encoder, train, test)
	local a, b = row_features(encoder, train, test)
	local few, references = math.min(FEW, #train), math.min(REFERENCES, #train)
	local function part(n)
		return { train = a:narrow(1, 1, n), train_labels = train:subset(1, n), test = b, test_labels = test }
	end
	row[1] = eval.knn(part(references))
	row[2] = eval.linear(part(few))
	row[3] = eval.linear{ train = a, train_labels = train, test = b, test_labels = test }
end

local function print_table(rows, train)
	local heads = { ("kNN, %d references"):format(math.min(REFERENCES, #train)),
		("linear, %d labels"):format(math.min(FEW, #train)), ("linear, %d labels"):format(#train) }
	print(("\n| %-22s | %s |"):format("features", table.concat(heads, " | ")))
	print("| " .. ("-"):rep(22) .. " | " .. ("-"):rep(#heads[1]) .. " | " .. ("-"):rep(#heads[2]) .. " | "
		.. ("-"):rep(#heads[3]) .. " |")
	for _, row in ipairs(rows) do
		local cells = {}
		for i, head in ipairs(heads) do
			cells[i] = (row[i] and ("%.4f"):format(row[i]) or "-") .. (" "):rep(#head - (row[i] and 6 or 1))
		end
		print(("| %-22s | %s |"):format(row.name, table.concat(cells, " | ")))
	end
	print()
end

-- The run: on the screen where there is one, else in lines.  Is it complete?
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

local function save_figure(make, path)
	local fine, message = pcall(function() make():save(path) end)
	print(fine and "saved " .. path or message)
end

local function save(t, o)
	if t.iteration == 0 then return end
	local base = o.out:gsub("/*$", "/")
	t:save(base .. "first_light.safetensors")
	print("saved " .. base .. "first_light.safetensors")
	save_figure(function() return plot.curves(t) end, base .. "first_light.svg")
	save_figure(function() return plot.heatmap(t.C, { title = "cross-correlation" }) end, base .. "c.png")
end

-- Measures a row unless Ctrl-C comes; what it had by then stays in the row.
local function try_measure(row, encoder, train, test)
	print(("measuring %s ..."):format(row.name))
	return interruptible(measure, row, encoder, train, test)
end

local function main()
	local o, started = parse(arg), os.time()
	local train, test = load_data()
	print(train)
	local encoder = new_encoder(train, o.seed)
	local rows = { { name = "raw pixels" }, { name = "untrained encoder" }, { name = "trained encoder" } }
	local complete = try_measure(rows[1], nil, train, test) and try_measure(rows[2], encoder, train, test)
	if complete then
		local t = new_trainer(train, test, encoder, o)
		print(("%d parameters, %d steps of %d images"):format(encoder:count() + t.projector:count(), t.steps, t.batch))
		complete = train_it(t, o)
		rows[3].name = ("trained, %d steps"):format(t.iteration)
		print(("kNN during training (5,000 references, 2,000 queries): %s"):format(last_knn(t) or "not measured yet"))
		save(t, o)
		complete = complete and try_measure(rows[3], encoder, train, test)
	end
	print_table(rows, train)
	print(("%s in %s"):format(complete and "done" or "stopped", os.date("!%M:%S", os.time() - started)))
end

main()
