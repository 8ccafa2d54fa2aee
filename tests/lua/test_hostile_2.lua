-- SPDX-License-Identifier: GPL-3.0-or-later
-- Part 2 of 3 of test_hostile.lua.
assert(loadfile(arg[0]:match "^(.*/)" .. "test_hostile.lua"))(2)
