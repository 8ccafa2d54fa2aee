-- SPDX-License-Identifier: GPL-3.0-or-later
-- docs/tutorial.md and docs/prompt.md: entries at the prompt print the output shown there (tests/lua/documents.lua).
package.path = os.getenv "SRCDIR" .. "/tests/lua/?.lua;" .. package.path
local tap, documents = require "tap", require "documents"
local ok = documents.ok

documents.check "docs/tutorial.md"
documents.check "docs/prompt.md"

-- The number of lines and keys of each task of prompt.md on both sides, and the numbers stated there.
local function count_tasks(path)
	local tasks, block = {}, nil
	for line in io.lines(path) do
		local task = tasks[#tasks]
		if line:match "^## %d" then
			tasks[#tasks + 1] = { name = line, python = { 0, 0 }, barlow = { 0, 0 } }
		elseif line:match "^IPython and lightly: .*barlow: " then
			task.says = line
		elseif line:match "^```" then
			block = line:match "^```(%a+)"
		elseif block and task then
			local text = block == "python" and line or line:match "^barlow> (.*)$"
			local count = task[block == "python" and "python" or "barlow"]
			if text then count[1], count[2] = count[1] + 1, count[2] + utf8.len(text) + 1 end
		end
	end
	return tasks
end

local function counted(count, none)
	if count[1] == 0 then return none end
	return ("%d line%s, %d keys"):format(count[1], count[1] == 1 and "" or "s", count[2])
end

local tasks = count_tasks(os.getenv "SRCDIR" .. "/docs/prompt.md")
ok(#tasks == 30, "thirty tasks", #tasks)
for _, task in ipairs(tasks) do
	local want = ("IPython and lightly: %s; barlow: %s."):format(counted(task.python, "not possible as it is"),
		counted(task.barlow, "nothing to type"))
	ok(task.says == want, task.name .. ": lines and keys", want)
end

-- The comparison itself
ok(documents.same_text("mean 0.43", "mean 0.44") and not documents.same_text("mean 0.43", "mean 0.63"), "numbers may differ by a tenth")
ok(not documents.same_text("16 steps", "17 steps") and not documents.same_text("a", "b"), "... whole ones not, and words not")
ok(documents.same({ "a", "…", "b" }, { "a", "x", "y", "b" }) and not documents.same({ "a", "…", "b" }, { "a", "x" }), "… stands for lines")
tap.done()
