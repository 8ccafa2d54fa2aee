-- SPDX-License-Identifier: GPL-3.0-or-later
-- prompt_commands.lua: the commands of the prompt (%time, %who, ...), and $ for the shell.
local native = require "barlow.native"
local show = require "barlow.show"
local hints = require "barlow.prompt_hints"

local commands = {}

local prompt -- the module that called commands.run

local list, by_name = {}, {}

-- Adds a command.  usage: "NAME [ARGUMENT]"; text: one line of help; run: the function that is called with the argument.
local function add(usage, text, run)
	local c = { name = usage:match "^%S+", usage = usage, text = text, run = run }
	list[#list + 1] = c
	by_name[c.name] = c
end

local typed -- the name by which the user called the command

local function need(name, argument)
	if argument == "" then error(("%%%s needs an argument: %%%s"):format(typed, by_name[name].usage:gsub("^%S+", typed)), 0) end
	return argument
end

-- Compiles an expression or statements to a function.
local function compile(code)
	local f, message = load("return " .. code, "=stdin", "t")
	if not f then f, message = load(code, "=stdin", "t") end
	local whole = not f and prompt.split(code)
	if whole then f = load(whole, "=stdin", "t") end
	if not f then error(message, 0) end
	return f
end

-- Time.

add("time CODE", "run CODE and print elapsed time and processor time", function(argument)
	local f = compile(need("time", argument))
	local wall, processor = native.now(), os.clock()
	local values = table.pack(f())
	wall, processor = native.now() - wall, os.clock() - processor
	prompt.values(false, table.unpack(values, 1, values.n))
	print(("%s, processor time %s"):format(show.seconds(wall), show.seconds(processor)))
end)

local BENCH_SECONDS, BENCH_RUNS = 1, 5

-- Times n calls in a row.
local function time_calls(f, n)
	local before = native.now()
	for _ = 1, n do f() end
	return native.now() - before
end

add("bench CODE", "run CODE repeatedly for at least a second: median, fastest and slowest", function(argument)
	local f, n = compile(need("bench", argument)), 1
	local once = time_calls(f, 1)
	while once < BENCH_SECONDS / BENCH_RUNS / 2 and n < 1e7 do
		n = n * math.max(2, math.min(10, (BENCH_SECONDS / BENCH_RUNS / math.max(once, 1e-9)) // 1))
		once = time_calls(f, n)
	end
	local times = { once / n }
	for i = 2, BENCH_RUNS do times[i] = time_calls(f, n) / n end
	table.sort(times)
	print(("median %s, fastest %s, slowest %s: %d runs of %d call%s"):format(show.seconds(times[(BENCH_RUNS + 1) // 2]),
		show.seconds(times[1]), show.seconds(times[BENCH_RUNS]), BENCH_RUNS, n, n == 1 and "" or "s"))
end)

add("prof CODE", "run CODE and print where the time of training steps went, by module and operation", function(argument)
	local f = compile(need("prof", argument))
	native.profile_start()
	local fine, message = pcall(f)
	print(tostring(require "barlow.profile".report()))
	if not fine then error(message, 0) end
end)

-- Variables.

-- Globals that are settings of the prompt, and not listed as variables.
local settings = { _NEWS = true, _PROMPT = true }

-- Returns the names of the user's globals, sorted.
local function own_globals()
	local names = {}
	for name in pairs(_G) do
		if type(name) == "string" and not prompt.given[name] and not prompt.is_result(name) and not settings[name] then
			names[#names + 1] = name
		end
	end
	table.sort(names)
	return names
end

add("who", "list your global variables", function()
	local names, width = own_globals(), 0
	if #names == 0 then print "you have no global variables" end
	for _, name in ipairs(names) do width = math.max(width, #name) end
	for _, name in ipairs(names) do
		local text = show.result(_G[name]):gsub("\n.*", " ...")
		print(show.cut(("%-" .. width .. "s  %-8s  %s"):format(name, math.type(_G[name]) or type(_G[name]), text), native.width() - 1))
	end
end)

add("reset", "delete your global variables and results (runs continue)", function()
	local names = own_globals()
	for _, name in ipairs(names) do _G[name] = nil end
	for name in pairs(_G) do
		if type(name) == "string" and prompt.is_result(name) then _G[name] = nil end
	end
	prompt.results = 0
	print(("deleted: %s"):format(#names > 0 and table.concat(names, ", ") or "only results, since there were no variables"))
end)

-- Files.

local function write_new(path, text)
	local file, why = io.open(path, "r")
	if file then
		file:close()
		error(("the file %s exists already: give another name"):format(path), 0)
	end
	file, why = io.open(path, "w")
	if not file then error(why, 0) end
	local fine, message = file:write(text)
	local closed, at_close = file:close()
	if not fine or not closed then error(("%s: %s"):format(path, message or at_close), 0) end
end

local function with_home(path) return (path:gsub("^~/", (os.getenv "HOME" or "~") .. "/")) end

add("run FILE [ARGUMENTS]", "run a script in this session, which keeps its global variables", function(argument)
	local words = {}
	for word in need("run", argument):gmatch "%S+" do words[#words + 1] = word end
	local path = with_home(words[1])
	local f, message = loadfile(path, "t")
	if not f then error(message, 0) end
	local before = arg
	arg = { [0] = path, table.unpack(words, 2) }
	local fine, why = xpcall(f, function(m) return type(m) == "string" and m or show.result(m) end, table.unpack(words, 2))
	arg = before
	if not fine then error(why, 0) end
end)

-- Returns the session as a script, without the entries that failed.
local function session_text()
	local lines = {}
	for _, e in ipairs(prompt.entries) do
		if not e.failed and not e.text:match "^%s*[%%$!?]" then lines[#lines + 1] = e.text end
	end
	return #lines > 0 and table.concat(lines, "\n") .. "\n" or nil
end

-- Converts an entry to a line of a script: an expression alone, which is not a statement in Lua, is printed.
local function as_statement(text)
	text = text:gsub("^%s*=", "")
	if load(text, "=save", "t") then return text end
	local head, tail = "", text
	if not load("return " .. text, "=save", "t") then
		local whole
		whole, head, tail = prompt.split(text)
		if not whole then return nil end
	end
	return ("%sprint(%s)"):format(head, (tail:gsub("%s*;?%s*$", "")))
end

add("save FILE", "write the entries of this session to a new file, as a script", function(argument)
	local path, lines = with_home(need("save", argument)), {}
	for _, e in ipairs(prompt.entries) do
		local line = not e.failed and as_statement(e.text)
		if line then lines[#lines + 1] = line end
	end
	if #lines == 0 then error("there is no entry yet that can be written to a script", 0) end
	write_new(path, table.concat(lines, "\n") .. "\n")
	print(("%s: %d entr%s"):format(path, #lines, #lines == 1 and "y" or "ies"))
end)

local function shell_quoted(text) return "'" .. text:gsub("'", [['\'']]) .. "'" end

add("edit [FILE]", "open FILE, or the entries of this session, in $VISUAL or $EDITOR, and run the result", function(argument)
	local path = argument ~= "" and with_home(argument) or nil
	local scratch = not path and os.tmpname() .. ".lua"
	if scratch then
		os.remove((scratch:gsub("%.lua$", "")))
		write_new(scratch, session_text() or "")
	end
	local editor = os.getenv "VISUAL" or os.getenv "EDITOR" or "vi"
	local fine = os.execute(editor .. " " .. shell_quoted(path or scratch))
	local f, message = loadfile(path or scratch, "t")
	if scratch then os.remove(scratch) end
	if not fine then error(("%s failed: nothing was run"):format(editor), 0) end
	if not f then error(message, 0) end
	f()
end)

-- The session.

add("history [TEXT]", "list the entries of this session, or those of all sessions that contain TEXT", function(argument)
	if argument == "" then
		for i, e in ipairs(prompt.entries) do print(("%4d  %s"):format(i, (e.text:gsub("\n", "\n      ")))) end
		return
	end
	local entries = prompt.history and prompt.history() or {}
	for _, e in ipairs(entries) do
		if e.text:find(argument, 1, true) and e.text ~= "%history " .. argument then
			print(("%s  %s"):format(e.time and os.date("%Y-%m-%d %H:%M", e.time) or (" "):rep(16), (e.text:gsub("\n", "\n" .. (" "):rep(18)))))
		end
	end
end)

add("results", "list the results that are stored as _1, _2, ...", function()
	for i = math.max(1, prompt.results - 99), prompt.results do
		print(show.cut(("_%-4d %s"):format(i, show.result(rawget(_G, "_" .. i)):gsub("\n.*", " ...")), native.width() - 1))
	end
end)

local KNN = 5 -- the column of kNN, which is left out where no run has measured it

local function job_row(t)
	local run, r = require "barlow.run", t.terms
	local left = t.state == "running" and r and run.remaining(t, r)
	local knn = run.newest(t, "knn")
	return { native.clean(t.name), t.state, ("%s/%s"):format(run.count(t.iteration / t.steps_per_epoch), run.count(t.steps / t.steps_per_epoch)),
		("%d/%d"):format(t.iteration, t.steps), knn and ("%.4f"):format(knn) or "-", r and ("%.4g"):format(r.total) or "-",
		left and run.clock(left) or "-", t.state == "failed" and native.clean(t.message:match "[^\n]*")
			or t.folder and native.clean((t.folder:gsub("\n", "\\n"))) or "in memory only" }
end

add("jobs", "list the runs of this session; also the word jobs", function()
	local rows = { { "run", "state", "epoch", "step", "kNN", "total", "ETA", "folder" } }
	local scored = false
	for _, t in ipairs(native.trainers()) do
		if t.state ~= "new" then
			rows[#rows + 1] = job_row(t)
			scored = scored or rows[#rows][KNN] ~= "-"
		end
	end
	if #rows == 1 then return print "there are no runs in this session" end
	for _, r in ipairs(scored and {} or rows) do table.remove(r, KNN) end
	local width = {}
	for _, r in ipairs(rows) do
		for i, text in ipairs(r) do width[i] = math.max(width[i] or 0, utf8.len(text) or #text) end
	end
	for _, r in ipairs(rows) do
		local line = {}
		for i, text in ipairs(r) do line[i] = text .. (" "):rep(width[i] - (utf8.len(text) or #text)) end
		print(show.cut((table.concat(line, "  "):gsub("%s+$", "")), native.width() - 1))
	end
end)

local news = { all = true, ends = "ends", none = false }

add("news [all|ends|none]", "choose the messages of runs in the background: all, only their ends, or none; like _NEWS in init.lua", function(argument)
	if argument ~= "" and news[argument] == nil then error(("%%news takes all, ends or none, got '%s'"):format(argument), 0) end
	if argument ~= "" then rawset(_G, "_NEWS", news[argument]) end
	local now = rawget(_G, "_NEWS")
	print(("news of runs: %s"):format((now == false or now == "none") and "none" or now == "ends" and "ends" or "all"))
end)

add("traceback", "print the whole traceback of the last error", function()
	print(prompt.traceback or "there was no error yet")
end)

-- Entries that are neither Lua nor these commands, and settings of the prompt.
local others = {
	{ "$ COMMAND, !COMMAND", "run a command of the shell" },
	{ "?NAME, ??NAME", "help on a name; with its source" },
	{ "jobs, ls, pwd, clear, who", "the commands of these names, unless a variable has the name" },
	{ "exit, quit", "end the session, like Ctrl-D" },
	{ "_1 to _100, _, __", "the last hundred results by number, the last result, and the one before it" },
	{ "_NEWS", "a global, for init.lua: which messages of runs are printed: \"all\", \"ends\" (only how they end) or \"none\"; %news sets it" },
	{ "_PROMPT", "a global: the text of the prompt, or a function that returns it; %r in it is replaced by the running runs, where there is room" },
	{ "$PAGER", "from the environment: the program that shows output longer than the terminal; otherwise less -FRX" },
	{ "$VISUAL, $EDITOR", "from the environment: the editor of %edit and of Ctrl-X Ctrl-E; otherwise vi" },
	{ "$NO_COLOR", "from the environment: if it is not empty, no colours, like --color=never" },
}

-- Returns all commands and other entries as a list of {name and arguments, text}, for %help, help "prompt" and the manual page.
function commands.described()
	local out = {}
	for i, c in ipairs(list) do out[i] = { "%" .. c.usage, c.text } end
	return table.move(others, 1, #others, #out + 1, out)
end

add("help", "list these commands", function() require "barlow.help".show "prompt" end)

-- Returns what may follow the command, for completion: a list of words, "CODE", or nil for files.
function commands.words(name)
	local c = by_name[hints.alias[name] or name]
	local usage = c and c.usage:match "%s(.*)$"
	if usage == "CODE" then return usage end
	local choices, words = usage and usage:match "^%[(%l[%l|]*)%]$", {}
	for word in (choices or ""):gmatch "%l+" do words[#words + 1] = word end
	return choices and words
end

-- Returns the names of all commands.
function commands.names()
	local names = {}
	for i, c in ipairs(list) do names[i] = c.name end
	return names
end

local function shell(command)
	if command == "" then error("$ needs a command of the shell: $ ls", 0) end
	local _, how, status = os.execute(command)
	if how == "signal" then print(("ended by signal %d"):format(status)) end
	if command:find "^cd%s" and not command:find "[;&|]" then print "cd changed the folder of the shell that ran it, not that of this session" end
	if how == "exit" and status ~= 0 then print(("exit status %d"):format(status)) end
end

function commands.run(input, caller)
	prompt = caller
	local command = input:match "^%s*[%$!](.*)$"
	if command then return shell((command:gsub("^%s+", ""))) end
	local name, argument = input:match "^%s*%%+%s*(%S*)%s*(.-)%s*$" -- also accepts %%time, as in IPython's cells
	if name == "" then name = "help" end
	local c, in_shell = by_name[hints.alias[name] or name], hints.shell[name]
	if in_shell then return shell(("%s %s"):format(in_shell == true and name or in_shell, argument)) end
	if not c then
		if hints.instead[name] then error(("there is no command %%%s: %s"):format(name, hints.instead[name]), 0) end
		local near = native.nearest(name, commands.names())
		error(("there is no command %%%s (%s)"):format(name, near and ("did you mean %%%s?"):format(near) or "%help lists them"), 0)
	end
	typed = name
	c.run(argument)
end

return commands
