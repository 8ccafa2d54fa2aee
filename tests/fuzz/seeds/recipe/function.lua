return trainer{
	barlow = "0.2.0", batch = 16, epochs = 2, seed = 1, folder = false,
	data = data.shapes{n = 64, size = 8}:subset(1, 40),
	encoder = nn.sequential(nn.flatten(), nn.func((function() local k = 2 return function(x) return x * k end end)()), nn.linear(192, 4)),
	loss = loss.func{function(a, b) return {far = ((a - b) ^ 2):mean()} end},
	views = aug.twin(aug.grey{size = 8}, aug.compose(aug.flip(.5), aug.noise(aug.ramp(0, .1, 2)))),
}
