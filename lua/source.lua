-- SPDX-License-Identifier: GPL-3.0-or-later
--[[
source.lua: finds the source text of a function in its chunk, and writes Lua that makes the function again.

Lua records the lines on which a function begins and ends.  A scan of the chunk finds all functions on these lines, and each
of them is compiled, but not run.  The one with the same bytecode and the same upvalues is the function.

A piece (native.piece) describes one function: its chunk, its first and last line, its bytecode (bare), and its upvalues {name =,
value =}; an upvalue that is a function is a piece as well.
]]
local native = require "barlow.native"

local source = {}

local MANY = 64 -- greatest number of functions on the same lines, since each of them is compiled

-- Scanning.

-- Returns the positions at which lines begin, counted as Lua does: \r\n and \n\r are one line end.
local function line_starts(text)
	local starts, at = { 1 }, 1
	while true do
		local i = text:find("[\r\n]", at)
		if not i then return starts end
		local pair = text:sub(i, i + 1)
		at = i + ((pair == "\r\n" or pair == "\n\r") and 2 or 1)
		starts[#starts + 1] = at
	end
end

local function line_of(starts, place)
	local low, high = 1, #starts
	while low < high do
		local mid = (low + high + 1) // 2
		if starts[mid] <= place then low = mid else high = mid - 1 end
	end
	return low
end

-- Returns the position after the long bracket that begins at `at`, or nil.
local function behind_long(text, at)
	local _, open, level = text:find("^%[(=*)%[", at)
	if not open then return nil end
	local _, close = text:find("]" .. level .. "]", open + 1, true)
	return (close or #text) + 1
end

local function behind_comment(text, at)
	return behind_long(text, at + 2) or (text:find("[\r\n]", at) or #text + 1)
end

local function behind_string(text, at)
	local quote = text:sub(at, at)
	local stop = ("[\\%s]"):format(quote)
	at = at + 1
	while true do
		local i = text:find(stop, at)
		if not i then return #text + 1 end
		if text:sub(i, i) == quote then return i + 1 end
		at = i + 2
	end
end

-- Returns the next token from `at` on, after blanks and comments: its kind ("word", "number", "string" or "sign"), and the
-- positions of its first and last byte; the kind is nil at the end of the text.
local function next_token(text, at)
	while true do
		at = text:find("[^ \t\r\n\v\f]", at)
		if not at then return nil, #text + 1, #text end
		if text:sub(at, at + 1) ~= "--" then break end
		at = behind_comment(text, at)
	end
	local c = text:sub(at, at)
	local _, last = text:find("^[A-Za-z_][A-Za-z0-9_]*", at)
	if last then return "word", at, last end
	if c == '"' or c == "'" then return "string", at, behind_string(text, at) - 1 end
	last = c == "[" and behind_long(text, at)
	if last then return "string", at, last - 1 end
	_, last = text:find("^%.?[0-9][0-9A-Za-z_.]*", at)
	if last then
		if text:find("^[eEpP][+-]", last) then _, last = text:find("^[0-9A-Za-z_]*", last + 2) end -- the sign of an exponent
		return "number", at, last
	end
	_, last = text:find("^[<>/=~]?[<>/=]", at)
	return "sign", at, last or at
end

--[[
Constants.  If the expression in `local name <const> = expression` consists of numbers, strings and names of other constants,
the compiler makes no variable of it: functions that use the name have its value in their code.
]]
local unary = { ["-"] = true, ["~"] = true, ["#"] = true, ["not"] = true }
local binary, suffix = {}, { ["("] = true, ["{"] = true, ["["] = true, ["."] = true, [":"] = true }
for op in ("+ - * / // % ^ & | ~ << >> < > <= >= == ~= and or"):gmatch "%S+" do binary[op] = true end

-- Returns the position of the last byte of the constant expression that begins at or after `at`, or nil if the expression
-- there is not constant; adds the names in it to `names`.
local function constant_expression(text, at, names)
	local last
	while true do
		local kind, from, to = next_token(text, at)
		local word = text:sub(from, to)
		while kind and unary[word] do
			kind, from, to = next_token(text, to + 1)
			word = text:sub(from, to)
		end
		if word == "(" then
			to = constant_expression(text, to + 1, names)
			if not to then return nil end
			_, from, to = next_token(text, to + 1)
			if text:sub(from, to) ~= ")" then return nil end
		elseif kind == "word" then
			names[word] = true
		elseif kind ~= "number" and kind ~= "string" then
			return nil
		end
		last = to
		local called = kind == "word" or word == "("
		kind, from, to = next_token(text, last + 1)
		word = text:sub(from, to)
		if called and (suffix[word] or kind == "string") then return nil end
		if not binary[word] then return last end
		at = to + 1
	end
end

-- Returns the constant that the statement after the word `local` declares, {name =, text =, names =, to =}, or nil.  Only
-- the last variable of the statement is taken.
local function declared(text, at)
	local variables, name, attribute = 0, nil, nil
	repeat
		local kind, from, to = next_token(text, at)
		if kind ~= "word" then return nil end
		variables, name, attribute = variables + 1, text:sub(from, to), nil
		_, from, to = next_token(text, to + 1)
		if text:sub(from, to) == "<" then
			_, from, to = next_token(text, to + 1)
			attribute = text:sub(from, to)
			_, _, to = next_token(text, to + 1)
			_, from, to = next_token(text, to + 1)
		end
		local sign = text:sub(from, to)
		at = to + 1
		if sign ~= "," and sign ~= "=" then return nil end
	until sign == "="
	if attribute ~= "const" then return nil end
	for i = 1, variables do
		local names = {}
		local last = constant_expression(text, at, names)
		if not last then return nil end
		local _, from, to = next_token(text, last + 1)
		local comma = text:sub(from, to) == ","
		if comma ~= (i < variables) then return nil end
		if not comma then
			local _, first = next_token(text, at)
			return { name = name, text = text:sub(first, last), names = names, to = last }
		end
		at = to + 1
	end
end

-- Returns the declarations to which these names refer, and those on which they depend, oldest first.  `newest` is the latest
-- declaration in scope, from which `before` leads to earlier ones.
local function constants_of(newest, names)
	local needed, found = {}, {}
	for name in pairs(names) do needed[name] = true end
	local at = newest
	while at do
		if needed[at.name] then
			table.insert(found, 1, at)
			needed[at.name] = nil
			for name in pairs(at.names) do needed[name] = true end
		end
		at = at.before
	end
	return found
end

-- Functions.

local opens = { ["function"] = true, ["do"] = true, ["if"] = true, ["repeat"] = true }
local closes = { ["end"] = true, ["until"] = true }

--[[
Returns all functions of a text, {from =, to =, first =, last =, newest =}: positions of their first and last byte, the lines
of these, and the latest constant in scope where the function begins.
]]
local function functions_of(text)
	local starts, found, open, at, newest = line_starts(text), {}, {}, 1, nil
	while true do
		local kind, from, to = next_token(text, at)
		if not kind then return found end
		local word = kind == "word" and text:sub(from, to)
		if word and opens[word] then
			open[#open + 1] = { word = word, from = from, newest = newest }
		elseif word and closes[word] and #open > 0 then
			local block = table.remove(open)
			newest = block.newest
			if block.word == "function" then
				found[#found + 1] = { from = block.from, to = to, first = line_of(starts, block.from),
					last = line_of(starts, from), newest = newest }
			end
		elseif word == "elseif" or word == "else" then
			newest = #open > 0 and open[#open].newest or nil
		elseif word == "local" then
			local constant = declared(text, to + 1)
			if constant then
				constant.before, newest, to = newest, constant, constant.to
			end
		end
		at = to + 1
	end
end

-- Returns the set of words in a text.
local function words_of(text)
	local words, at = {}, 1
	while true do
		local kind, from, to = next_token(text, at)
		if not kind then return words end
		if kind == "word" then words[text:sub(from, to)] = true end
		at = to + 1
	end
end

local scanned, scanned_text = nil, nil

-- Returns functions_of(text), and caches it for the last text.
local function scan(text)
	if text ~= scanned_text then scanned, scanned_text = functions_of(text), text end
	return scanned
end

-- Returns the position of the parenthesis after a function's name, and whether it is a method.  Comments may precede it.
local function parameters_of(text)
	local at, method = #"function" + 1, false
	while at <= #text do
		local c = text:sub(at, at)
		if c == "(" then return at, method end
		method = method or c == ":"
		at = c == "-" and behind_comment(text, at) or at + 1
	end
	return nil
end

--[[
Returns a function's text as a list of expressions: the name is removed, and a method gets the parameter self.  If the name
spans several lines, there are two candidates, since Lua counts the lines of a local function from its parameters, but the
lines of other functions from the word `function`.
]]
local function expressions(text)
	local at, method = parameters_of(text)
	if not at then return { text } end
	local rest = text:sub(at + 1)
	local lines = ("\n"):rep(#line_starts(text:sub(1, at)) - 1)
	if method then
		local close = rest:find("^[ \t]*%)")
		rest = (close and "self" or "self, ") .. rest
	end
	if lines == "" then return { "function(" .. rest } end
	return { "function" .. lines .. "(" .. rest, "function(" .. lines .. rest }
end

-- Comparing.

--[[
Reads the main function (`depth` 0) or the only function within it (`depth` 1) from a dump.  Returns a string of its
code, constants and inner functions, and a string of the names of its upvalues, empty if the dump has none.  The first
string omits the places of the upvalues, which depend on the surrounding code.  Returns nil if there is no such function.
]]
local function read_dump(dump, depth)
	local HEAD = 4 + 1 + 1 + 6 + 3 + 8 + 8
	if dump:sub(1, 6) ~= "\27Lua\x54\0" or dump:sub(13, 15) ~= "\4\8\8" then return nil end
	local at = HEAD + 2 -- the byte after the head is the number of upvalues
	local function size()
		local n = 0
		while true do
			local byte = dump:byte(at)
			at = at + 1
			n = n << 7 | byte & 127
			if byte >= 128 then return n end
		end
	end
	local function skip(n) at = at + n end -- in skip(size()), size() moves `at` first
	local function a_string()
		local n = math.max(size() - 1, 0)
		skip(n)
		return dump:sub(at - n, at - 1)
	end
	local constant = { [0] = 0, [1] = 0, [17] = 0, [3] = 8, [19] = 8 }
	local function a_function()
		local f = { inner = {}, names = {} }
		a_string()
		local from = at
		size() -- lines
		size()
		skip(3)
		skip(4 * size())
		for _ = 1, size() do
			local kind = dump:byte(at)
			at = at + 1
			if constant[kind] then at = at + constant[kind] else a_string() end
		end
		local parts, places = { dump:sub(from, at - 1) }, {}
		for i = 1, size() do
			places[i] = dump:sub(at, at + 1) -- the third byte, whether it is a constant, makes no difference
			skip(3)
		end
		f.places = table.concat(places)
		for i = 1, size() do
			f.inner[i] = a_function()
			parts[#parts + 1] = ("%d %s%s"):format(#f.inner[i].places, f.inner[i].places, f.inner[i].text)
		end
		local behind = at
		skip(size())
		for _ = 1, size() do size() size() end
		for _ = 1, size() do a_string() size() size() end
		for i = 1, size() do f.names[i] = a_string() end
		parts[#parts + 1] = ("%d %s"):format(#places, dump:sub(behind, at - 1))
		f.text = table.concat(parts, " ")
		return f
	end
	local main = a_function()
	if depth == 1 then main = #main.inner == 1 and main.inner[1] or nil end
	return main and main.text, main and table.concat(main.names, " ")
end

local function constant_text(c) return ("local %s <const> = %s"):format(c.name, c.text) end

-- Compiles a function's expression on that line, with these constants and locals around it, without running it.  Returns its
-- code and upvalue names as read_dump does, or nil.
local function compiled(text, line, constants, names)
	local around = {}
	for i, c in ipairs(constants) do around[i] = constant_text(c) .. " " end
	if #names > 0 then around[#around + 1] = "local " .. table.concat(names, ", ") .. " " end
	around = table.concat(around)
	local above = line - #line_starts(around) -- a constant may span several lines
	local chunk = load(("\n"):rep(above) .. around .. "return " .. text, "=cut", "t", {})
	if not chunk then return nil end
	local _, upvalues = read_dump(string.dump(chunk), 1)
	return read_dump(string.dump(chunk, true), 1), upvalues
end

local function upvalue_names(piece)
	local names = {}
	for _, u in ipairs(piece.upvalues) do
		if u.name ~= "_ENV" then names[#names + 1] = u.name end
	end
	return names
end

local MANY_THERE = ("more than %d functions are on the same lines: write the function on lines of its own"):format(MANY)
local UNLIKE = "its text alone does not compile to the same function as in its script: move what it uses from outside into it"
local UNKNOWN = "the text of its chunk is not stored"

-- Returns the constants in scope that a function may use: those whose names occur in its text and are not names of upvalues.
local function constants_around(f, text, names)
	if not f.newest then return {} end
	local words = words_of(text)
	for _, name in ipairs(names) do words[name] = nil end
	return constants_of(f.newest, words)
end

-- Returns a subset of the constants for which same(subset) is true, and from which none can be removed.
local function needed_of(constants, same)
	local needed = table.move(constants, 1, #constants, 1, {})
	for i = #needed, 1, -1 do
		local c = table.remove(needed, i)
		if not same(needed) then table.insert(needed, i, c) end
	end
	return needed
end

-- Finds the function in a text that compiles to `wanted` with these upvalues in that order.  Returns its expression and the
-- constants that it uses, or nil and the reason.
local function find_in(text, piece, names, wanted, order)
	local tried = 0
	for _, f in ipairs(scan(text)) do
		if f.last == piece.last and f.first <= piece.first then
			tried = tried + 1
			if tried > MANY then return nil, MANY_THERE end
			local whole = text:sub(f.from, f.to)
			local constants = constants_around(f, whole, names)
			for _, cut in ipairs(expressions(whole)) do
				local function same(around)
					local found, upvalues = compiled(cut, f.first, around, names)
					return found == wanted and upvalues == order
				end
				if same(constants) then return cut, needed_of(constants, same) end
			end
		end
	end
	return nil, tried > 0 and UNLIKE or nil
end

-- Cuts a function out of its chunk: returns its text and the constants from around it, or nil and the reason.
local function cut(piece)
	local names, order, wanted, why = upvalue_names(piece), {}, read_dump(piece.bare, 0), nil
	if not wanted or #names > 190 then return nil, "it is of an unknown kind" end
	for i, u in ipairs(piece.upvalues) do order[i] = u.name end
	for _, text in ipairs(native.texts(piece.chunk)) do
		local found, more = find_in(text, piece, names, wanted, table.concat(order, " "))
		if found then return found, more end
		why = why or more
	end
	return nil, why or UNKNOWN
end

-- Writing.

-- Returns Lua that makes the function again: its text, with its upvalues and constants as locals around it.
-- to_text(v, indent, name) writes values.
local function piece_text(piece, to_text, indent)
	if #upvalue_names(piece) == 0 and #piece.constants == 0 then return piece.text end
	local pad, lines, made = "\n" .. ("\t"):rep(indent + 1), {}, "return " .. piece.text
	for _, u in ipairs(piece.upvalues) do
		if u.value == piece then
			table.insert(lines, 1, "local " .. u.name)
			made = ("%s = %s%sreturn %s"):format(u.name, piece.text, pad, u.name)
		elseif u.name ~= "_ENV" then
			local value = u.value ~= nil and " = " .. to_text(u.value, indent + 1, u.name) or ""
			lines[#lines + 1] = ("local %s%s"):format(u.name, value)
		end
	end
	for i, c in ipairs(piece.constants) do table.insert(lines, i, constant_text(c)) end
	lines[#lines + 1] = made
	return "(function()" .. pad .. table.concat(lines, pad) .. "\n" .. ("\t"):rep(indent) .. "end)()"
end

local function is_piece(v) return type(v) == "table" and getmetatable(v) == native.piece end
source.is_piece = is_piece

-- Calls f for each piece in a value, once.
local function each_piece(v, f, seen)
	if type(v) ~= "table" or seen[v] or native.name_of(v) then return end
	seen[v] = true
	if is_piece(v) then
		f(v)
		for _, u in ipairs(v.upvalues) do each_piece(u.value, f, seen) end
	else
		for k, item in pairs(v) do
			each_piece(k, f, seen)
			each_piece(item, f, seen)
		end
	end
end

local function leads_to(v, piece, seen)
	local found = false
	each_piece(v, function(p) found = found or p == piece end, seen)
	return found
end

local function place_of(piece)
	return ("the function of %s:%d"):format(piece.chunk:gsub("^[@=]", ""):match "[^\n]*":sub(1, 200), piece.first)
end

-- Returns why a function, or one that it refers to, has no text, or nil.
local function problem_of(piece)
	local problem
	each_piece(piece, function(p)
		local text, more = cut(p)
		local why = not text and more or nil
		p.text, p.constants = text, text and more
		for _, u in ipairs(p.upvalues) do
			if u.value ~= p and leads_to(u.value, p, {}) then why = ("it and '%s' refer to each other"):format(u.name) end
		end
		if why and not problem then problem = ("%s: %s"):format(place_of(p), why) end
	end, {})
	return problem
end

local known = setmetatable({}, { __mode = "k" }) -- of function values

local function pieces_of(value)
	local p = known[value]
	if not p then
		p = native.function_pieces(value)
		p.problem = problem_of(p)
		known[value] = p
	end
	return p
end

-- Returns why a function value cannot be written, or nil.
function source.problem(value)
	return pieces_of(value).problem
end

-- Returns Lua that makes the value or one of its pieces; `to_text(v, indent, name)` writes upvalues.
function source.text(value, to_text, indent)
	return piece_text(is_piece(value) and value or pieces_of(value), to_text, indent)
end

-- Calls f(v, name) for every upvalue of the function `value` and of the functions that it refers to.
function source.each_upvalue(value, f)
	each_piece(pieces_of(value), function(p)
		for _, u in ipairs(p.upvalues) do f(u.value, u.name) end
	end, {})
end

return source
