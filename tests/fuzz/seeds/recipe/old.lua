return trainer{
	batch = 32,
	convolution = {["1x8x8-4:3x3s1p1"] = "gather"},
	data = data.shapes{channels = 1, n = 96, seed = 1, size = 8},
	encoder = nn.cnn{channels = 1, image = 8, widths = {4}},
	epochs = 8.5,
	knn = {
		every = 2,
		queries = (data.shapes{channels = 1, n = 96, seed = 1, size = 8}:split(0.5)),
		refs = data.shapes{channels = 1, n = 96, seed = 1, size = 8}:subset(1, 64)
	},
	loss = loss.barlow{lambda = 0.01},
	name = "begun by 0.1",
	optim = optim.sgd{lr = 0.05},
	projector = {8},
	seed = 3,
	views = aug.twin(
		aug.compose(aug.crop{size = 8}),
		aug.compose(
			aug.crop{scale = {0.5, 1}, size = 8},
			aug.flip(),
			aug.noise{std = 0.05}
		)
	),
	warmup = 1
}
