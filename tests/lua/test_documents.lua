-- SPDX-License-Identifier: GPL-3.0-or-later
-- README.md and all other documents, but those of test_tutorial.lua: blocks of code, links and paths (tests/lua/documents.lua).
package.path = os.getenv "SRCDIR" .. "/tests/lua/?.lua;" .. package.path
local tap, documents = require "tap", require "documents"
local ok = documents.ok

local apart, found = { ["docs/tutorial.md"] = true, ["docs/prompt.md"] = true }, 0
local list = io.popen(("cd %s && ls README.md AGENTS.md BENCHMARKS.md CONTRIBUTING.md docs/*.md"):format(documents.quoted(documents.root)))
for name in list:lines() do
	found = found + 1
	if not apart[name] then documents.check(name) end
end
ok(found > 12, "documents are found", found)
documents.check_paths "ARCHITECTURE.md"
documents.check_names "ARCHITECTURE.md"
documents.check_names "CONTRIBUTING.md"

-- Scripts name tests that are still there.
local function read(path)
	local f = assert(io.open(documents.root .. "/" .. path))
	local text = f:read "a"
	f:close()
	return text
end
local function exists(name)
	local f = io.open(documents.root .. "/" .. name) or io.open(documents.root .. "/" .. name .. ".c")
	return f and f:close()
end
local function check_tests(script, text)
	local missing, n = {}, 0
	for name in text:gmatch "tests/%l+/test_[%w_.]*%w" do
		n = n + 1
		if not exists(name) then missing[#missing + 1] = name end
	end
	ok(n > 0 and #missing == 0, script .. " names tests that exist", table.concat(missing, ", "))
end
check_tests("tests/coverage", read "tests/coverage")
check_tests("tests/term/tsan.sh", read "tests/term/tsan.sh")
local areas = io.popen(("%s %s/tests/mutate.lua tests"):format(documents.quoted(os.getenv "BARLOW"), documents.quoted(documents.root)))
check_tests("tests/mutate.lua", areas:read "a")
areas:close()
tap.done()
