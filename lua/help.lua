-- SPDX-License-Identifier: GPL-3.0-or-later
--[[
help.lua: one line, a signature and an example for everything in the Lua face.

An entry's name is "module.function" or "class:method" ("class.property" for
what is read without a call).  The examples run as tests, each by itself.
Where a signature has many keys, `keys` explains them one by one.
]]
local native = require "barlow.native"

local help = { entries = {} }

local group

local function entry(name, signature, text, example, keys)
	local e = { name = name, signature = signature, text = text, example = example, group = group, keys = keys }
	help.entries[#help.entries + 1] = e
end

group = "tensor"
entry("tensor", "tensor(numbers)", "A tensor of nested tables of numbers, of one number, or a copy of a tensor.",
	"tensor{{1, 2}, {3, 4}}")
entry("tensor.zeros", "tensor.zeros(sizes...)", "Zeros.", "tensor.zeros(2, 3)")
entry("tensor.ones", "tensor.ones(sizes...)", "Ones.", "tensor.ones(2, 3)")
entry("tensor.full", "tensor.full({sizes...}, value)", "The same number everywhere.", "tensor.full({2, 3}, 7)")
entry("tensor.rand", "tensor.rand(sizes...)", "Uniform random numbers in [0, 1).", "tensor.rand(2, 3)")
entry("tensor.randn", "tensor.randn(sizes...)", "Normal random numbers, mean 0, variance 1.", "tensor.randn(2, 3)")
entry("tensor.manual_seed", "tensor.manual_seed(n)",
	"Starts the random numbers of rand, randn and pipe(image) afresh.",
	"tensor.manual_seed(1); tensor.randn(3)")
entry("tensor.eye", "tensor.eye(n)", "The identity matrix.", "tensor.eye(3)")
entry("tensor.arange", "tensor.arange([start,] stop[, step])", "Numbers from start (0) up to, without, stop.",
	"tensor.arange(0, 1, .25)")
entry("tensor.cat", "tensor.cat({tensors}[, dim])", "Tensors one behind the other along a dimension (1).",
	"tensor.cat({tensor.ones(1, 2), tensor.zeros(1, 2)}, 1)")
entry("tensor.load", "tensor.load(path)", "A tensor from a NumPy .npy file.",
	"local path = os.tmpname(); tensor.eye(2):save(path); print(tensor.load(path)); os.remove(path)")
entry("tensor.save", "tensor.save(path, t)", "Writes a tensor as a NumPy .npy file.",
	"local path = os.tmpname(); tensor.save(path, tensor.eye(2)); os.remove(path)")
entry("tensor.no_grad", "tensor.no_grad(f, ...)", "Calls f with nothing recorded for gradients.",
	"local w = tensor.ones(2):requires_grad(true); tensor.no_grad(function() return w * 2 end)")
entry("tensor[]", "t[i], t[{i, j}], t[{{from, to}, {}}]",
	"A row, an element, a part; indices start at 1, negative ones count from the end.",
	"tensor{{1, 2}, {3, 4}}[{2, 1}]")
entry("tensor:requires_grad", "t:requires_grad([on])",
	"Asks for gradients and returns t; without argument: does it want them?",
	"tensor.ones(3):requires_grad(true)")
entry("tensor:backward", "t:backward([seed])",
	"Adds the gradients of a scalar to .grad of everything that wants them.",
	"local w = tensor.ones(3):requires_grad(true); (w * w):sum():backward(); print(w.grad)")
entry("tensor.grad", "t.grad", "The gradient, nil before any backward.", "tensor.ones(3).grad")
entry("tensor.is_leaf", "t.is_leaf", "Was it made, not computed with gradients?", "tensor.ones(3).is_leaf")
entry("tensor:zero_grad", "t:zero_grad()", "Forgets the gradient.", "tensor.ones(3):zero_grad()")
entry("tensor:detach", "t:detach()", "The same numbers, outside of the graph.", "tensor.ones(3):detach()")
entry("tensor:clone", "t:clone()", "A copy, outside of the graph.", "tensor.ones(3):clone()")
entry("tensor:contiguous", "t:contiguous()", "t itself or a copy in row-major order.",
	"tensor.eye(2):t():contiguous()")
entry("tensor:copy_", "t:copy_(other)", "Takes over the numbers of a tensor of the same shape.",
	"tensor.zeros(2):copy_(tensor.ones(2))")
entry("tensor:fill_", "t:fill_(value)", "Sets every element.", "tensor.zeros(2):fill_(3)")
entry("tensor:item", "t:item()", "The number in a tensor of one element.", "tensor(3):item()")
entry("tensor:totable", "t:totable()", "Nested tables of the numbers.", "tensor.eye(2):totable()")
entry("tensor:shape", "t:shape()", "The sizes as a table.", "tensor.zeros(2, 3):shape()")
entry("tensor:size", "t:size([dim])", "One size, or all of them as a table.", "tensor.zeros(2, 3):size(-1)")
entry("tensor:dim", "t:dim()", "The number of dimensions.", "tensor.zeros(2, 3):dim()")
entry("tensor:numel", "t:numel()", "The number of elements.", "tensor.zeros(2, 3):numel()")
entry("tensor:save", "t:save(path)", "Writes a NumPy .npy file.",
	"local path = os.tmpname(); tensor.eye(2):save(path); os.remove(path)")
for _, f in ipairs{ { "exp", "e to the power of each element." }, { "log", "Natural logarithm." },
	{ "sqrt", "Square root." },
	{ "abs", "Absolute value." }, { "tanh", "Hyperbolic tangent." }, { "sigmoid", "1 / (1 + exp(-x))." },
	{ "relu", "max(0, x)." } } do
	entry("tensor:" .. f[1], ("t:%s()"):format(f[1]), f[2], ("tensor.rand(3):%s()"):format(f[1]))
end
entry("tensor:pow", "t:pow(exponent)", "Each element to a power; the same as t ^ exponent.", "tensor{1, 2, 3}:pow(2)")
entry("tensor:clamp", "t:clamp(lowest, highest)", "Elements brought into a range; nil is no limit.",
	"tensor{1, 2, 3}:clamp(nil, 2)")
entry("tensor:maximum", "t:maximum(other)", "The larger of two, element by element.",
	"tensor{1, 5}:maximum(tensor{3, 4})")
entry("tensor:mm", "a:mm(b)", "The matrix product.", "tensor.eye(2):mm(tensor{{1, 2}, {3, 4}})")
entry("tensor:sum", "t:sum([dim[, keepdim]])", "Sum of all elements or along a dimension.", "tensor.eye(3):sum(1)")
entry("tensor:mean", "t:mean([dim[, keepdim]])", "Mean.", "tensor.eye(3):mean(1, true)")
entry("tensor:max", "t:max([dim[, keepdim]])", "Largest element.", "tensor.eye(3):max()")
entry("tensor:var", "t:var([dim,] [{unbiased = true, keepdim = false}])", "Variance.", "tensor.randn(9):var()")
entry("tensor:std", "t:std([dim,] [{unbiased = true, keepdim = false}])", "Standard deviation.",
	"tensor.randn(9, 2):std(1, {unbiased = false})")
entry("tensor:argmax", "t:argmax()",
	"Where the largest element is: a number for a vector, a table for a matrix's rows.",
	"tensor{{1, 3}, {4, 2}}:argmax()")
entry("tensor:allclose", "a:allclose(b[, rtol[, atol]])",
	"Are they equal within tolerances?  Also the largest difference.",
	"tensor.ones(2):allclose(tensor.ones(2))")
entry("tensor:find_nonfinite", "t:find_nonfinite()", "Place of the first NaN or infinity in row-major order, or nil.",
	"tensor{1, 0 / 0}:find_nonfinite()")
entry("tensor:t", "t:t()", "A matrix transposed.", "tensor{{1, 2}, {3, 4}}:t()")
entry("tensor:transpose", "t:transpose(d1, d2)", "Two dimensions exchanged.", "tensor.zeros(2, 3, 4):transpose(1, 3)")
entry("tensor:permute", "t:permute(order...)", "Dimensions in another order.",
	"tensor.zeros(2, 3, 4):permute(3, 1, 2)")
entry("tensor:view", "t:view(sizes...)", "Another shape; one size may be -1.", "tensor.arange(6):view(2, -1)")
entry("tensor:reshape", "t:reshape(sizes...)", "The same as view.", "tensor.arange(6):reshape(3, 2)")
entry("tensor:expand", "t:expand(sizes...)", "Dimensions of size 1 repeated.", "tensor.ones(2, 1):expand(2, 3)")
entry("tensor:flatten", "t:flatten()", "(N, ...) as (N, the rest).", "tensor.zeros(2, 3, 4):flatten()")
entry("tensor:narrow", "t:narrow(dim, start, length)", "A part along a dimension.",
	"tensor.arange(6):narrow(1, 2, 3)")
entry("tensor:select", "t:select(dim, index)", "One slice; the dimension goes.", "tensor.eye(3):select(2, 1)")
entry("tensor:rows", "t:rows{i, j, ...}", "Rows in any order, as a copy.", "tensor.eye(3):rows{3, 1}")
entry("tensor:cat", "a:cat(b[, dim])", "b behind a along a dimension (1).", "tensor.ones(2):cat(tensor.zeros(2))")
entry("tensor:diag", "t:diag()", "The diagonal of a matrix, or the matrix with that diagonal.",
	"tensor.eye(3):diag()")
entry("tensor:squeeze", "t:squeeze()", "Dimensions of size 1 taken out.", "tensor.zeros(1, 3, 1):squeeze()")
entry("tensor:unsqueeze", "t:unsqueeze(dim)", "A dimension of size 1 put in.", "tensor.zeros(3):unsqueeze(1)")

group = "nn"
entry("nn.linear", "nn.linear(inputs, outputs[, {bias = true}])", "x W^T + b.", "nn.linear(3, 4)(tensor.randn(2, 3))")
local algorithm = { "algorithm", "how convolutions are computed: gather, winograd, onednn (where built in); auto: as chosen by shape" }
entry("nn.conv2d",
	"nn.conv2d(inputs, outputs, kernel[, {stride = 1, padding = 0, groups = 1, bias = true, algorithm = \"auto\"}])",
	"Convolution of images (N, C, H, W).", "nn.conv2d(1, 4, 3, {padding = 1})(tensor.randn(2, 1, 8, 8))",
	{ algorithm })
entry("nn.batchnorm", "nn.batchnorm(channels[, {affine = true, momentum = .1, eps = 1e-5}])",
	"The same as nn.batchnorm2d.",
	"nn.batchnorm(4)(tensor.randn(2, 4, 8, 8))")
entry("nn.batchnorm2d", "nn.batchnorm2d(channels[, {affine = true, momentum = .1, eps = 1e-5}])",
	"Batch normalisation of images (N, C, H, W).", "nn.batchnorm2d(4)(tensor.randn(2, 4, 8, 8))")
entry("nn.batchnorm1d", "nn.batchnorm1d(features[, {affine = true, momentum = .1, eps = 1e-5}])",
	"Batch normalisation of (N, F).", "nn.batchnorm1d(4)(tensor.randn(8, 4))")
entry("nn.relu", "nn.relu()", "max(0, x).", "nn.relu()(tensor.randn(3))")
entry("nn.tanh", "nn.tanh()", "Hyperbolic tangent.", "nn.tanh()(tensor.randn(3))")
entry("nn.sigmoid", "nn.sigmoid()", "1 / (1 + exp(-x)).", "nn.sigmoid()(tensor.randn(3))")
entry("nn.flatten", "nn.flatten()", "(N, ...) as (N, the rest).", "nn.flatten()(tensor.randn(2, 3, 4))")
entry("nn.identity", "nn.identity()", "Gives back what it gets.", "nn.identity()(tensor.randn(3))")
entry("nn.maxpool", "nn.maxpool(kernel[, {stride = kernel, padding = 0}])", "The largest of each window.",
	"nn.maxpool(2)(tensor.randn(1, 1, 8, 8))")
entry("nn.avgpool", "nn.avgpool(kernel[, {stride = kernel, padding = 0}])", "The mean of each window.",
	"nn.avgpool(2)(tensor.randn(1, 1, 8, 8))")
entry("nn.global_avgpool", "nn.global_avgpool()", "The mean of each channel: (N, C, H, W) to (N, C, 1, 1).",
	"nn.global_avgpool()(tensor.randn(1, 3, 8, 8))")
entry("nn.sequential", "nn.sequential(modules...)", "One module after the other.",
	"nn.sequential(nn.linear(3, 4), nn.relu())")
entry("nn.residual", "nn.residual(branch[, shortcut][, {relu = true}])", "relu(branch(x) + shortcut(x)).",
	"nn.residual(nn.linear(3, 3))(tensor.randn(2, 3))")
entry("nn.cnn",
	"nn.cnn{channels = 1, widths = {16, 32, 64, 128}, strides = {1, 2, 2, 2}, image = 28, pool = false, "
	.. "algorithm = \"auto\"}",
	"3x3 convolutions with batch norm and ReLU; flattened, or pooled to one value a channel.",
	"nn.cnn{channels = 1}(tensor.randn(2, 1, 28, 28))", { algorithm })
entry("nn.mlp",
	"nn.mlp(inputs, {widths = {512, 512}, norm = true, bias = false, last_plain = true, flatten = false})",
	"Linear layers with batch norm and ReLU between: the projector's form.", "nn.mlp(8, {widths = {16, 16}})")
entry("nn.resnet",
	"nn.resnet{depth = 18, stem = \"small\", channels = 3, width = 64, zero_init = false, classes = 0, "
	.. "algorithm = \"auto\"}",
	"ResNet 18, 34 or 50; stem \"large\" is torchvision's, \"small\" the one for small images.",
	"nn.resnet{depth = 18, width = 4}(tensor.randn(2, 3, 16, 16))", { algorithm })
entry("nn.func", "nn.func(f[, {name = \"func\", parameters = {name = tensor}}])",
	"A Lua function as a module.  On the trainer's thread it runs in a state of its own: upvalues must be plain.",
	"nn.func(function(x) return x:relu() ^ 2 end)(tensor.randn(3))")
group = "module"
entry("module()", "net(x)", "Runs it.", "nn.linear(3, 4)(tensor.randn(2, 3))")
entry("module[]", "net[i], net.name", "Children by place or name.", "nn.sequential(nn.relu())[1]")
entry("module:parameters", "net:parameters()", "Iterates over names and tensors of the parameters.",
	"for name, p in nn.linear(3, 4):parameters() do print(name, p:numel()) end")
entry("module:buffers", "net:buffers()", "Iterates over what is kept but not trained: running statistics.",
	"for name in nn.batchnorm(3):buffers() do print(name) end")
entry("module:count", "net:count()", "The number of parameters.", "nn.linear(3, 4):count()")
entry("module:zero_grad", "net:zero_grad()", "Forgets the gradients of all parameters.",
	"nn.linear(3, 4):zero_grad()")
entry("module:train", "net:train([on])", "Training mode: batch statistics.", "nn.batchnorm(3):train()")
entry("module:eval", "net:eval()", "Evaluation mode: running statistics.", "nn.batchnorm(3):eval()")
entry("module.training", "net.training", "Is it in training mode?", "nn.batchnorm(3).training")
entry("module.kind", "net.kind", "What it is: \"linear\".", "nn.linear(3, 4).kind")
entry("module:init", "net:init(seed)", "Fresh parameters, as PyTorch draws them, from a seed.",
	"nn.linear(3, 4):init(7)")
entry("module:features", "net:features(channels, height, width)", "How wide its output is for such an image.",
	"nn.cnn{channels = 1}:features(1, 28, 28)")
entry("module:save", "net:save(path)", "Writes parameters and buffers as safetensors.",
	"local path = os.tmpname(); nn.linear(3, 4):save(path); os.remove(path)")
entry("module:load", "net:load(path[, {strict = true, prefix = \"\"}])", "Reads them back.",
	"local path = os.tmpname(); nn.linear(3, 4):save(path); nn.linear(3, 4):load(path); os.remove(path)")

group = "aug"
local image = "(data.shapes{n = 1, size = 16}[1].image)"
entry("aug.crop", "aug.crop{size = 224, scale = {.08, 1}, ratio = {3/4, 4/3}}", "Random resized crop, bicubic.",
	"aug.crop(8)" .. image)
entry("aug.resize", "aug.resize(size)", "The whole image at another size.", "aug.resize(8)" .. image)
entry("aug.flip", "aug.flip{p = .5}", "Left to right.", "aug.flip(1)" .. image)
entry("aug.jitter", "aug.jitter{brightness = .4, contrast = .4, saturation = .2, hue = .1, p = .8}",
	"Colour jitter in random order.",
	"aug.jitter{}" .. image)
entry("aug.grayscale", "aug.grayscale{p = .2}", "Without colour.", "aug.grayscale(1)" .. image)
entry("aug.blur", "aug.blur{sigma = {.1, 2}, p = 1}", "Gaussian blur.", "aug.blur{p = 1}" .. image)
entry("aug.solarize", "aug.solarize{threshold = .5, p = .2}", "Values above the threshold inverted.",
	"aug.solarize{p = 1}" .. image)
entry("aug.normalize", "aug.normalize{mean = {...}, std = {...}}", "(x - mean) / std for each channel.",
	"aug.normalize{mean = .5, std = .25}" .. image)
entry("aug.affine", "aug.affine{degrees = 10, translate = .1, scale = {.9, 1.1}, p = .5}", "Turned, moved, scaled.",
	"aug.affine{p = 1}" .. image)
entry("aug.noise", "aug.noise{std = .05, p = .5}", "Gaussian noise.", "aug.noise{p = 1}" .. image)
entry("aug.cutout", "aug.cutout{size = .3, p = .5}", "A square of zeros, its side a part of the image's shorter side.",
	"aug.cutout{size = .5, p = 1}" .. image)
entry("aug.compose", "aug.compose{pipelines...}", "One after the other.",
	"aug.compose{aug.crop(8), aug.flip()}" .. image)
entry("aug.twin", "aug.twin(T, T2)", "A pipeline for each of the two views.",
	"aug.twin(aug.crop(8), aug.resize(8))" .. image)
entry("aug.paper",
	"aug.paper{size = 224, scale =, flip =, jitter =, brightness =, ..., blur = {1, .1}, solarize = {0, .2}}",
	"The paper's T and T', any number changed.", "aug.paper{size = 8}" .. image)
entry("pipeline()", "pipe(image[, seed])", "One view of an image (C, H, W), values 0..1.", "aug.flip()" .. image)
entry("pair of pipelines.first", "pair.first", "The pipeline of the first view.", "aug.paper{size = 8}.first")
entry("pair of pipelines.second", "pair.second", "The pipeline of the second view.", "aug.paper{size = 8}.second")

group = "data"
entry("data.fashion", "data.fashion{train = true, folder = \"/usr/share/datasets/fashion-mnist\", fingerprint =}",
	"Fashion-MNIST (Debian package dataset-fashion-mnist); fingerprint as in data.folder.",
	"pcall(data.fashion, {train = false})")
entry("data.folder",
	"data.folder{path =, size =, channels = 3, labels = true, skip_broken = false, full_scale = false, fingerprint =}",
	"JPEG and PNG files in folders, one a class, read when they are needed.", "pcall(data.folder, \"/photographs\")", {
		{ "path", "the folder; folders in it are classes, their names sorted; files directly in it have no labels" },
		{ "size", "a number or {height, width}: images in evaluation (shorter side to 8/7 of it, centre) and default "
			.. "views; otherwise the first image's size, or 224 where that is larger" },
		{ "channels", "3, or 1: everything becomes that; alpha and rotation marks are ignored" },
		{ "labels", "false: folders are no classes" },
		{ "skip_broken", "true: decode everything now and leave out what cannot be (ds.skipped); otherwise a broken "
			.. "file is an error when it is needed" },
		{ "full_scale", "true: decode JPEGs in full size even where a crop needs less" },
		{ "fingerprint", "recipes give it: number and names of the files, size and content of some; other files are "
			.. "refused, those that were moved are found below $BARLOW_DATA" },
	})
entry("data.idx", "data.idx{images = path, labels = path, fingerprint =}",
	"IDX files, as MNIST comes in, plain or gzip; fingerprint as in data.folder.",
	"pcall(data.idx, {images = \"t10k-images-idx3-ubyte.gz\"})")
entry("data.shapes", "data.shapes{n = 10000, size = 32, channels = 3, seed = 0}",
	"Generated shapes with known causes.",
	"data.shapes{n = 10, size = 16}[1].factors")
entry("data.tensor", "data.tensor(images[, labels])", "A tensor (N, C, H, W), values 0..1, and labels from 1, a list or a tensor.",
	"data.tensor(tensor.rand(4, 1, 8, 8), {1, 2, 1, 2})")
entry("data.loader", "data.loader{data =, views =, batch = 256, epochs = 1, steps =, seed = 0, workers = 0}",
	"Iterates over step and two batches of views, normalised.",
	"for step, a, b in data.loader{data = data.shapes{n = 8, size = 8}, batch = 4} do print(step, a:size(1)) end")
entry("dataset[]", "ds[i]",
	"{image = tensor (C, H, W), label = number from 1, path = its file, factors = {...}}, as far as there are.",
	"data.shapes{n = 10, size = 16}[3].label")
entry("dataset:split", "ds:split(fraction[, seed])", "Two parts, each class in proportion.",
	"data.shapes{n = 50, size = 8}:split(.8, 1)")
entry("dataset:subset", "ds:subset(from, to), ds:subset{rows}", "Some of the images.",
	"data.shapes{n = 50, size = 8}:subset(1, 10)")
entry("dataset:statistics", "ds:statistics()",
	"Mean and standard deviation of each channel; of files, over 1024 images at most.",
	"data.shapes{n = 50, size = 8}:statistics()")
entry("dataset.classes", "ds.classes", "Names of the classes; labels are places in this list.",
	"data.shapes{n = 1, size = 8}.classes")
entry("dataset.labels", "ds.labels", "All labels.", "data.shapes{n = 5, size = 8}.labels")
entry("dataset.skipped", "ds.skipped", "Files that skip_broken left out, each with the reason.",
	"data.shapes{n = 1, size = 8}.skipped")
entry("dataset.name", "ds.name", "What it is.", "data.shapes{n = 1, size = 8}.name")
entry("dataset.channels", "ds.channels", "Channels of an image.", "data.shapes{n = 1, size = 8}.channels")
entry("dataset.height", "ds.height", "Rows of an image; of files, as evaluation sees them.", "data.shapes{n = 1, size = 8}.height")
entry("dataset.width", "ds.width", "Columns of an image; of files, as evaluation sees them.", "data.shapes{n = 1, size = 8}.width")

group = "loss"
entry("loss.barlow",
	"loss.barlow{lambda = .0051, scale = 1, form = \"auto|direct|gram\", dialect = \"paper|algorithm1|hsic\"}",
	"The Barlow Twins loss: call it with two embeddings (N, D); gives a scalar and its terms.",
	"loss.barlow{lambda = .005}(tensor.randn(8, 4), tensor.randn(8, 4))", {
		{ "lambda", "weight of the redundancy term, the sum of C_ij^2 beside the diagonal" },
		{ "scale", "factor on the whole loss" },
		{ "form", "direct makes C (D x D); gram never does, O(N^2 D); auto takes the cheaper: the same loss" },
		{ "dialect", "paper: biased variance; algorithm1: unbiased, as its code; hsic: target -1 beside the diagonal" },
	})
entry("loss.correlation", "loss.correlation(za, zb[, dialect])", "The cross-correlation matrix C (D, D).",
	"loss.correlation(tensor.randn(8, 4), tensor.randn(8, 4))")
entry("loss.cross_entropy", "loss.cross_entropy(logits, labels)",
	"Mean of -log softmax at the labels, which count from 1.",
	"loss.cross_entropy(tensor.randn(2, 3), {1, 3})")
entry("loss:floor", "l:floor(n, d)", "What the loss of n embeddings of width d cannot go below.",
	"loss.barlow{}:floor(256, 8192)")
for _, name in ipairs{ "lambda", "scale", "form", "dialect" } do
	entry("loss." .. name, "l." .. name, "As it was given.", "loss.barlow{}." .. name)
end

group = "optim"
entry("optim.sgd", "optim.sgd([net,] {lr =, momentum = .9, nesterov =, weight_decay =, lr_bias =, params =})",
	"Gradient descent with momentum: settings for a trainer, or bound to net for a loop of one's own.",
	"optim.sgd(nn.linear(3, 4), {lr = .1})")
entry("optim.lars", "optim.lars([net,] {lr =, lr_bias =, momentum = .9, eta = .001, weight_decay =, params =})",
	"LARS as the paper's authors wrote it.", "optim.lars{lr = .2, lr_bias = .0048}")
entry("optim.adamw",
	"optim.adamw([net,] {lr =, beta1 = .9, beta2 = .999, eps = 1e-8, weight_decay =, decay_all =, params =})",
	"Adam with decoupled weight decay.", "optim.adamw{lr = 1e-3}")
entry("optim.schedule", "optim.schedule{kind = \"cosine\", steps =, warmup = 0, last = .001}",
	"Called with a step it gives the factor on the rate.", "optim.schedule{steps = 100, warmup = 10}(5)")
entry("optimiser:step", "opt:step([factor])", "One step along the gradients.",
	"local net = nn.linear(3, 4); local opt = optim.sgd(net, {lr = .1}); "
	.. "net(tensor.ones(1, 3)):sum():backward(); opt:step()")
entry("optimiser:zero_grad", "opt:zero_grad()", "Forgets the gradients.",
	"optim.sgd(nn.linear(3, 4), {lr = .1}):zero_grad()")
entry("optimiser.kind", "opt.kind",
	"\"sgd\", \"lars\" or \"adamw\".  Its parameters are there by their names, and may be set: opt.momentum.",
	"optim.sgd{lr = .1}.kind")
entry("optimiser.lr", "opt.lr", "The rate; may be set.", "local opt = optim.sgd{lr = .1}; opt.lr = .2; print(opt.lr)")
entry("optimiser.weight_decay", "opt.weight_decay", "The weight decay; may be set.",
	"optim.sgd{lr = .1}.weight_decay")

group = "trainer"
local small = "trainer{data = data.shapes{n = 64, size = 8, channels = 1}, encoder = nn.cnn{widths = {4}, image = 8}, "
	.. "projector = {8}, batch = 32, epochs = 1}"
entry("trainer",
	"trainer{data =, encoder =, projector = {512, 512, 512}, views =, loss =, optim =, batch = 256, epochs = 10, "
	.. "steps =, seed = 0, schedule = \"cosine\", warmup = 0, last = .001, clip = 0, "
	.. "precision = \"float32\", workers = 0, knn = {every =, refs =, queries =, k =}, convolution =, name =, folder =, "
	.. "checkpoint_every =, warm_start = false}",
	"A run of Barlow Twins, or the one a recipe describes.", small, {
		{ "data", "a dataset; its statistics normalise the views, unless these do it themselves" },
		{ "encoder", "a module: images (N, C, H, W) to features (N, F)" },
		{ "projector", "a module, widths of one in the paper's form, or false" },
		{ "views", "a pipeline for both views, or a pair (aug.twin); otherwise aug.paper at the images' size" },
		{ "loss", "loss.barlow{...}" },
		{ "optim", "optim.adamw{...} and the like; otherwise AdamW at 1e-3" },
		{ "epochs", "how long; may be a fraction" },
		{ "steps", "how long instead; together with epochs: an earlier end, the schedule still by epochs" },
		{ "seed", "of parameters, order and views: the same seed gives the same run" },
		{ "schedule", "of the rate: cosine, down to `last` times the rate, or constant; first `warmup` epochs up; "
			.. "or a table: {kind = \"cosine\", last = .01}" },
		{ "clip", "the gradient's norm is cut to this; 0: it is not" },
		{ "precision", "of the factors in linear layers' products while training: float32, or bf16: rounded to bfloat16, "
			.. "sums and parameters as they were" },
		{ "workers", "threads that make views; 0: one a core" },
		{ "knn", "accuracy every so many epochs: sets of references and queries, k neighbours (20)" },
		{ "convolution", "algorithms by shape, as a run's recipe records them; otherwise those tuned here, or a fixed rule" },
		{ "name", "shown with the run, and the beginning of its folder's name" },
		{ "folder", "where the run is kept; false: in memory only; otherwise one of its own among runs()" },
		{ "checkpoint_every", "epochs; false: only at the end and when asked; otherwise each, within 1% of the time" },
		{ "warm_start", "true: encoder and projector may have been trained by another run, which has ended; a path: new ones "
			.. "begin with these weights; the folder keeps what the run started from (start.safetensors)" },
	})
entry("trainer:start", "t:start()", "Begins, in the background.", small .. ":start():wait()")
entry("trainer:pause", "t:pause()", "Stands still between two steps.", small .. ":start():pause():stop()")
entry("trainer:resume", "t:resume()", "Goes on.", small .. ":start():pause():resume():wait()")
entry("trainer:stop", "t:stop()", "Ends it between two steps, and waits for that.", small .. ":start():stop()")
entry("trainer:wait", "t:wait([seconds])", "Waits for the end; is it over?", small .. ":start():wait()")
entry("trainer:run", "t:run{on_progress =, quiet = false}",
	"Runs in the foreground and reports; Ctrl-C stops it between steps.",
	small .. ":run{quiet = true}")
entry("trainer:step", "t:step([n])", "n steps, here and now.", small .. ":step(1)")
entry("trainer:set", "t:set{lambda =, lr =}", "Takes effect at the next step.", small .. ":set{lambda = .01}")
entry("trainer:watch", "t:watch([stay])",
	"The screen of the run; q comes back, the run goes on.", small .. ":step(1)")
entry("trainer:record", "t:record(i)", "What was recorded at step i, or nil.", small .. ":step(1):record(1)")
entry("trainer:eval", "t:eval{train =, test =, k = 20, linear = true}",
	"kNN and linear probe of the encoder as it is, and what was measured on what.",
	small .. ":step(1):eval{linear = false}")
entry("trainer:profile", "t:profile([n])",
	"Makes n steps (20) and returns where their time went, as a table that prints.", "print(" .. small .. ":profile(2))")
entry("trainer:tune", "t:tune()",
	"Measures which algorithms are fastest for its convolutions, keeps that for later runs; returns a table that prints.",
	"print(" .. small .. ":tune())")
entry("trainer:save", "t:save([path])",
	"Weights of encoder and projector as safetensors; without a path into the run's folder.",
	"local path = os.tmpname(); " .. small .. ":save(path); os.remove(path)")
entry("trainer:checkpoint", "t:checkpoint([path])",
	"All that the run needs to go on, as safetensors; without a path into the run's folder.",
	"local path = os.tmpname(); " .. small .. ":checkpoint(path); os.remove(path)")
entry("trainer:load_checkpoint", "t:load_checkpoint(path)",
	"A new trainer goes on from a checkpoint, or a run's folder; with that as its `folder` it goes on in there.",
	"local path = os.tmpname(); " .. small .. ":step(1):checkpoint(path); print(" .. small
	.. ":load_checkpoint(path)); os.remove(path)")
entry("trainer:between", "t:between(f, ...)",
	"Calls f while the run stands between two steps.", small .. ":between(print, 1)")
for _, p in ipairs{ { "terms", "The newest record: step, invariance, redundancy, total, floor, lr, knn ..." },
	{ "records", "All records, as one list for each quantity." },
	{ "C", "The cross-correlation matrix of the newest batch." },
	{ "folder", "Where the run is kept once it has started: live, recipe.lua, checkpoint and weights; nil: in memory only." },
	{ "state", "new, running, paused, done, stopped or failed." }, { "name", "Its name." },
	{ "message", "Why it failed, or what was last changed." }, { "iteration", "Steps done." },
	{ "steps", "Steps to do in all." },
	{ "steps_per_epoch", "Steps in an epoch." }, { "batch", "Images in a batch." }, { "encoder", "The encoder." },
	{ "projector", "The projector, or nil." }, { "data", "The dataset." },
	{ "knn", "The sets of the kNN during training, or nil." },
	{ "recipe", "What it was made by: a table, which prints as Lua and which trainer(recipe) rebuilds." } } do
	entry("trainer." .. p[1], "t." .. p[1], p[2], "local t = " .. small .. ":step(1); print(t." .. p[1] .. ")")
end

group = "eval"
entry("eval.features", "eval.features(encoder or nil, ds[, {batch = 256, like = ds}])",
	"Features (N, F) of every image, unaugmented; nil: raw pixels.  Normalised as `like`, or else as in training.",
	"eval.features(nil, data.shapes{n = 4, size = 8})")
local sets = "train = tensor.randn(20, 4), train_labels = data.shapes{n = 20, size = 8}, test = tensor.randn(9, 4), "
	.. "test_labels = data.shapes{n = 9, size = 8}"
entry("eval.knn", "eval.knn{encoder =, train =, test =, train_labels =, test_labels =, k = 20, temperature = .1}",
	"Accuracy of weighted cosine kNN; of datasets (classes matched by name) or features.", "eval.knn{" .. sets .. "}")
entry("eval.linear",
	"eval.linear{encoder =, train =, test =, train_labels =, test_labels =, l2 =, held_out = .1, "
	.. "iterations = 100, seed = 0}",
	"Accuracy of a linear probe, and details.", "eval.linear{" .. sets .. "}")
entry("eval.rankme", "eval.rankme(z)", "Effective rank of embeddings (N, F).", "eval.rankme(tensor.randn(20, 4))")
entry("eval.std", "eval.std(z)", "Standard deviation of each dimension.", "eval.std(tensor.randn(20, 4))")
entry("eval.spectrum", "eval.spectrum(z[, centred])", "Eigenvalues of the covariance, descending.",
	"eval.spectrum(tensor.randn(20, 4))")

group = "plot"
entry("plot.curves", "plot.curves(trainer)", "A figure of the loss terms, the floor and kNN.",
	"plot.curves(" .. small .. ":step(2))")
entry("plot.heatmap", "plot.heatmap(matrix[, {title = \"\"}])", "A figure of a matrix, colours fixed to [-1, 1].",
	"plot.heatmap(tensor.eye(4))")
entry("plot.lines", "plot.lines{{x, y, label =}, ..., title =, xlabel =, ylabel =, logx =, logy =, points =}",
	"A figure of curves, or of points that no line joins.",
	"plot.lines{{{1, 2, 3}, {1, 4, 9}, label = \"squares\"}}")
entry("figure:save", "figure:save(path)", "Draws it with gnuplot: .svg, .png or .pdf.", "plot.heatmap(tensor.eye(4))")

group = "other"
entry("help", "help([name])", "This; at the prompt also ?name.", "help \"tensor.zeros\"")
entry("interruptible", "interruptible(f, ...)",
	"true and f's results, or false when Ctrl-C ended it, which is then answered.",
	"interruptible(function() return 1 end)")

group = "runs"
entry("runs", "runs()", "All runs that were kept, live and past, newest first.", "runs()")
entry("runs[]", "runs()[i], runs()[name]",
	"One, by place or name: its name, folder, state, step, steps, total, lambda, knn, d, started, pid, alive.",
	"runs()[1]")
entry("runs.resume", "runs.resume([run])",
	"A trainer that stands where the run did: by name or folder, or the newest that was stopped before its end.",
	"pcall(runs.resume, \"no such run\")")
entry("run:resume", "runs()[i]:resume()", "A trainer that stands where the run did; t:start() goes on.",
	"#runs()")
entry("run:watch", "runs()[i]:watch{read_only = false}",
	"The screen of a run: steered when it is going on, shown when it is over.", "#runs()")

-- Looking up.

-- Prints head and text, cut at spaces (but not before "=") to the terminal's width, later lines behind `indent` spaces.
local function print_wrapped(head, text, indent)
	local width, line, empty = math.max(indent + 20, native.width() - 1), head, true
	for word in text:gsub(" =", "\0="):gmatch "%S+" do
		if not empty and #line + 1 + #word > width then
			print(line)
			line, empty = (" "):rep(indent), true
		end
		line, empty = line .. (empty and "" or " ") .. word:gsub("%z", " "), false
	end
	print(line)
end

local function print_entry(e)
	print_wrapped("", e.signature, 8)
	print_wrapped("    ", e.text, 4)
	for _, k in ipairs(e.keys or {}) do print_wrapped(("    %-10s "):format(k[1]), k[2], 15) end
	print("    > " .. e.example)
end

-- A line each.
local function print_list(entries)
	for _, e in ipairs(entries) do print_wrapped(("%-20s "):format(e.name), e.text, 21) end
end

-- "head  name name ..." of the entries
local function print_names(head, entries)
	local words = {}
	for i, e in ipairs(entries) do words[i] = e.name:match "[.:]([%w_]+)$" or e.name end
	print_wrapped(head, table.concat(words, " "), #head)
end

local function of_group(name)
	local found = {}
	for _, e in ipairs(help.entries) do
		if e.group == name then found[#found + 1] = e end
	end
	return found
end

local function overview()
	local last
	for _, e in ipairs(help.entries) do
		if e.group ~= last then print_names(("%-8s "):format(e.group), of_group(e.group)) end
		last = e.group
	end
	print "?name or help \"name\" says more: ?nn, ?tensor.zeros, ?trainer"
end

-- Entries whose whole name or last part is `name`, else those that contain it.
function help.find(name)
	local exact, part = {}, {}
	for _, e in ipairs(help.entries) do
		local last, dotted = e.name:match "[.:]([%w_]+)$", e.name:gsub(":", ".")
		if e.name == name or last == name or dotted == name then exact[#exact + 1] = e end
		if e.name:find(name, 1, true) then part[#part + 1] = e end
	end
	return #exact > 0 and exact or part
end

-- The name of one of barlow's modules or functions.
local function name_of(value)
	for name, v in pairs(require "barlow") do
		if rawequal(v, value) then return name end
		for inner, w in pairs(type(v) == "table" and v or {}) do
			if rawequal(w, value) then return name .. "." .. inner end
		end
	end
	error("help: expected a name, or one of barlow's modules and functions, got " .. type(value), 0)
end

local MOST = 8 -- entries in full

function help.show(what)
	if what == nil or what == "" then return overview() end
	local name = type(what) == "string" and what or name_of(what)
	local found, group = help.find(name), of_group(name)
	if #found == 0 and #group == 0 then
		print(("nothing is known about '%s'; help() lists what there is"):format(name))
	elseif found[1] and found[1].name == name then
		print_entry(found[1])
		if #group > 0 then print_names("    see also   ", group) end
	elseif #group > 0 or #found > MOST then
		print_list(#group > 0 and group or found)
	else
		for _, e in ipairs(found) do print_entry(e) end
	end
end

return help
