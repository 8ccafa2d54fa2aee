-- SPDX-License-Identifier: GPL-3.0-or-later
-- help.lua: help(name): what the registry says of it.
local native = require "barlow.native"
local registry = require "barlow.registry"

local help = {}

local function entry(name, signature, text, example, keys)
	local list = {}
	for i, k in ipairs(keys or {}) do list[i] = { name = k[1], text = k[2] } end
	registry.add{ name = name, kind = name:find ":" and "method" or "function", written_signature = signature, text = text,
		example = example, keys = keys and list }
end

local group

group = "aug"
local image = "(data.shapes{n = 1, size = 16}[1].image)"
entry("aug.crop", "aug.crop{size = 224, scale = {.08, 1}, ratio = {3/4, 4/3}}", "Random resized crop, bicubic.",
	"aug.crop(8)" .. image)
entry("aug.resize", "aug.resize(size)", "The whole image at another size.", "aug.resize(8)" .. image)
entry("aug.flip", "aug.flip{p = .5}", "Left to right.", "aug.flip(1)" .. image)
entry("aug.jitter", "aug.jitter{brightness = .4, contrast = .4, saturation = .2, hue = .1, p = .8}",
	"Colour jitter in random order.",
	"aug.jitter{}" .. image)
entry("aug.grayscale", "aug.grayscale{p = .2}", "Without colour.", "aug.grayscale(1)" .. image)
entry("aug.blur", "aug.blur{sigma = {.1, 2}, p = 1}", "Gaussian blur.", "aug.blur{p = 1}" .. image)
entry("aug.solarize", "aug.solarize{threshold = .5, p = .2}", "Values above the threshold inverted.",
	"aug.solarize{p = 1}" .. image)
entry("aug.normalize", "aug.normalize{mean = {...}, std = {...}}", "(x - mean) / std for each channel.",
	"aug.normalize{mean = .5, std = .25}" .. image)
entry("aug.affine", "aug.affine{degrees = 10, translate = .1, scale = {.9, 1.1}, p = .5}", "Turned, moved, scaled.",
	"aug.affine{p = 1}" .. image)
entry("aug.noise", "aug.noise{std = .05, p = .5}", "Gaussian noise.", "aug.noise{p = 1}" .. image)
entry("aug.cutout", "aug.cutout{size = .3, p = .5}", "A square of zeros, its side a part of the image's shorter side.",
	"aug.cutout{size = .5, p = 1}" .. image)
entry("aug.compose", "aug.compose{pipelines...}", "One after the other.",
	"aug.compose{aug.crop(8), aug.flip()}" .. image)
entry("aug.twin", "aug.twin(T, T2)", "A pipeline for each of the two views.",
	"aug.twin(aug.crop(8), aug.resize(8))" .. image)
entry("aug.paper",
	"aug.paper{size = 224, scale =, flip =, jitter =, brightness =, ..., blur = {1, .1}, solarize = {0, .2}}",
	"The paper's T and T', any number changed.", "aug.paper{size = 8}" .. image)
entry("pipeline()", "pipe(image[, seed])", "One view of an image (C, H, W), values 0..1.", "aug.flip()" .. image)
entry("pair of pipelines.first", "pair.first", "The pipeline of the first view.", "aug.paper{size = 8}.first")
entry("pair of pipelines.second", "pair.second", "The pipeline of the second view.", "aug.paper{size = 8}.second")

group = "loss"
entry("loss.barlow",
	"loss.barlow{lambda = .0051, scale = 1, form = \"auto|direct|gram\", dialect = \"paper|algorithm1|hsic\"}",
	"The Barlow Twins loss: call it with two embeddings (N, D); gives a scalar and its terms.",
	"loss.barlow{lambda = .005}(tensor.randn(8, 4), tensor.randn(8, 4))", {
		{ "lambda", "weight of the redundancy term, the sum of C_ij^2 beside the diagonal" },
		{ "scale", "factor on the whole loss" },
		{ "form", "direct makes C (D x D); gram never does, O(N^2 D); auto takes the cheaper: the same loss" },
		{ "dialect", "paper: biased variance; algorithm1: unbiased, as its code; hsic: target -1 beside the diagonal" },
	})
entry("loss.correlation", "loss.correlation(za, zb[, dialect])", "The cross-correlation matrix C (D, D).",
	"loss.correlation(tensor.randn(8, 4), tensor.randn(8, 4))")
entry("loss.cross_entropy", "loss.cross_entropy(logits, labels)",
	"Mean of -log softmax at the labels, which count from 1.",
	"loss.cross_entropy(tensor.randn(2, 3), {1, 3})")
entry("loss:floor", "l:floor(n, d)", "What the loss of n embeddings of width d cannot go below.",
	"loss.barlow{}:floor(256, 8192)")
for _, name in ipairs{ "lambda", "scale", "form", "dialect" } do
	entry("loss." .. name, "l." .. name, "As it was given.", "loss.barlow{}." .. name)
end

group = "optim"
entry("optim.sgd", "optim.sgd([net,] {lr =, momentum = .9, nesterov =, weight_decay =, lr_bias =, params =})",
	"Gradient descent with momentum: settings for a trainer, or bound to net for a loop of one's own.",
	"optim.sgd(nn.linear(3, 4), {lr = .1})")
entry("optim.lars", "optim.lars([net,] {lr =, lr_bias =, momentum = .9, eta = .001, weight_decay =, params =})",
	"LARS as the paper's authors wrote it.", "optim.lars{lr = .2, lr_bias = .0048}")
entry("optim.adamw",
	"optim.adamw([net,] {lr =, beta1 = .9, beta2 = .999, eps = 1e-8, weight_decay =, decay_all =, params =})",
	"Adam with decoupled weight decay.", "optim.adamw{lr = 1e-3}")
entry("optim.schedule", "optim.schedule{kind = \"cosine\", steps =, warmup = 0, last = .001}",
	"Called with a step it gives the factor on the rate.", "optim.schedule{steps = 100, warmup = 10}(5)")
entry("optimiser:step", "opt:step([factor])", "One step along the gradients.",
	"local net = nn.linear(3, 4); local opt = optim.sgd(net, {lr = .1}); "
	.. "net(tensor.ones(1, 3)):sum():backward(); opt:step()")
entry("optimiser:zero_grad", "opt:zero_grad()", "Forgets the gradients.",
	"optim.sgd(nn.linear(3, 4), {lr = .1}):zero_grad()")
entry("optimiser.kind", "opt.kind",
	"\"sgd\", \"lars\" or \"adamw\".  Its parameters are there by their names, and may be set: opt.momentum.",
	"optim.sgd{lr = .1}.kind")
entry("optimiser.lr", "opt.lr", "The rate; may be set.", "local opt = optim.sgd{lr = .1}; opt.lr = .2; print(opt.lr)")
entry("optimiser.weight_decay", "opt.weight_decay", "The weight decay; may be set.",
	"optim.sgd{lr = .1}.weight_decay")

group = "trainer"
local small = "trainer{data = data.shapes{n = 64, size = 8, channels = 1}, encoder = nn.cnn{widths = {4}, image = 8}, "
	.. "projector = {8}, batch = 32, epochs = 1}"
entry("trainer",
	"trainer{data =, encoder =, projector = {512, 512, 512}, views =, loss =, optim =, batch = 256, epochs = 10, "
	.. "steps =, seed = 0, schedule = \"cosine\", warmup = 0, last = .001, clip = 0, "
	.. "precision = \"float32\", workers = 0, knn = {every =, refs =, queries =, k =}, convolution =, name =, folder =, "
	.. "checkpoint_every =, warm_start = false}",
	"A run of Barlow Twins, or the one a recipe describes.", small, {
		{ "data", "a dataset; its statistics normalise the views, unless these do it themselves" },
		{ "encoder", "a module: images (N, C, H, W) to features (N, F)" },
		{ "projector", "a module, widths of one in the paper's form, or false" },
		{ "views", "a pipeline for both views, or a pair (aug.twin); otherwise aug.paper at the images' size" },
		{ "loss", "loss.barlow{...}" },
		{ "optim", "optim.adamw{...} and the like; otherwise AdamW at 1e-3" },
		{ "epochs", "how long; may be a fraction" },
		{ "steps", "how long instead; together with epochs: an earlier end, the schedule still by epochs" },
		{ "seed", "of parameters, order and views: the same seed gives the same run" },
		{ "schedule", "of the rate: cosine, down to `last` times the rate, or constant; first `warmup` epochs up; "
			.. "or a table: {kind = \"cosine\", last = .01}" },
		{ "clip", "the gradient's norm is cut to this; 0: it is not" },
		{ "precision", "of the factors in linear layers' products while training: float32, or bf16: rounded to bfloat16, "
			.. "sums and parameters as they were" },
		{ "workers", "threads that make views; 0: one a core" },
		{ "knn", "accuracy every so many epochs: sets of references and queries, k neighbours (20)" },
		{ "convolution", "algorithms by shape, as a run's recipe records them; otherwise those tuned here, or a fixed rule" },
		{ "name", "shown with the run, and the beginning of its folder's name" },
		{ "folder", "where the run is kept; false: in memory only; otherwise one of its own among runs()" },
		{ "checkpoint_every", "epochs; false: only at the end and when asked; otherwise each, within 1% of the time" },
		{ "warm_start", "true: encoder and projector may have been trained by another run, which has ended; a path: new ones "
			.. "begin with these weights; the folder keeps what the run started from (start.safetensors)" },
	})
entry("trainer:start", "t:start()", "Begins, in the background.", small .. ":start():wait()")
entry("trainer:pause", "t:pause()", "Stands still between two steps.", small .. ":start():pause():stop()")
entry("trainer:resume", "t:resume()", "Goes on.", small .. ":start():pause():resume():wait()")
entry("trainer:stop", "t:stop()", "Ends it between two steps, and waits for that.", small .. ":start():stop()")
entry("trainer:wait", "t:wait([seconds])", "Waits for the end; is it over?", small .. ":start():wait()")
entry("trainer:run", "t:run{on_progress =, quiet = false}",
	"Runs in the foreground and reports; Ctrl-C stops it between steps.",
	small .. ":run{quiet = true}")
entry("trainer:step", "t:step([n])", "n steps, here and now.", small .. ":step(1)")
entry("trainer:set", "t:set{lambda =, lr =}", "Takes effect at the next step.", small .. ":set{lambda = .01}")
entry("trainer:watch", "t:watch([stay])",
	"The screen of the run; q comes back, the run goes on.", small .. ":step(1)")
entry("trainer:record", "t:record(i)", "What was recorded at step i, or nil.", small .. ":step(1):record(1)")
entry("trainer:eval", "t:eval{train =, test =, k = 20, linear = true}",
	"kNN and linear probe of the encoder as it is, and what was measured on what.",
	small .. ":step(1):eval{linear = false}")
entry("trainer:profile", "t:profile([n])",
	"Makes n steps (20) and returns where their time went, as a table that prints.", "print(" .. small .. ":profile(2))")
entry("trainer:tune", "t:tune()",
	"Measures which algorithms are fastest for its convolutions, keeps that for later runs; returns a table that prints.",
	"print(" .. small .. ":tune())")
entry("trainer:save", "t:save([path])",
	"Weights of encoder and projector as safetensors; without a path into the run's folder.",
	"local path = os.tmpname(); " .. small .. ":save(path); os.remove(path)")
entry("trainer:checkpoint", "t:checkpoint([path])",
	"All that the run needs to go on, as safetensors; without a path into the run's folder.",
	"local path = os.tmpname(); " .. small .. ":checkpoint(path); os.remove(path)")
entry("trainer:load_checkpoint", "t:load_checkpoint(path)",
	"A new trainer goes on from a checkpoint, or a run's folder; with that as its `folder` it goes on in there.",
	"local path = os.tmpname(); " .. small .. ":step(1):checkpoint(path); print(" .. small
	.. ":load_checkpoint(path)); os.remove(path)")
entry("trainer:between", "t:between(f, ...)",
	"Calls f while the run stands between two steps.", small .. ":between(print, 1)")
for _, p in ipairs{ { "terms", "The newest record: step, invariance, redundancy, total, floor, lr, knn ..." },
	{ "records", "All records, as one list for each quantity." },
	{ "C", "The cross-correlation matrix of the newest batch." },
	{ "folder", "Where the run is kept once it has started: live, recipe.lua, checkpoint and weights; nil: in memory only." },
	{ "state", "new, running, paused, done, stopped or failed." }, { "name", "Its name." },
	{ "message", "Why it failed, or what was last changed." }, { "iteration", "Steps done." },
	{ "steps", "Steps to do in all." },
	{ "steps_per_epoch", "Steps in an epoch." }, { "batch", "Images in a batch." }, { "encoder", "The encoder." },
	{ "projector", "The projector, or nil." }, { "data", "The dataset." },
	{ "knn", "The sets of the kNN during training, or nil." },
	{ "recipe", "What it was made by: a table, which prints as Lua and which trainer(recipe) rebuilds." } } do
	entry("trainer." .. p[1], "t." .. p[1], p[2], "local t = " .. small .. ":step(1); print(t." .. p[1] .. ")")
end

group = "other"
entry("help", "help([name])", "This; at the prompt also ?name.", "help \"tensor.zeros\"")
entry("interruptible", "interruptible(f, ...)",
	"true and f's results, or false when Ctrl-C ended it, which is then answered.",
	"interruptible(function() return 1 end)")

group = "runs"
entry("runs", "runs()", "All runs that were kept, live and past, newest first.", "runs()")
entry("runs[]", "runs()[i], runs()[name]",
	"One, by place or name: its name, folder, state, step, steps, total, lambda, knn, d, started, pid, alive.",
	"runs()[1]")
entry("runs.resume", "runs.resume([run])",
	"A trainer that stands where the run did: by name or folder, or the newest that was stopped before its end.",
	"pcall(runs.resume, \"no such run\")")
entry("run:resume", "runs()[i]:resume()", "A trainer that stands where the run did; t:start() goes on.",
	"#runs()")
entry("run:watch", "runs()[i]:watch{read_only = false}",
	"The screen of a run: steered when it is going on, shown when it is over.", "#runs()")

-- Looking up.

-- Prints head and text, cut at spaces (but not before "=") to the terminal's width, later lines behind `indent` spaces.
local function print_wrapped(head, text, indent)
	local width, line, empty = math.max(indent + 20, native.width() - 1), head, true
	for word in text:gsub(" =", "\0="):gmatch "%S+" do
		if not empty and #line + 1 + #word > width then
			print(line)
			line, empty = (" "):rep(indent), true
		end
		line, empty = line .. (empty and "" or " ") .. word:gsub("%z", " "), false
	end
	print(line)
end

local HEAD = 24 -- columns of a setting's name and default, at most

-- What it is for, what it must be, and what happens without it.
function help.key_text(k)
	local text = k.text
	local told = k.expected and k.expected:gsub("between (%S+) and 1000000000$", "of at least %1")
	if told and k.type ~= "boolean" and told ~= "a string" then text = ("%s (%s)"):format(text, told) end
	if k.otherwise then text = ("%s; otherwise %s"):format(text, k.otherwise) end
	if k.required then text = text .. "; required" end
	if k.settable then text = text .. "; may be changed while it trains" end
	return text
end

local function print_keys(keys)
	local heads, width = {}, 0
	for i, k in ipairs(keys) do
		heads[i] = k.name .. (k.default and " = " .. k.default or "")
		if #heads[i] <= HEAD then width = math.max(width, #heads[i]) end
	end
	for i, k in ipairs(keys) do
		print_wrapped(("    %-" .. width .. "s  "):format(heads[i]), help.key_text(k), width + 6)
	end
end

local function print_entry(e)
	print_wrapped("", e.signature, 8)
	print_wrapped("    ", e.text, 4)
	print_keys(e.keys or {})
	print("    > " .. e.example)
end

-- A line each.
local function print_list(entries)
	for _, e in ipairs(entries) do print_wrapped(("%-20s "):format(e.name), e.text, 21) end
end

-- "head  name name ..." of the entries
local function print_names(head, entries)
	local words = {}
	for i, e in ipairs(entries) do words[i] = e.last end
	print_wrapped(head, table.concat(words, " "), #head)
end

local function of_group(name)
	local found = {}
	for _, e in ipairs(registry.entries()) do
		if e.group == name then found[#found + 1] = e end
	end
	return found
end

local function overview()
	local seen = {}
	for _, e in ipairs(registry.entries()) do
		if not seen[e.group] then print_names(("%-8s "):format(e.group), of_group(e.group)) end
		seen[e.group] = true
	end
	print "?name or help \"name\" says more: ?nn, ?tensor.zeros, ?trainer"
end

-- Entries whose whole name or last part is `name`, else those that contain it.
function help.find(name)
	local exact, part = {}, {}
	for _, e in ipairs(registry.entries()) do
		local dotted = e.name:gsub(":", ".")
		if e.name == name or e.last == name or dotted == name then exact[#exact + 1] = e end
		if e.name:find(name, 1, true) then part[#part + 1] = e end
	end
	return #exact > 0 and exact or part
end

-- The name of one of barlow's modules or functions.
local function name_of(value)
	for name, v in pairs(require "barlow") do
		if rawequal(v, value) then return name end
		for inner, w in pairs(type(v) == "table" and v or {}) do
			if rawequal(w, value) then return name .. "." .. inner end
		end
	end
	error("help: expected a name, or one of barlow's modules and functions, got " .. type(value), 0)
end

local MOST = 8 -- entries in full

function help.show(what)
	if what == nil or what == "" then return overview() end
	local name = type(what) == "string" and what or name_of(what)
	local found, group = help.find(name), of_group(name)
	if #found == 0 and #group == 0 then
		print(("nothing is known about '%s'; help() lists what there is"):format(name))
	elseif found[1] and found[1].name == name then
		print_entry(found[1])
		if #group > 0 then print_names("    see also   ", group) end
	elseif #group > 0 or #found > MOST then
		print_list(#group > 0 and group or found)
	else
		for _, e in ipairs(found) do print_entry(e) end
	end
end

return help
