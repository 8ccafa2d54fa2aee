-- SPDX-License-Identifier: GPL-3.0-or-later
-- make_seeds.lua FOLDER: writes the files of a run, and commands, to a new folder. They are seeds for the readers of a
-- run's files.
local folder = assert(arg[1], "make_seeds.lua: give a folder")
local t = trainer{ data = data.shapes{ n = 32, size = 8, channels = 1, seed = 1 }, views = aug.compose(aug.flip()), projector = false,
	encoder = nn.sequential(nn.flatten(), nn.linear(64, 4), nn.batchnorm1d(4)), batch = 16, epochs = 3, seed = 1, workers = 1,
	optim = optim.sgd{}, folder = folder, name = "seed" }
t:step(2)
t:start():pause()
t:log{ mood = 2 }
t:resume()
t:wait()

-- Writes actions in the format of states.c: three commands are sent, two are taken, one more is sent, all are taken,
-- and then the mailbox is damaged.
local function sent(by, kind, value, name) return string.char(by, kind) .. ("<d"):pack(value) .. name .. ("\0"):rep(7 - #name) end
local out = assert(io.open(folder .. "/commands", "wb"))
out:write(sent(1, 1, 0, ""), sent(0, 5, .5, "lambda"), sent(1, 77, 1, ""), "\2\2", sent(1, 3, 1 / 3, ""), "\2\2\2",
	"\255\16\0\255\20\1\255\0\2", ("\250\7\3"):rep(4))
out:close()
