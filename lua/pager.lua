-- SPDX-License-Identifier: GPL-3.0-or-later
-- pager.lua: at the prompt, shows texts that are longer than the terminal through $PAGER.
local native = require "barlow.native"

local pager = { seconds = 0 } -- time in pagers since the prompt reset it to 0

local function at_prompt()
	local prompt = package.loaded["barlow.prompt"]
	return prompt and prompt.given ~= nil
end

-- Returns the terminal's facts, as doctor_terminal does, if a pager can be used, or nil.
local function rows()
	local term, emacs = os.getenv "TERM" or "", os.getenv "INSIDE_EMACS"
	if not at_prompt() or emacs or term == "" or term == "dumb" or not native.is_terminal() then return nil end
	local t = native.doctor_terminal()
	return t.height > 0 and t or nil
end

-- Returns the number of lines that the text takes on the screen.
local function height_of(lines, width)
	local n = 0
	for _, line in ipairs(lines) do n = n + math.max(1, ((utf8.len(line) or #line) + width - 1) // math.max(1, width)) end
	return n
end

-- Shows the text in a pager, which reads it from a file.  A pipe is not used: SIGPIPE would end this
-- program if the pager ended before it had read everything.
local function run_pager(text)
	local command, path = os.getenv "PAGER", os.tmpname()
	if not command or command == "" then command = "less -FRX" end
	local file = io.open(path, "w")
	local fine = file and file:write(text) and file:close()
	io.stdout:flush()
	local began = native.now()
	if fine then fine = os.execute(("LESS=${LESS-FRX} %s <'%s'"):format(command, path)) end
	pager.seconds = pager.seconds + native.now() - began
	os.remove(path)
	return fine
end

-- Prints the lines, through a pager if they do not fit above a prompt; directly if they fit or the pager fails.
function pager.print(lines)
	local terminal, text = rows(), table.concat(lines, "\n") .. "\n"
	if terminal and height_of(lines, terminal.width) > terminal.height - 2 and run_pager(text) then return end
	for _, line in ipairs(lines) do print(line) end
end

return pager
