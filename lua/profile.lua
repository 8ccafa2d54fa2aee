-- SPDX-License-Identifier: GPL-3.0-or-later
-- profile.lua: reports the time of training steps by module and operation as a table (trainer:profile, barlow --profile).
local native = require "barlow.native"

local profile = {}

local LINES = 40

local function speed(flops, seconds, ceiling)
	if flops == 0 or seconds == 0 then return "", "" end
	return ("%.0f"):format(flops / seconds / 1e9), ("%.0f%%"):format(100 * flops / seconds / ceiling)
end

local function line(row, wall, ceiling)
	local gf, gfs = speed(row.flops_forward, row.forward, ceiling)
	local gb, gbs = speed(row.flops_backward, row.backward, ceiling)
	return ("%-34s %-16s %6.1f%% %9.2f %6s %5s %9.2f %6s %5s"):format(row.module, row.op,
		100 * (row.forward + row.backward) / wall, 1000 * row.forward, gf, gfs, 1000 * row.backward, gb, gbs)
end

local function text(p)
	if #p.rows == 0 then return "nothing was profiled: no training step was made" end
	local out = { ("%-34s %-16s %7s %9s %6s %5s %9s %6s %5s"):format("module", "operation", "time", "fwd ms", "GF/s", "",
		"bwd ms", "GF/s", "") }
	for i = 1, math.min(#p.rows, LINES) do out[#out + 1] = line(p.rows[i], p.seconds, p.ceiling) end
	if #p.rows > LINES then out[#out + 1] = ("... and %d rows more"):format(#p.rows - LINES) end
	out[#out + 1] = ("%.0f ms in all, %.1f%% of them accounted for; sgemm reaches %.0f GFLOP/s here (the shares refer to it, and"
		.. " count a convolution as done directly)"):format(1000 * p.seconds, 100 * p.accounted, p.ceiling / 1e9)
	return table.concat(out, "\n")
end

local class = { __tostring = text, __name = "profile" }

-- Ends profiling and returns the profile: {rows = {...}, seconds =, accounted =, ceiling =}.
function profile.report()
	native.profile_stop()
	local rows, seconds = native.profile_rows()
	local booked = 0
	for _, r in ipairs(rows) do booked = booked + r.forward + r.backward end
	return setmetatable({ rows = rows, seconds = seconds, accounted = seconds > 0 and booked / seconds or 0,
		ceiling = native.profile_ceiling() }, class)
end

--[[
profile(n): profiles n steps (20, or as many as are left) on this thread, after two warm-up steps if enough are left; returns
the profile, which prints as a table.
]]
function profile.run(t, n)
	if n ~= nil and (math.type(n) ~= "integer" or n < 1) then
		error("profile: expected a number of steps, 1 or more, got " .. tostring(n), 0)
	end
	local left = t.steps - t.iteration
	n = math.min(n or 20, left)
	if left - n >= 2 then t:step(2) end
	native.profile_start()
	local fine, why = pcall(t.step, t, n)
	if not fine then
		native.profile_stop()
		error(why, 0)
	end
	return profile.report()
end

return profile
