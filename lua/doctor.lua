-- SPDX-License-Identifier: GPL-3.0-or-later
--[[
doctor.lua: barlow doctor: checks whether this machine has what barlow needs, and reports problems.

A finding is {name =, state =, text =, remedy =}; its state is "fine", "note" (something optional is
missing) or "problem" (something will not work).
]]
local native = require "barlow.native"

local doctor = {}

local GIB = 1 << 30

local function size(bytes)
	if bytes >= GIB then return ("%.1f GiB"):format(bytes / GIB) end
	return ("%.0f MiB"):format(bytes / (1 << 20))
end

-- Returns the first line of a file, or nil.
local function first_line(path)
	local f = io.open(path)
	local line = f and f:read "l"
	if f then f:close() end
	return line
end

-- Returns what a command prints to standard output and standard error, or nil if it failed.
local function output(command)
	local p = io.popen(command .. " 2>&1 </dev/null")
	local text = p and p:read "a"
	return p and p:close() and text or nil
end

-- Returns the lowest limit set by this process's control group and its parents, or nil if there is none.
local function group_limit(file, read)
	local at = (first_line "/proc/self/cgroup" or ""):match "^0::(/.*)$"
	local least
	while at do
		local value = read(first_line("/sys/fs/cgroup" .. at .. "/" .. file) or "")
		if value and (not least or value < least) then least = value end
		at = at ~= "/" and at ~= "" and (at:match "^(.*)/[^/]*$") or nil
	end
	return least
end

-- Checks: each calls add(state, text, remedy) for what it finds.

local checks = {}
local function check(name, f) checks[#checks + 1] = { name = name, run = f } end

check("version", function(add) add("fine", ("barlow %s, %s"):format(native.version, _VERSION)) end)

check("kernels", function(add, m)
	local others = {}
	for _, name in ipairs(m.kernel_sets) do
		if name ~= m.kernels then others[#others + 1] = name end
	end
	local text = m.kernels .. (#others > 0 and "; this CPU runs " .. table.concat(others, ", ") .. ", too" or "")
	if os.getenv "BARLOW_KERNELS" and m.kernels ~= m.kernel_sets[1] then
		return add("note", text, ("BARLOW_KERNELS selects fewer instructions than this CPU has; unset it to use %s"):format(m.kernel_sets[1]))
	end
	add("fine", text)
end)

check("BLAS", function(add, m)
	local text = ("OpenBLAS with kernels for %s, %s"):format(m.blas_core, m.blas_library)
	if m.kernels ~= "generic" and (m.blas_core == "Prescott" or m.blas_core == "Core2" or m.blas_core == "Generic") then
		return add("note", text, "OpenBLAS treats this CPU as an older one, which is several times slower: install a newer libopenblas0, or "
			.. "set OPENBLAS_CORETYPE=" .. (m.kernels == "avx2" and "Haswell" or "SkylakeX"))
	end
	add("fine", text)
end)

check("threads", function(add, m)
	local quota = group_limit("cpu.max", function(line)
		local most, period = line:match "^(%d+) (%d+)$"
		return most and most / period
	end)
	local text = ("%d, on %d cores"):format(m.threads, m.cores)
	if quota and quota < m.threads then
		local fit = math.max(1, math.floor(quota))
		return add("note", ("%s; the control group allows the time of %.1f of them"):format(text, quota),
			("start barlow with -t %d: more threads than cores only wait for each other"):format(fit))
	end
	add("fine", text)
end)

check("memory", function(add, m)
	local group = group_limit("memory.max", function(line) return math.tointeger(tonumber(line)) end)
	local text = ("%s, %s of it unused"):format(size(m.memory), size(m.free_memory))
	if group and group < m.memory then text = ("%s; the control group allows %s"):format(text, size(group)) end
	if m.address_limit then
		add(m.address_limit < GIB and "problem" or "note", ("the address space is limited to %s"):format(size(m.address_limit)),
			"ulimit -v unlimited: barlow reserves addresses that it does not use, and large runs fail early")
	end
	if m.file_limit then
		add(m.file_limit < 64 << 20 and "problem" or "note", ("the size of files is limited to %s"):format(size(m.file_limit)),
			"ulimit -f unlimited: checkpoints may be larger than that")
	end
	if math.min(m.memory, group or m.memory) < GIB then
		return add("note", text, "smaller batches and projectors need less")
	end
	add("fine", text)
end)

local function colours_text(n)
	if n == 0 then return "no colours" end
	return n > 256 and "16 million colours" or n .. " colours"
end

check("terminal", function(add)
	local t, term = native.doctor_terminal(), os.getenv "TERM"
	if not t.is_one then add("fine", "standard output is not a terminal, so no screen is drawn") end
	if not term or term == "" then
		return add("note", "TERM is not set", "screens need it: export TERM=xterm-256color fits most terminals")
	end
	local name = native.clean(term)
	if not t.known then
		return add("note", ("TERM is %s, which terminfo does not know"):format(name),
			"Debian's package ncurses-term knows more; export TERM=xterm-256color fits most terminals")
	end
	if not t.moves then
		return add("note", ("TERM is %s: it cannot move its cursor"):format(name),
			"the prompt works, screens need another terminal; watch --once prints one as text")
	end
	local text = ("%s, %s, %s"):format(name, colours_text(t.colours), t.utf8 and "UTF-8" or "no UTF-8")
	if t.width > 0 then text = ("%s, %d x %d"):format(text, t.width, t.height) end
	add("fine", text)
	if not t.utf8 then
		add("note", "the locale has no UTF-8: curves and images are drawn with ASCII characters", "export LC_CTYPE=C.UTF-8")
	end
	if t.width > 0 and (t.width < 80 or t.height < 24) then
		add("note", ("%d x %d is small"):format(t.width, t.height), "screens need 80 x 24 to show everything")
	end
end)

local drivers = { { "svg", ".svg" }, { "pngcairo", ".png" }, { "pdfcairo", ".pdf" }, { "pict2e", ".tex" } }

check("gnuplot", function(add)
	local version = output "gnuplot --version"
	if not version then
		return add("problem", "it is not installed: figures can be saved as .gp scripts, but not drawn",
			"install Debian's package gnuplot-nox")
	end
	local known, missing, have = " " .. (output "gnuplot -d -e 'print GPVAL_TERMINALS'" or "") .. " ", {}, {}
	for _, d in ipairs(drivers) do
		local list = known:find(" " .. d[1] .. " ", 1, true) and have or missing
		list[#list + 1] = d[2]
	end
	local name = native.clean((version:gsub("%s+$", "")))
	if #missing > 0 then
		return add("problem", ("%s cannot draw %s"):format(name, table.concat(missing, ", ")),
			"install Debian's package gnuplot-nox, which has all that barlow uses")
	end
	add("fine", ("%s: draws %s"):format(name, table.concat(have, ", ")))
end)

check("data", function(add)
	local missing = {}
	for _, set in ipairs(require "barlow".data.list()) do
		if set.path then
			add("fine", ("%s in %s"):format(set.name, set.path))
		else
			missing[#missing + 1] = set.name
		end
	end
	if #missing > 0 then
		add("note", "not here: " .. table.concat(missing, ", "),
			"data.list() says where each is searched for and how to get it; data.shapes needs no files")
	end
end)

-- Checks that a folder can be written to.  If it cannot, the finding is a problem if `needed` is set, otherwise a note.
-- what: the files that are kept there; why: the reason if `path` is nil.
local function check_folder(add, path, why, what, needed)
	local bad = needed and "problem" or "note"
	if not path then return add(bad, why, "set HOME: without it no " .. what .. " is kept") end
	local f, shown = native.doctor_folder(path), native.clean(path)
	if not f.writable then
		add(bad, ("%s cannot be written to: %s"):format(f.exists and shown or f.at .. " (for " .. shown .. ")", f.why),
			"give yourself the right to write there, or set the XDG variable for it: no " .. what .. " is kept")
		return nil
	end
	local text = ("%s, %s free"):format(shown, size(f.free or 0)) .. (f.exists and "" or "; made when it is needed")
	if f.free and f.free < GIB // 8 then
		add(bad, text, "make room: a checkpoint that does not fit is not written")
	elseif f.free and f.free < GIB then
		add("note", text, "a run with checkpoints takes some 100 MiB")
	else
		add("fine", text)
	end
	return f
end

check("runs", function(add)
	local fine, root = pcall(native.runs_root)
	local f = check_folder(add, fine and root or nil, not fine and root or nil, "run", true)
	if not f then return end
	if f.links == false then
		add("problem", "hard links do not work there: workers of a sweep cannot agree on which of them runs a trial",
			"set XDG_DATA_HOME to a folder on another file system")
	end
	if f.locks == false then
		add("problem", "files cannot be locked there: two programs could steer or resume one run",
			"set XDG_DATA_HOME to a folder on another file system, or mount this one with locks")
	end
	if f.late and math.abs(f.late) > 2 then
		add("note", ("its file system's clock is %+d s from this machine's"):format(f.late), "set both clocks by NTP")
	end
end)

local folders = {
	{ "cache", "XDG_CACHE_HOME", ".cache", "index of runs and no tuned choice" },
	{ "state", "XDG_STATE_HOME", ".local/state", "history of the prompt" },
}
for _, k in ipairs(folders) do
	check(k[1], function(add)
		local path, why = native.user_folder(k[2], k[3])
		check_folder(add, path, why, k[4], false)
	end)
end

check("config", function(add)
	local folder, why = native.user_folder("XDG_CONFIG_HOME", ".config")
	if not folder then return add("note", why, "set HOME: without it there is no init.lua") end
	local path = folder .. "/init.lua"
	add("fine", native.clean(path) .. (native.exists(path) and ", run before each prompt" or " does not exist; it is optional"))
end)

check("clock", function(add, m)
	local text = os.date("%Y-%m-%d %H:%M:%S %z", m.time)
	if m.time < 1704067200 then
		return add("problem", text, "set the clock: runs are named and found by their time")
	end
	add("fine", text)
end)

local function findings()
	local list, machine = {}, native.doctor_machine()
	for _, c in ipairs(checks) do
		local function add(state, text, remedy)
			list[#list + 1] = { name = c.name, state = state, text = text, remedy = remedy }
		end
		local fine, why = pcall(c.run, add, machine)
		if not fine then add("problem", ("this check failed: %s"):format(why), "please report it") end
	end
	return list
end

local marks = { fine = "  ", note = "- ", problem = "! " }

local function print_text(list, problems)
	for _, f in ipairs(list) do
		print(("%s%-9s %s"):format(marks[f.state], f.name, f.text))
		if f.remedy then print(("  %-9s %s"):format("", "--> " .. f.remedy)) end
	end
	print(problems == 0 and "No problems were found." or ("%d problem%s."):format(problems, problems > 1 and "s" or ""))
end

-- Prints the findings; returns the exit status.
function doctor.main(json)
	local list, problems = findings(), 0
	for _, f in ipairs(list) do
		if f.state == "problem" then problems = problems + 1 end
	end
	if json then
		print(native.json_text{ version = native.version, problems = problems, findings = list })
	else
		print_text(list, problems)
	end
	return problems > 0 and 1 or 0
end

return doctor
