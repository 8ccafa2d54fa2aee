/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * nn.h: modules: functions of tensors with parameters, as PyTorch has them.
 *
 * Shapes, initialisation and names of parameters are PyTorch's, so that
 * weights go both ways ("conv1.weight", "bn1.running_mean",
 * "layer1.0.downsample.0.weight", "num_batches_tracked").  A module is
 * reference-counted; a container keeps references to its children.
 *
 *     bl_module *net = bl_nn_resnet(&(bl_resnet_config){ .depth = 18, .stem_small = true, .channels = 3 });
 *     bl_module_init(net, seed);
 *     bl_tensor *h = bl_module_forward(net, x);    // (N,3,32,32) -> (N,512)
 */
#ifndef BARLOW_NN_H
#define BARLOW_NN_H

#include <barlow/grad.h>

typedef struct bl_module bl_module;

bl_module *bl_module_ref(bl_module *m);
void bl_module_unref(bl_module *m);
const char *bl_module_kind(const bl_module *m); /* "conv2d" */
/*
 * Lua code that makes such a module, "nn.conv2d(3, 64, 3, {padding = 1})", into buf, cut at size; for a func its
 * name.
 */
char *bl_module_text(const bl_module *m, char *buf, size_t size);

/* Returns a new reference; NULL with bl_error, which has the module's path and both shapes. */
bl_tensor *bl_module_forward(bl_module *m, bl_tensor *x);

void bl_module_train(bl_module *m, bool training); /* recursive; modules start in training mode */
bool bl_module_training(const bl_module *m);
/*
 * The normalisation of the images that m was trained on, (x / 255 - mean) / std for each channel: a trainer sets it
 * on its encoder, so that later evaluations can do the same.  Numbers are copied.  Negative: no memory.
 */
int bl_module_set_input(bl_module *m, const float *mean, const float *std, int channels);
/* The number of channels, and that many numbers into mean and std (either may be NULL); 0: not known. */
int bl_module_input(const bl_module *m, float *mean, float *std);
/*
 * PyTorch's default initialisation of every layer, from the seed, in the order of bl_module_each.  Clears provenance.
 */
void bl_module_init(bl_module *m, uint64_t seed);

/*
 * Provenance: the origin of a module's weights, if that is not bl_module_init alone: a run that trains or has trained
 * it, or something else, such as a file.  It is shared by all modules of that origin, and outlives the run.  A
 * trainer marks its modules and refuses those of another run (train.h); other code that writes weights marks them,
 * too.
 */
typedef struct bl_provenance bl_provenance;
enum { BL_PROVENANCE_NAME = 64 }; /* bytes of a name, which is cut */
bl_provenance *bl_provenance_new(const char *name, bool run);
bl_provenance *bl_provenance_ref(bl_provenance *p);
void bl_provenance_unref(bl_provenance *p);
/* Sets, for a run, the number of its steps and whether it has begun and not ended.  From any thread. */
void bl_provenance_set(bl_provenance *p, int64_t step, bool live);
const char *bl_provenance_name(const bl_provenance *p);
bool bl_provenance_is_run(const bl_provenance *p);
int64_t bl_provenance_step(const bl_provenance *p);
bool bl_provenance_live(const bl_provenance *p);
bl_provenance *bl_module_provenance(const bl_module *m); /* borrowed; NULL: as it was initialised */
/* Sets it for m and all modules below; NULL: none.  Modules of a run that is live keep theirs. */
void bl_module_set_provenance(bl_module *m, bl_provenance *p);

/* Children. */
int bl_module_children(const bl_module *m);
bl_module *bl_module_child(const bl_module *m, int i); /* borrowed */
const char *bl_module_child_name(const bl_module *m, int i);
/*
 * How messages and Lua name it behind its parent, and how it is reached there: "[1]" of the first child that has no name but
 * its number, which is 0 in names of weights ("0.weight", as PyTorch has them); ".layer1" of one with a name.  Returns buf.
 */
enum { BL_MODULE_PLACE = 96 };
char *bl_module_child_place(const bl_module *m, int i, char buf[BL_MODULE_PLACE]);
/* What goes between a network's name and a message of its: nothing before a place, as in "encoder[1] (linear ...)", else ": ". */
const char *bl_module_joint(const char *message);

/* Calls fn for every parameter and buffer, depth first, in PyTorch's state_dict order.  A non-zero result of fn ends it
   and is returned. */
typedef enum bl_param_kind { BL_PARAM_WEIGHT, BL_PARAM_BIAS, BL_PARAM_NORM, BL_PARAM_BUFFER } bl_param_kind;
typedef int bl_module_visit(void *ctx, const char *name, bl_tensor *t, bl_param_kind kind);
int bl_module_each(bl_module *m, bl_module_visit *fn, void *ctx);
int64_t bl_module_count(bl_module *m); /* parameters, buffers not counted */

/*
 * Finds the first value in the network that is not finite for input x, and
 * describes it in buf: "[4] (conv2d 16 -> 32, 3x3): made NaN at (0, 5, 1, 1)".
 * Returns 1 when found, 0 when all is finite.  Changes nothing in the module.
 */
int bl_module_find_nonfinite(bl_module *m, bl_tensor *x, char *buf, size_t size);

/* Layers.  All return a new reference, initialised with seed 0; NULL with bl_error on invalid arguments. */
bl_module *bl_nn_linear(int64_t in, int64_t out, bool bias);
bl_module *bl_nn_conv2d(int64_t in, int64_t out, int kernel, bl_conv_shape s, bool bias);
/* The same with a kernel of kernel[0] rows and kernel[1] columns. */
bl_module *bl_nn_conv2d_of(int64_t in, int64_t out, const int kernel[2], bl_conv_shape s, bool bias);
/* Makes all convolutions in m use this algorithm (see convolution.h); BL_CONV_AUTO: the usual selection. */
void bl_nn_convolve(bl_module *m, bl_conv_algorithm a);
bl_module *bl_nn_batchnorm(int64_t features, bool affine, bool two_d, float momentum, float eps);
bl_module *bl_nn_relu(void);
bl_module *bl_nn_tanh(void);
bl_module *bl_nn_sigmoid(void);
bl_module *bl_nn_maxpool2d(int kernel, int stride, int padding);
bl_module *bl_nn_avgpool2d(int kernel, int stride, int padding);
bl_module *bl_nn_global_avgpool(void);
bl_module *bl_nn_flatten(void);
bl_module *bl_nn_identity(void);
/*
 * A module that calls fn, which returns a new reference or NULL with bl_error; release(ctx) is called with the
 * module's end.
 */
typedef bl_tensor *bl_func_fn(void *ctx, bl_tensor *x);
bl_module *bl_nn_func(const char *name, bl_func_fn *fn, void *ctx, void (*release)(void *));
/*
 * Makes t, a leaf that the function uses, a parameter of m (at most 5); takes a reference.  -1: no func, or name in
 * use.
 */
int bl_nn_func_parameter(bl_module *m, const char *name, bl_tensor *t);

/* Containers. Names are "0", "1", ... unless given. */
bl_module *bl_nn_sequential(void);                                                   /* empty */
int bl_nn_append(bl_module *sequential, const char *name_or_null, bl_module *child); /* takes a reference */
/* y = relu(branch(x) + shortcut(x)); references are taken; shortcut NULL is the identity; relu may be off. */
bl_module *bl_nn_residual(bl_module *branch, bl_module *shortcut, bool relu);

/* Networks. */
typedef struct bl_cnn_config {
	int64_t channels;      /* of the image */
	const int64_t *widths; /* of the layers: 3x3 convolution, batch norm, ReLU each */
	const int *strides;    /* as many */
	int layers;
	int image; /* side of the square image: needed by the flatten head to know `features` */
	bool pool; /* global average pooling at the end, else flatten */
} bl_cnn_config;
bl_module *bl_nn_cnn(const bl_cnn_config *c);

typedef struct bl_mlp_config {
	int64_t in;
	const int64_t *widths;
	int layers;
	bool norm;       /* batch norm after every hidden linear */
	bool bias;       /* of the linears; the authors' projector has none */
	bool last_plain; /* the last layer is a bare linear: the projector's form; else BN and ReLU follow it too */
	bool flatten;    /* accept (N,C,H,W) */
} bl_mlp_config;
bl_module *bl_nn_mlp(const bl_mlp_config *c);

typedef struct bl_resnet_config {
	int depth;        /* 18, 34, 50 */
	bool stem_small;  /* 3x3 stride 1 without max pool (CIFAR), else 7x7 stride 2 and max pool */
	int stem_padding; /* of the first convolution; 0: 1 of the small stem (solo-learn has 2), 3 of the large */
	int64_t channels; /* of the image, 3 */
	int64_t width;    /* of the first stage, 64 */
	bool zero_init;   /* last norm of each block starts at 0 */
	int64_t classes;  /* > 0: an `fc` layer, as torchvision has; else features */
} bl_resnet_config;
bl_module *bl_nn_resnet(const bl_resnet_config *c);

/*
 * Width of the output for an input (1, c, h, w), found by running m in evaluation mode.  Negative: the shape is
 * refused.
 */
int64_t bl_module_features(bl_module *m, int64_t c, int64_t h, int64_t w);

/*
 * All parameters in one flat array, gradients in another, so that an optimiser,
 * an all-reduce or a checkpoint sees two vectors.  After this the modules'
 * tensors are slices of it.  The n roots get the `prefixes` ("encoder",
 * "projector").  NULL with bl_error.
 */
typedef struct bl_params bl_params;
typedef struct bl_param {
	const char *name;  /* "encoder.layer1.0.conv1.weight" */
	bl_tensor *tensor; /* borrowed */
	bl_param_kind kind;
	int64_t start, count; /* slice of the flat arrays */
	int ndim;
} bl_param;
bl_params *bl_params_new(bl_module *const *roots, const char *const *prefixes, int n);
void bl_params_free(bl_params *p);
int bl_params_length(const bl_params *p);
const bl_param *bl_params_get(const bl_params *p, int i);
int64_t bl_params_count(const bl_params *p); /* length of the flat arrays */
float *bl_params_values(const bl_params *p);
float *bl_params_grads(const bl_params *p);
void bl_params_zero_grad(bl_params *p);

#endif
