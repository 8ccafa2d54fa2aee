-- SPDX-License-Identifier: GPL-3.0-or-later
-- help.lua: help(name): prints the registry's description of a name.
local native = require "barlow.native"
local registry = require "barlow.registry"

local help = {}

local page -- list of the lines of the help text that is being built

local function add_line(line) page[#page + 1] = line end

-- Calls f and prints the lines that it adds.
local function print_page(f, ...)
	local lines = {}
	page = lines
	f(...)
	require "barlow.pager".print(lines)
end

-- Lookup.

-- Wraps head and text at spaces (but not before "=") to the terminal's width; later lines are indented by `indent`
-- spaces.
local function add_wrapped(lines, head, text, indent)
	local width, line, empty = math.max(indent + 20, native.width() - 1), head, true
	for word in text:gsub(" =", "\0="):gmatch "%S+" do
		if not empty and #line + 1 + #word > width then
			lines[#lines + 1] = line
			line, empty = (" "):rep(indent), true
		end
		line, empty = line .. (empty and "" or " ") .. word:gsub("%z", " "), false
	end
	lines[#lines + 1] = line
end

local function print_wrapped(head, text, indent)
	local lines = {}
	add_wrapped(lines, head, text, indent)
	for _, line in ipairs(lines) do add_line(line) end
end

local HEAD = 24 -- greatest width of a setting's name and default, in columns

-- Returns the purpose of a setting, the allowed values, and its default.
function help.key_text(k)
	local text = k.text
	local expected = k.expected and k.expected:gsub("between (%S+) and 1000000000$", "of at least %1")
	if expected and k.type ~= "boolean" and expected ~= "a string" then text = ("%s (%s)"):format(text, expected) end
	if k.otherwise then text = ("%s; otherwise %s"):format(text, k.otherwise) end
	if k.required then text = text .. "; required" end
	if k.settable then text = text .. "; may be changed while it trains" end
	return text
end

local function print_keys(keys)
	local heads, width = {}, 1
	for i, k in ipairs(keys) do
		heads[i] = k.name .. (k.default and " = " .. k.default or "")
		if #heads[i] <= HEAD then width = math.max(width, #heads[i]) end
	end
	for i, k in ipairs(keys) do
		print_wrapped(("    %-" .. width .. "s  "):format(heads[i]), help.key_text(k), width + 6)
	end
end

-- Returns the call that pcall makes: f{...} or f(...) for "(f, ...)", and the expression of "(function() return EXPRESSION end)".
local function without_pcall(inside)
	local f, arguments = inside:match "^%(([%w_.]+), (.*)%)$"
	if f then return f .. (arguments:match "^%b{}$" or "(" .. arguments .. ")") end
	return inside:match "^%(function%(%) return (.*) end%)$" or inside:match "^%(function%(%l%) return (.-) end, .*%)$"
end

--[[
Returns the example of an entry as a user types it at the prompt.  Examples are also run as tests, so their stored text has more:
it constructs the object whose method it shows, calls functions that need a user's files or runs by pcall, removes temporary
files, and prints values.  All of this is removed here.
]]
local function example_text(e)
	local text = e.example
	if e.self then
		text = text:gsub("trainer(%b{})", function(settings)
			return settings:gsub(", folder = path}$", "}"):find "n = 64, size = 8.* epochs = 1}$" and "t" or nil
		end)
		text = text:gsub("sweep%b{}:", "s:")
	end
	text = text:gsub("^local path = os.tmpname[^;]*; ", ""):gsub("; os%.%l+%b()", ""):gsub("^os%.%l+%b(); ", "")
	text = text:gsub("^local t = t[^;]*; ", ""):gsub("pcall(%b())", without_pcall)
	local printed = text:match "^print(%b())$"
	return printed and printed:sub(2, -2) or text
end

local function print_entry(e)
	print_wrapped("", e.signature, 8)
	print_wrapped("    ", e.text, 4)
	print_keys(registry.flat(e.keys))
	add_line("    > " .. example_text(e))
end

-- Adds a line for each entry.
local function print_list(entries)
	for _, e in ipairs(entries) do print_wrapped(("%-20s "):format(e.name), e.text, 21) end
end

-- Adds the line "head  name name ..." with the names of the entries.
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
	print_names("prompt   ", { { last = "commands such as %time, and settings of the prompt" } })
	add_line "?name or help \"name\" describes one: ?nn, ?tensor.zeros, ?trainer, ?prompt"
end

-- Replaces the name of a global object by its type: "t:set" becomes "trainer:set".
local function of_object(name)
	local root, rest = name:match "^([%a_][%w_]*)(.*)$"
	local kind = root and native.type_name(rawget(_G, root))
	return kind and kind .. rest or name
end

-- Returns the entries whose whole name or last part is `name`, exact matches first, or else those whose name contains it.
function help.find(name)
	local exact, part = {}, {}
	for _, e in ipairs(registry.entries()) do
		local dotted = e.name:gsub(":", ".")
		local of_self = e.self and e.self .. (e.kind == "method" and ":" or ".") .. e.last -- "t:set", as examples write it
		if of_self == name then return { e } end
		if e.name == name then
			table.insert(exact, 1, e)
		elseif e.last == name or dotted == name then
			exact[#exact + 1] = e
		end
		if e.name:find(name, 1, true) then part[#part + 1] = e end
	end
	return #exact > 0 and exact or part
end

-- Returns the name of one of barlow's modules or functions, or nil.
local function known_name(value)
	for name, v in pairs(require "barlow") do
		if rawequal(v, value) then return name end
		for inner, w in pairs(type(v) == "table" and v or {}) do
			if rawequal(w, value) then return name .. "." .. inner end
		end
	end
end

local function name_of(value)
	return known_name(value) or error("help: expected a name, or one of barlow's modules and functions, got " .. type(value), 0)
end

-- Returns what the prompt prints for a module (its content) or a function (its signature) of barlow, or nil for other
-- values.
function help.described(value)
	local name, lines = known_name(value), {}
	if not name then return nil end
	if type(value) == "function" then
		for _, e in ipairs(help.find(name)) do
			if e.name == name then add_wrapped(lines, "", ("%s  -- %s  (?%s shows more)"):format(e.signature, e.text, name), 4) end
		end
	else
		for _, e in ipairs(of_group(name)) do
			if e.name:sub(1, #name + 1) == name .. "." and not e.self then
				add_wrapped(lines, ("%-20s "):format(e.name), e.text, 21)
			end
		end
	end
	return #lines > 0 and table.concat(lines, "\n") or nil
end

-- Returns what the prompt prints for a method of barlow, such as the value of x.shape without a call, or nil for other values.
function help.method(value)
	for _, e in ipairs(type(value) == "function" and registry.entries() or {}) do
		local class = e.kind == "method" and debug.getregistry()[e.group]
		if class and rawequal(class.__methods[e.last], value) then
			local lines = {}
			add_wrapped(lines, "", ("a method, to be called with ':' and '()': %s  -- %s"):format(e.signature, e.text), 4)
			return table.concat(lines, "\n")
		end
	end
end

-- Returns a hint with the most similar group or whole name, or else the most similar last part of a name; "" if there is none.
local function near(name)
	local names, parts = {}, {}
	for _, e in ipairs(registry.entries()) do
		for _, word in ipairs{ e.group, e.name, (e.name:gsub(":", ".")) } do names[#names + 1] = word end
		parts[#parts + 1] = e.last
	end
	local found = native.nearest(name, names) or native.nearest(name, parts)
	return found and (" (did you mean '%s'?)"):format(found) or ""
end

-- Scores how well a text matches a word in lower case: 3 if the text is the word, 2 if it contains it as a whole word, 1 if it
-- contains it as a part of a word, 0 otherwise.
local function fit(text, word)
	text = (text or ""):lower()
	if text == word then return 3 end
	local from, to = text:find(word, 1, true)
	if not from then return 0 end
	local left, right = text:sub(from - 1, from - 1), text:sub(to + 1, to + 1)
	return (left:match "[%w]" and from > 1 or right:match "[%w]") and 1 or 2
end

-- Searches functions and their settings for a word: {name =, text =, score =}, the best first.
local function search(word)
	local found, order = {}, {}
	local function add(name, text, score)
		if score > 0 then
			found[#found + 1] = { name = name, text = text, score = score }
			order[found[#found]] = #found
		end
	end
	word = word:lower()
	for _, e in ipairs(registry.entries()) do
		add(e.name, e.text, math.max(4 * fit(e.last, word), 3 * fit(e.name, word), fit(e.text, word)))
		for _, k in ipairs(registry.flat(e.keys)) do
			add(("%s{%s = }"):format(e.name, k.name), help.key_text(k), math.max(3 * fit(k.name, word), fit(k.text, word) - .5))
		end
	end
	for _, e in ipairs(require "barlow.prompt_commands".described()) do add(e[1], e[2], math.max(3 * fit(e[1], word), fit(e[2], word))) end
	table.sort(found, function(a, b)
		if a.score ~= b.score then return a.score > b.score end
		return order[a] < order[b]
	end)
	return found
end

local MOST = 8 -- greatest number of entries that are printed in full
local FOUND_MOST = 10 -- greatest number of results of a search, one per line

-- Searches for all words of `name`; returns entries that match each of them.
local function search_all(name)
	local out
	for word in name:gmatch "%S+" do
		local found, here = search(word), {}
		for _, f in ipairs(found) do here[f.name] = f.score end
		if not out then
			out = found
		else
			local both = {}
			for _, f in ipairs(out) do
				if here[f.name] then both[#both + 1] = f end
			end
			out = both
		end
	end
	return out or {}
end

-- Help on words that other programs use.
local elsewhere = {
	gpu = "barlow computes on the CPU only", cuda = "barlow computes on the CPU only", device = "barlow computes on the CPU only",
	tensorboard = "barlow watch --jsonl RUN streams records as lines of JSON", wandb = "barlow watch --jsonl RUN streams records as lines of JSON",
	batch_size = "trainer{batch = }", augmentation = "?aug lists augmentations", augmentations = "?aug lists augmentations",
	quit = "quit, exit or Ctrl-D end the session", exit = "quit, exit or Ctrl-D end the session", history = "%history lists entries, %help all commands",
	finetune = "use a training loop with optim.sgd, or net:load(path) and trainer{warm_start = true}",
}

local function print_search(name)
	if elsewhere[name:lower()] then return add_line(elsewhere[name:lower()]) end
	local found = search_all(name)
	if #found == 0 then
		return add_line(("there is no help on '%s'%s; help() lists all names"):format(name, near(name)))
	end
	for i = 1, math.min(#found, FOUND_MOST) do print_wrapped(("%-28s "):format(found[i].name), found[i].text, 29) end
	if #found > FOUND_MOST then add_line(("... and %d more with '%s' in them"):format(#found - FOUND_MOST, name)) end
end

-- Prints the trainer's setting of that name, if there is one.
local function print_settings(name)
	for _, k in ipairs(registry.flat(help.find "trainer"[1].keys)) do
		if k.name == name then
			print_wrapped("", ("trainer{%s = ...}"):format(k.name), 8)
			print_wrapped("    ", help.key_text(k), 4)
		end
	end
end

-- Prints entries of the prompt's commands and settings.
local function print_prompt(entries)
	local width = 0
	for _, e in ipairs(entries) do width = math.max(width, #e[1]) end
	for _, e in ipairs(entries) do print_wrapped(("%-" .. width .. "s  "):format(e[1]), e[2], width + 2) end
end

-- Returns a list with the prompt's command or setting of that name ("%time", "_NEWS", "PAGER"), or nil.
local function of_prompt(name)
	local found = {}
	for _, e in ipairs(require "barlow.prompt_commands".described()) do
		for word in e[1]:gmatch "[^%s,]+" do
			if word == name or word == "$" .. name then found[1] = e end
		end
	end
	return found[1] and found
end

local function show(what)
	if what == nil or what == "" then return overview() end
	if what == "prompt" then return print_prompt(require "barlow.prompt_commands".described()) end
	local name = type(what) == "string" and what or name_of(what)
	local known = name:find "^[%%$_%u]" and of_prompt(name)
	if known then return print_prompt(known) end
	name = of_object(name)
	local found, group = help.find(name), of_group(name)
	local whole = found[1] and (found[1].name == name or found[1].last == name or found[1].name:gsub(":", ".") == name
		or name:match "[.:]([%w_]+)$" == found[1].last)
	if name:match "^[%a_][%w_]*$" and #group == 0 and whole and not (found[1] and found[1].name == name) then print_settings(name) end
	if #group == 0 and not whole then
		print_search(name)
	elseif found[1] and found[1].name == name then
		print_entry(found[1])
		if #group > 0 then print_names("    see also   ", group) end
	elseif #group > 0 or #found > MOST then
		print_list(#group > 0 and group or found)
	else
		for _, e in ipairs(found) do print_entry(e) end
	end
end

function help.show(what) print_page(show, what) end

local function value_of(name)
	local value = _G
	for part in name:gmatch "[^.:]+" do
		local fine, inner = pcall(function() return value[part] end)
		value = fine and inner or nil
	end
	return value
end

-- Returns the source lines of a Lua function from the newest stored text of its chunk that has enough lines, or nil.
local function lines_of(info)
	for _, text in ipairs(native.texts(info.source)) do
		local lines, n = {}, 0
		for line in (text .. "\n"):gmatch "(.-)\r?\n" do
			n = n + 1
			if n >= info.linedefined and n <= info.lastlinedefined then lines[#lines + 1] = line end
		end
		if n >= info.lastlinedefined and (lines[1] or ""):find "function" then return table.concat(lines, "\n") end
	end
end

-- Prints the source of a user's function, or the help of a function of barlow.
function help.source(name)
	local value = value_of(name)
	local info = type(value) == "function" and debug.getinfo(value, "S")
	if not info or info.what == "C" then return help.show(name) end
	local text = lines_of(info) or ("the text of '%s' is not stored (it was loaded from %s)"):format(name, info.short_src)
	print_page(function()
		for line in (text .. "\n"):gmatch "(.-)\n" do add_line(line) end
	end)
end

return help
