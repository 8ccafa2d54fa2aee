-- SPDX-License-Identifier: GPL-3.0-or-later
-- shards.lua KIND PATH: prints the images per CPU second that evaluation reads at 64 pixels; shards.py runs it on one
-- core.
local kind, path = arg[1], arg[2]
local set = kind == "tar" and data.tar{ path, size = 64 } or data.folder{ path, size = 64, labels = false }
set:statistics()
local began = os.clock()
eval.features(nn.flatten(), set)
print(#set / (os.clock() - began))
