-- SPDX-License-Identifier: GPL-3.0-or-later
--[[
complete.lua: completes a line that is being typed, for the prompt and for editors (barlow complete).

The line up to the cursor is scanned for strings and open brackets; the text before the word decides which names fit.  No
code of the user is run: tables are read by raw access, and objects are known by their types in the registry only.
]]
local native = require "barlow.native"
local registry = require "barlow.registry"

local complete = {}

local keywords = { "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in", "local", "nil",
	"not", "or", "repeat", "return", "then", "true", "until", "while" }

-- An index of the registry by name, by type and by function; look_up builds it once.

local known

local function first_type(text) return text and text:match "^[%a_]+" end

local function look_up()
	if known then return known end
	local made = { entry = {}, of_type = {}, of_function = {} } -- stored only when it is complete
	for _, e in ipairs(registry.entries()) do
		made.entry[e.name] = e
		if e.kind ~= "function" then
			made.of_type[e.group] = made.of_type[e.group] or {}
			table.insert(made.of_type[e.group], e)
		else
			local value = _G
			for part in e.name:gmatch "[%w_]+" do value = type(value) == "table" and rawget(value, part) or nil end
			if value then made.of_function[value] = e end
		end
	end
	known = made
	return known
end

-- Scanning.

local function behind_string(text, at)
	local quote = text:sub(at, at)
	local i = at + 1
	while i <= #text do
		local c = text:sub(i, i)
		if c == quote then return i + 1 end
		if c == "\n" then return i end
		i = i + (c == "\\" and 2 or 1)
	end
end

-- Returns the state at the end of the text: {open = {positions of open brackets}, string = position of an open quote,
-- comment = true if the text ends in a comment or in an open long string}.
local function scan(text)
	local open, at = {}, 1
	while at <= #text do
		local c, two = text:sub(at, at), text:sub(at, at + 1)
		local long = text:match("^%-?%-?%[=*%[", at)
		if long and (c == "[" or two == "--") then
			local level = long:match "%[(=*)%["
			local _, close = text:find("]" .. level .. "]", at, true)
			if not close then return { open = open, comment = true } end
			at = close + 1
		elseif two == "--" then
			local line_end = text:find("\n", at, true)
			if not line_end then return { open = open, comment = true } end
			at = line_end + 1
		elseif c == '"' or c == "'" then
			local behind = behind_string(text, at)
			if not behind then return { open = open, string = at } end
			at = behind
		else
			if c:find "[%({%[]" then open[#open + 1] = at end
			if c:find "[%)}%]]" then open[#open] = nil end
			at = at + 1
		end
	end
	return { open = open }
end

-- Returns the text before position `at`, without trailing blanks.
local function before(text, at) return (text:sub(1, at - 1):gsub("%s+$", "")) end

-- Expressions.

-- Returns where the expression at the end of the text begins: a chain of names, calls, indices and strings.
local function chain_begin(text)
	local at = #text + 1
	while at > 1 do
		local c = text:sub(at - 1, at - 1)
		if c:find "[%w_]" then
			at = text:sub(1, at - 1):find "[%w_]+$"
			local link = text:sub(at - 1, at - 1)
			if link ~= "." and link ~= ":" then return at end
			at = at - 1
		elseif c == ")" or c == "]" or c == "}" then
			local inner = text:sub(1, at - 1):find(c == ")" and "%b()$" or c == "]" and "%b[]$" or "%b{}$")
			if not inner then return at end
			at = inner
			while text:sub(at - 1, at - 1):find "%s" do at = at - 1 end
		elseif c == '"' or c == "'" then
			local inner = text:sub(1, at - 2):match(".*()" .. c)
			if not inner then return at end
			at = inner
			if not text:sub(at - 1, at - 1):find "[%w_]" then return at end
		else
			return at
		end
	end
	return at
end

local function of_value(v)
	local t = native.type_name(v)
	if t then return { type = t } end
	if type(v) == "string" then return { type = "string" } end
	local meta = type(v) == "table" and debug.getmetatable(v)
	local class = meta and rawget(meta, "__name")
	return { value = v, class = look_up().of_type[class] and class or nil } -- class: of an object written in Lua
end

local function call_of(e) return e and { type = first_type(e.returns) } or nil end

-- Returns what the next link of the chain (".name", ":name", a call or an index) leads to, or nil.
local function follow(x, link, name)
	if link == "name" and x.value ~= nil then
		local v = type(x.value) == "table" and rawget(x.value, name) or nil
		return v ~= nil and of_value(v) or nil
	elseif link == "name" and x.type then
		local e = look_up().entry[x.type .. "." .. name]
		return e and e.kind == "property" and { type = first_type(e.returns) } or nil
	elseif link == "method" then
		local e = look_up().entry[(x.type or x.class or "") .. ":" .. name]
		if e then return { method = e } end
		return x.value ~= nil and follow(x, "name", name) or nil
	elseif link == "call" then
		if x.method then return call_of(x.method) end
		return x.value ~= nil and call_of(look_up().of_function[x.value]) or nil
	elseif link == "index" then
		local e = x.type and look_up().entry[x.type .. "[]"]
		return e and { type = first_type(e.returns) } or nil
	end
end

-- Returns {value =}, {type =} or {method =} of the expression, or nil if none of them is known.
local function infer(text) -- recursive for expressions in parentheses
	local rest, x = text, nil
	local inside = rest:match "^%b()"
	if inside then
		rest, x = rest:sub(#inside + 1), infer(inside:sub(2, -2):match "^%s*(.-)%s*$")
	elseif rest:match "^[\"']" then
		rest, x = rest:sub((behind_string(rest, 1) or #rest + 1)), { type = "string" }
	else
		local name = rest:match "^[%a_][%w_]*"
		if not name then return nil end
		local v = rawget(_G, name)
		rest, x = rest:sub(#name + 1), v ~= nil and of_value(v) or nil
	end
	while x and rest ~= "" do
		local link, name = rest:match "^([.:])([%a_][%w_]*)"
		if link then
			x, rest = follow(x, link == "." and "name" or "method", name), rest:sub(#name + 2)
		else
			local inner = rest:match "^%s*%b()" or rest:match "^%s*%b{}" or rest:match "^%s*%b\"\"" or rest:match "^%s*%b''"
			local index = not inner and rest:match "^%b[]"
			if not inner and not index then return nil end
			x, rest = follow(x, inner and "call" or "index"), rest:sub(#(inner or index) + 1)
		end
	end
	return x
end

-- Returns the registry's entry of the function whose call opens at the bracket at `at`, or nil.
local function called(text, at)
	local head = before(text, at)
	local expression = head:sub(chain_begin(head))
	local x = expression ~= "" and infer(expression) or nil
	return x and (x.method or (x.value ~= nil and look_up().of_function[x.value])) or nil
end

local function key_named(keys, name)
	for _, k in ipairs(keys or {}) do
		if k.name == name then return k end
	end
end

-- Returns the settings of the trainer whose method `set` is called, or nil unless the text before the bracket names the trainer
-- by a global variable.  Each trainer has its own settings.
local function settable_of(text, at)
	local name = before(text, at):match "([%a_][%w_]*):set$"
	local v = name and rawget(_G, name)
	if native.type_name(v) ~= "trainer" then return nil end
	local keys = {}
	for i, setting in ipairs(v.settable) do keys[i] = { name = setting } end
	return keys
end

-- Returns the settings that fit in the brace at `open[n]`: those of a call, or of a setting whose value is a table.
local function settings_of(text, open, n)
	local at = open[n]
	if not at or text:sub(at, at) ~= "{" then return nil end
	local name = before(text, at):match "([%a_][%w_]*)%s*=$"
	if name then
		local k = key_named(settings_of(text, open, n - 1), name)
		return k and k.keys
	end
	local outer = open[n - 1]
	local e = called(text, at)
	if not e and outer and text:sub(outer, outer) == "(" then e, at = called(text, outer), outer end
	if e and e.name == "trainer:set" then return settable_of(text, at) end
	return e and e.keys
end

-- Returns the values of a setting that has a fixed set of them, or nil.
local function choices_of(k)
	return k.choices or (k.name == "schedule" and native.schedules()) or nil
end

-- Candidates.

local function sorted(list)
	table.sort(list)
	local out = {}
	for _, v in ipairs(list) do
		if v ~= out[#out] then out[#out + 1] = v end
	end
	return out
end

local function beginning(word, names, ending)
	local out = {}
	for _, name in ipairs(names) do
		if name:sub(1, #word) == word then out[#out + 1] = name .. (ending or "") end
	end
	return out
end

local function string_keys(t, only_functions)
	local out = {}
	for k, v in next, t do
		if type(k) == "string" and k:match "^[%a_][%w_]*$" and (not only_functions or type(v) == "function") then out[#out + 1] = k end
	end
	return out
end

-- Returns the names that may follow x: its methods after ':', its properties after '.', or the keys of a table.
local function members(x, separator)
	if x.value ~= nil and not (x.class and separator == ":") then
		return type(x.value) == "table" and string_keys(x.value, separator == ":") or {}
	end
	if x.type == "string" then return separator == ":" and string_keys(string) or {} end
	local out = {}
	for _, e in ipairs(look_up().of_type[x.type or x.class] or {}) do
		if (e.kind == "method") == (separator == ":") and e.last:match "^[%a_][%w_]*$" then out[#out + 1] = e.last end
	end
	return out
end

local function folder_entries(folder)
	local fine, names = pcall(native.list_folder, folder == "" and "." or folder)
	return fine and names or {}
end

-- Returns the files and folders whose paths begin with `path`, except hidden ones.
local function paths(path)
	local folder, name = path:match "^(.*/)([^/]*)$"
	folder, name = folder or "", name or path
	local real, out = folder:gsub("^~/", (os.getenv "HOME" or "~") .. "/"), {}
	for _, entry in ipairs(folder_entries(real)) do
		if entry:sub(1, #name) == name then
			out[#out + 1] = folder .. entry .. (native.exists(real .. entry .. "/.") and "/" or "")
		end
	end
	return out
end

local function run_names()
	local out = {}
	for _, r in ipairs(native.runs()) do out[#out + 1] = r.id or r.name end
	return out
end

local takes_runs = { ["runs.resume"] = true, ["runs.fork"] = true, ["runs.get"] = true, ["runs.records"] = true, ["runs.tag"] = true,
	["runs.note"] = true, ["runs.delete"] = true, ["runs.compare"] = true, ["plot.curves"] = true, ["plot.heatmap"] = true,
	["plot.compare"] = true }

-- Returns candidates within an open string: values of a setting, names in the help, names of sweeps or runs, or files.  Like
-- in_code, also returns the position from which a candidate replaces the text.
local function in_string(text, state)
	local quote, word = state.string, text:sub(state.string + 1)
	local head = before(text, quote)
	local key = head:match "([%a_][%w_]*)%s*=$"
	local settings = key and settings_of(text, state.open, #state.open)
	local k = settings and key_named(settings, key)
	local choices = k and choices_of(k)
	if choices then return beginning(word, choices), quote + 1, text:sub(quote, quote) end
	local n = #state.open
	local e = called(text, quote) or (n > 0 and called(text, state.open[n]))
		or (n > 1 and before(text, state.open[n]):find "%($" and called(text, state.open[n - 1])) or nil -- as in f({"
	if e and e.name == "help" then return complete.help_names(word), quote + 1, text:sub(quote, quote) end
	if e and e.name == "sweep.open" then
		local names = folder_entries(require "barlow.sweep".root())
		if #beginning(word, names) > 0 then return beginning(word, names), quote + 1, text:sub(quote, quote) end
	end
	if e and takes_runs[e.name] then return beginning(word, run_names()), quote + 1, text:sub(quote, quote) end
	return paths(word), quote + 1, ""
end

-- Returns the values that may follow `key = `: a fixed set, or constructors and globals of the setting's type.
local function values(k)
	local out = {}
	for i, choice in ipairs(choices_of(k) or {}) do out[i] = ('"%s"'):format(choice) end
	if k.type == "boolean" then out = { "true", "false" } end
	if #out == 0 and look_up().of_type[k.type] then
		for _, e in ipairs(registry.entries()) do
			if e.kind == "function" and first_type(e.returns) == k.type and e.name:find ".%." then out[#out + 1] = e.name end
		end
		for name, v in next, _G do
			if type(name) == "string" and name:match "^%a[%w_]*$" and native.type_name(v) == k.type then out[#out + 1] = name end
		end
	end
	return out
end

-- Returns the names of locals and parameters in the text itself.
local function names_in(text)
	local out = {}
	for name in text:gmatch "local%s+([%a_][%w_]*)" do out[#out + 1] = name end
	for list in text:gmatch "local%s+([%w_%s,]+)=" do
		for name in list:gmatch "[%a_][%w_]*" do out[#out + 1] = name end
	end
	for list in text:gmatch "function[%s%w_.:]*%(([^)]*)%)" do
		for name in list:gmatch "[%a_][%w_]*" do out[#out + 1] = name end
	end
	return out
end

local function globals()
	local out = {}
	for name in next, _G do
		if type(name) == "string" and name:match "^[%a][%w_]*$" then out[#out + 1] = name end
	end
	return out
end

-- Returns the settings that the brace does not contain yet.
local function missing_settings(settings, text, brace)
	local given, out = {}, {}
	for name in text:sub(brace + 1):gmatch "([%a_][%w_]*)%s*=[^=]" do given[name] = true end
	for _, k in ipairs(settings) do
		if not given[k.name] then out[#out + 1] = k.name:match "^[%a_][%w_]*$" and k.name or ('["%s"]'):format(k.name) end
	end
	return out
end

local function word_at_end(text)
	local at = text:find "[%a_][%w_]*$"
	return at or #text + 1
end

-- Returns candidates for settings whose names contain dots, in brackets and quotes: `["views.flip.p"] = ` for `views.fl`.
local function dotted(text, state)
	local at = text:find "[%a_][%w_.]*$"
	local settings = at and text:sub(1, at - 1):find "[{,;]%s*$" and settings_of(text, state.open, #state.open)
	if not settings then return {} end
	return beginning('["' .. text:sub(at), missing_settings(settings, text:sub(1, at - 1), state.open[#state.open]), " = "), at
end

local function in_code(text, state)
	local quoted, from = dotted(text, state)
	if #quoted > 0 then return quoted, from end
	local at = word_at_end(text)
	local word, last = text:sub(at), text:sub(at - 1, at - 1)
	if last == "." or last == ":" then
		if text:sub(at - 2, at - 1) == ".." or text:sub(at - 2, at - 1) == "::" then return {}, at end
		local head = text:sub(1, at - 2)
		local x = infer(head:sub(chain_begin(head)))
		return x and beginning(word, members(x, last)) or {}, at
	end
	if last:match "%d" then return {}, at end
	local head, n = before(text, at), #state.open
	local settings = settings_of(text, state.open, n)
	if settings and head:find "[{,;]$" then
		local names = missing_settings(settings, text:sub(1, at - 1), state.open[n])
		local out = beginning(word, names, " = ")
		if #out > 0 then return out, at end
	end
	local key = settings and head:match "([%a_][%w_]*)%s*=$"
	local k = key and key_named(settings, key)
	if k then
		local out = beginning(word, values(k))
		if #out > 0 then return out, at end
	end
	if word == "" and not head:find "[%({,=%s]?$" then return {}, at end
	local out = beginning(word, globals())
	table.move(beginning(word, keywords), 1, #keywords, #out + 1, out)
	local own = beginning(word, names_in(text:sub(1, at - 1)))
	table.move(own, 1, #own, #out + 1, out)
	return out, at
end

-- Returns the names in the help that begin with the word, including modules and the settings of a trainer.
function complete.help_names(word)
	local names = {}
	for _, k in ipairs(registry.flat(look_up().entry.trainer.keys)) do names[#names + 1] = k.name end
	for _, e in ipairs(registry.entries()) do
		if e.name:match "^[%w_.:]+$" then names[#names + 1] = e.name end
		names[#names + 1] = e.group
	end
	local separator = word:match "^[%a_][%w_]*([.:])"
	local name = separator and word:match "^[%a_][%w_]*"
	local x = name and rawget(_G, name) ~= nil and of_value(rawget(_G, name))
	if x and x.type then
		for _, member in ipairs(members(x, separator)) do names[#names + 1] = name .. separator .. member end
	end
	return beginning(word, names)
end

--[[
candidates(text): returns the sorted candidates, the position in `text` from which a candidate replaces its rest, and the text
to append if there is only one candidate (the closing quote of a string).
]]
function complete.candidates(text)
	local list, at, close
	local name = text:match "^%s*%?%??%s*([%w_.:]*)$"
	local command = text:match "^%s*%%(%a*)$"
	local behind, argument = text:match "^%s*%%+(%a+)%s+()"
	local words = behind and require "barlow.prompt_commands".words(behind)
	if name then
		list, at = complete.help_names(name), #text - #name + 1
	elseif command then
		list, at = beginning(command, require "barlow.prompt_commands".names(), " "), #text - #command + 1
	elseif words == "CODE" then
		local offset = argument - 1
		list, at, close = complete.candidates(text:sub(argument))
		return list, at + offset, close
	elseif words then
		list, at = beginning(text:sub(argument), words), argument
	elseif text:match "^%s*[%$!%%]" then
		local path = text:match "(%S*)$"
		list, at = paths(path), #text - #path + 1
	else
		local state = scan(text)
		if state.comment then return {}, #text + 1, "" end
		if state.string then list, at, close = in_string(text, state) else list, at = in_code(text, state) end
	end
	return sorted(list), at, close or ""
end

return complete
