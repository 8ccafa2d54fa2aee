-- SPDX-License-Identifier: GPL-3.0-or-later
-- manual.lua: formats the registry of functions and settings as a manual page, barlow-lua(7).
local registry = require "barlow.registry"
local help = require "barlow.help"

local manual = {}

-- Escapes text for roff.
local function escape(text)
	text = text:gsub("\\", "\\e"):gsub("%-", "\\-")
	return (text:gsub("^[.']", "\\&%0"):gsub("\n", " "))
end

local function add(out, ...)
	for _, line in ipairs{ ... } do out[#out + 1] = line end
end

local function add_keys(out, keys)
	add(out, ".RS")
	for _, k in ipairs(registry.flat(keys)) do
		local default = k.default and " = " .. k.default or ""
		add(out, ".TP", (".BR %s \"%s\""):format(escape(k.name), escape(default):gsub('"', '\\(dq')),
			escape(help.key_text(k)))
	end
	add(out, ".RE")
end

local function add_entry(out, e)
	add(out, ".TP", ".B " .. escape(e.signature), escape(e.text))
	if e.keys and #e.keys > 0 then add_keys(out, e.keys) end
end

local head = [[
.\" SPDX-License-Identifier: GPL-3.0-or-later
.\" Made by barlow from its registry: do not edit.
.TH BARLOW\-LUA 7 "" "barlow %s" "barlow"
.SH NAME
barlow\-lua \- functions, objects and settings of barlow in Lua
.SH DESCRIPTION
Scripts and the prompt of
.BR barlow (1)
have these names beside those of Lua 5.4;
.B require \(dqbarlow\(dq
gives them to another Lua as one table.
Indices, rows, labels and dimensions count from 1.
.PP
Functions whose settings are listed take one table of them.
Those that are named in parentheses may also be given in that order, before the table.
Unknown settings, other types and numbers out of range are refused.
The default of a setting follows its name.
The same texts are shown by
.B help(\(dqname\(dq)
and, at the prompt, by
.BR ?name .]]

-- Text, in roff, that precedes the entries of a group.
local notes = {
	aug = [[
Operators compute what torchvision computes on float tensors
.RB ( "backend = \(dqtensor\(dq" ,
the default). With
.B backend = \(dqpil\(dq
those that have this field compute what torchvision computes on PIL images, like the authors' code.
Then an image has bytes after each operator, the same as with PIL.
The two are at most a level of 8 bits apart in crop, resize, brightness, contrast, grayscale, autocontrast and elastic, and 1.2 in saturation
and sharpness.
Hue differs by up to 14 levels (1.2 in the mean over all colours), since PIL computes it with 8 bits as well; blur by up to 21 at edges
(0.7 to 1.3 in the mean for sigmas from 0.26 to 2), since PIL uses three box filters.
Rotate, shear, affine and perspective differ by less than a level inside, and by up to half of a pixel's value at the image's edge, which fades into black
on tensors and is cut sharply by PIL (on 37 x 41 pixels in 5% of the values, 2 levels in the mean).
Flips, pad_crop, invert, posterize and equalize are the same in both, and have no such field.
Noise, cutout, channel_dropout, operators of vectors and functions have no counterpart in PIL.]],
}

-- Returns the page as roff text; version is that of barlow.
function manual.text(version)
	local out, group = { head:format(escape(version)) }, nil
	local done = {}
	local entries = registry.entries()
	for _, first in ipairs(entries) do
		group = first.group
		if not done[group] then
			done[group] = true
			add(out, (".SH \"%s\""):format(escape(group:upper())))
			if notes[group] then add(out, notes[group]) end
			for _, e in ipairs(entries) do
				if e.group == group then add_entry(out, e) end
			end
		end
	end
	add(out, ".SH THE PROMPT", "Besides Lua, the prompt understands these commands; settings of the prompt follow below.",
		"Tab completes the names of commands.")
	for _, e in ipairs(require "barlow.prompt_commands".described()) do add(out, ".TP", ".B " .. escape(e[1]), escape(e[2])) end
	add(out, ".SH SEE ALSO", ".BR barlow (1)", "")
	return table.concat(out, "\n")
end

return manual
