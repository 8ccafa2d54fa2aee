-- SPDX-License-Identifier: GPL-3.0-or-later
--[[
prompt.lua: prints and stores the results of entries at the prompt, explains errors, and splits entries.  Entries that are not
Lua (%commands, $ shell lines) are run by prompt_commands.lua.
]]
local native = require "barlow.native"
local show = require "barlow.show"

local prompt = {
	entries = {}, -- what was typed in this session, {text =, seconds =, failed =}
	results = 0, -- number of values that were stored as _1, _2, ...
	traceback = nil, -- of the last error
}

local KEPT = 100 -- number of results that are stored
local SLOW = 1 -- seconds; the time of a slower entry is printed

-- Results.

-- Stores the value as `_` and `_N`, and the previous one as `__`.
local function store_result(value)
	prompt.results = prompt.results + 1
	rawset(_G, "__", rawget(_G, "_"))
	rawset(_G, "_", value)
	rawset(_G, "_" .. prompt.results, value)
	rawset(_G, "_" .. prompt.results - KEPT, nil)
end

-- Returns whether store_result() assigns that name.
function prompt.is_result(name) return name:match "^_+$" ~= nil or name:match "^_%d+$" ~= nil end

-- Prints the values of an entry unless it ends with ';' (comments may follow), and stores the first.
function prompt.values(silent, ...)
	local n, first = select("#", ...), ...
	if n > 0 and first ~= nil then store_result(first) end
	for i = 1, silent and 0 or n do print(show.result((select(i, ...)))) end
end

-- Errors.

-- Extracts the name that a message is about: "(global 'x')", "near 'x'".
local function token_of(message)
	for _, pattern in ipairs{ "%(%l+ '([^']+)'%)", "near '([^']+)'", "near (<eof>)" } do
		local token = message:match(pattern)
		if token then return token end
	end
end

-- Returns the columns of the token in the line, if it occurs exactly once as a word.
local function columns_of(line, token)
	local found, at, word = nil, 1, token:match "^[%w_]+$" ~= nil
	while true do
		local from, to = line:find(token, at, true)
		if not from then return found and found[1], found and found[2] end
		local left, right = from > 1 and line:sub(from - 1, from - 1) or " ", line:sub(to + 1, to + 1)
		if not word or not (left:match "[%w_]" or right:match "[%w_]") then
			if found then return nil end
			found = { from, to }
		end
		at = to + 1
	end
end

local function nth_line(text, n)
	for line in (text .. "\n"):gmatch "(.-)\r?\n" do
		n = n - 1
		if n == 0 then return line end
	end
end

-- Returns line n of the file, or nil; only the first MiB is read.
local function file_line(path, n)
	local file = io.open(path, "r")
	local text = file and file:read(1 << 20)
	if file then file:close() end
	return text and nth_line(text, n)
end

-- Returns a line of an entry and the token's place in it, from this entry or the newest earlier one that contains both.
local function entry_line(input, n, token, earlier_too)
	local line = nth_line(input, n)
	local from, to = nil, nil
	if line and token then from, to = columns_of(line, token) end
	if from or not token or not earlier_too or (line and line:find(token, 1, true)) then return line, from, to end
	for i = #prompt.entries, math.max(1, #prompt.entries - 99), -1 do
		local earlier = nth_line(prompt.entries[i].text, n)
		if earlier then from, to = columns_of(earlier, token) end
		if from then return earlier, from, to end
	end
	return line
end

-- Returns the offending line with a mark below the name in the message; for an entry of one line, only if there is a
-- mark.
local function marked(message, input)
	local chunk, number = message:match "^([^\n]-):(%d+): "
	if not chunk then return "" end
	local token, line, from, to = token_of(message), nil, nil, nil
	if chunk == "stdin" then
		line, from, to = entry_line(input, tonumber(number), token, not message:find " near ")
	else
		line = file_line(chunk, tonumber(number))
		if line and token then from, to = columns_of(line, token) end
	end
	if not line or (not from and chunk == "stdin" and not input:find "\n") then return "" end
	local text = "\n    " .. line:gsub("\t", " ")
	return from and text .. "\n    " .. (" "):rep(from - 1) .. ("^"):rep(to - from + 1) or text
end

-- Returns the stack frames of the user's code: not those of C, of barlow's own Lua, or of the prompt's entry.
local function own_frames(traceback)
	local out = {}
	for frame in traceback:gmatch "\n\t([^\n]*)" do
		if not frame:match "^%[C%]" and not frame:match "^barlow%." and not frame:match "^stdin:%d+: in main chunk"
			and not frame:match "^stdin:%d+: in function <" and not frame:match "^%(%.%.%.tail" then
			out[#out + 1] = "\n    at " .. frame
		end
	end
	return #out > 1 and table.concat(out) or "" -- the message already names the first
end

-- Returns the error of an entry as it is shown; the whole traceback is stored for %traceback.
function prompt.error_text(input, value, traceback)
	local message = type(value) == "string" and value or show.result(value)
	if message:match "^barlow%.[%w_]+:%d+: interrupted$" then message = "interrupted" end
	prompt.traceback = message .. "\n" .. (traceback or "")
	if type(value) ~= "string" then message = "error: " .. message end
	if message:find "near '='" and input:match "[%w_]%s*%(%s*[%a_][%w_]*%s*=[^=]" then
		message = message .. " (settings go in braces: f{name = value})"
	else
		message = require "barlow.prompt_hints".explained(input, message)
	end
	return message .. marked(message, input) .. own_frames(traceback or "")
end

-- Entries.

local SPLITS_MOST = 50

-- Splits statements that are followed by an expression, "x = 1; x": returns Lua that returns the values, the statements, and
-- the expression; nil for other input, or if none of the last SPLITS_MOST separators splits it.
function prompt.split(input)
	local tries = 0
	for at = #input, 1, -1 do
		local mark = input:sub(at, at)
		if mark == ";" or mark == "\n" then
			local head, tail = input:sub(1, at), input:sub(at + 1)
			local whole = head .. "return " .. tail
			-- A tail that consists of comments is not an expression, but may follow 'return'.
			if load("local _ = " .. tail, "=split", "t") and load(whole, "=split", "t") then return whole, head, tail end
			tries = tries + 1
			if tries == SPLITS_MOST then return nil end
		end
	end
end

-- Returns the names that an entry such as `local x = 1` declares, which end with the entry; nil for other entries.
function prompt.local_names(input)
	local names = input:match "^%s*local%s+([%w_%s,]+)=[^;\n]*$" or input:match "^%s*local%s+([%w_%s,]+)$"
		or input:match "^%s*local%s+function%s+([%w_]+)%s*%([^;\n]*$"
	return names and (names:gsub("%s+$", ""))
end

-- Returns a hint if the entry is only a name that no variable has, which Lua evaluates to nil.
local function undefined_text(input)
	local name = input:match "^%s*([%a][%w_]*)%s*$"
	if not name or name == "nil" or name == "true" or name == "false" or rawget(_G, name) ~= nil then return nil end
	local known = {}
	for other in pairs(_G) do
		if type(other) == "string" then known[#known + 1] = other end
	end
	table.sort(known)
	local near = native.nearest(name, known)
	return ("no variable has the name '%s'%s"):format(name, near and (" (did you mean '%s'?)"):format(near) or "")
end

-- Stores an entry that was run, and prints hints about it.
function prompt.ran(input, seconds, failed)
	local pager = require "barlow.pager"
	seconds, pager.seconds = seconds - pager.seconds, 0
	prompt.entries[#prompt.entries + 1] = { text = input, seconds = seconds, failed = failed }
	local names = not failed and prompt.local_names(input)
	if names then
		local several = names:find ","
		print(("%s %s local to this entry and gone now: without 'local' %s"):format(names, several and "are" or "is",
			several and "they stay" or "it stays"))
	end
	local undefined = not failed and undefined_text(input)
	if undefined then print(undefined) end
	if seconds > SLOW and native.is_terminal() then print(("(%s)"):format(show.seconds(seconds))) end
end

-- Returns the entries in a text that was copied with its prompts, as from README; nil if it has none.  Lines without a prompt
-- are output.
function prompt.entries_in(text)
	if not text:match "^%s*barlow[^\n>]*> " then return nil end
	local out = {}
	for line in (text .. "\n"):gmatch "(.-)\r?\n" do
		local entry, more = line:match "^%s*barlow[^>]*> ?(.*)$", line:match "^%s+> ?(.*)$"
		if entry then
			out[#out + 1] = entry
		elseif more and #out > 0 then
			out[#out] = out[#out] .. "\n" .. more
		end
	end
	return out
end

-- Constants of Python, which would silently be nil.
local constants = { True = "true", False = "false", None = "nil" }

local function no_constant(_, name)
	if constants[name] then error(("'%s' is not defined (in Lua: %s)"):format(name, constants[name]), 2) end
end

-- Starts the session.  history() returns the entries of all sessions.  Globals that exist now do not count as the user's.
function prompt.begin(history)
	prompt.history = history
	prompt.given = {}
	for name in pairs(_G) do prompt.given[name] = true end
	if not getmetatable(_G) then setmetatable(_G, { __index = no_constant }) end
end

-- Runs a line that begins with '%', '$' or is one of the words; commands are in a module of their own.
function prompt.command(input) return require "barlow.prompt_commands".run(input, prompt) end

return prompt
