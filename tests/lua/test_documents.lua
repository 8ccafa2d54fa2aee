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
tap.done()
