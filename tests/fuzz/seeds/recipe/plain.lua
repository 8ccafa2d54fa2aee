return trainer{
	barlow = "0.2.0",
	batch = 16,
	checkpoints = 1,
	clip = 0.0,
	data = data.shapes{channels = 1, n = 32, seed = 1, size = 8}:set_statistics({mean = {0.46607691049575806}, std = {0.13734272122383118}}),
	encoder = nn.sequential(
		nn.flatten(),
		nn.linear{bias = true, inputs = 64, outputs = 4},
		nn.batchnorm1d{affine = true, eps = 1e-05, features = 4, momentum = 0.1}
	),
	epochs = 3,
	keep = "some",
	loss = loss.barlow{
		dialect = "paper",
		form = "auto",
		invariance = 1.0,
		lambda = 0.0051,
		scale = 1.0
	},
	name = "seed",
	optim = optim.sgd{
		lr = 0.06,
		lr_bias = 0.0,
		momentum = 0.9,
		nesterov = false,
		weight_decay = 0.0
	},
	precision = "float32",
	projector = false,
	schedule = {kind = "cosine", last = 0.001},
	seed = 1,
	views = aug.compose(aug.flip{p = 0.5}),
	warmup = 0.0,
	workers = 1
}
