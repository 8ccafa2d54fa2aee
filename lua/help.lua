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
	print_keys(registry.flat(e.keys))
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
