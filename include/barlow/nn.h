/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * nn.h: modules: functions of tensors that have parameters, like PyTorch's nn.Module.
 *
 * Shapes, initialisation and names of parameters are PyTorch's ("conv1.weight", "bn1.running_mean",
 * "layer1.0.downsample.0.weight", "num_batches_tracked"), so that weights can be exchanged with PyTorch in both
 * directions.  A module is reference-counted; a container has references to its children.  Functions that return int
 * return 0, or negative with bl_error, unless their comment says otherwise.
 *
 *     bl_module *net = bl_nn_resnet(&(bl_resnet_config){ .depth = 18, .stem_small = true, .channels = 3 });
 *     bl_module_init(net, seed);
 *     bl_tensor *h = bl_module_forward(net, x);    // (N,3,32,32) -> (N,512)
 */
#ifndef BARLOW_NN_H
#define BARLOW_NN_H

#include <barlow/grad.h>

typedef struct bl_module bl_module;

bl_module *bl_module_ref(bl_module *m); /* returns m */
void bl_module_unref(bl_module *m);
const char *bl_module_kind(const bl_module *m); /* "conv2d" */
/*
 * Writes the Lua code that creates such a module into buf, cut at size bytes: "nn.conv2d(3, 64, 3, {padding = 1})".
 * A func (bl_nn_func) is shown as nn.func(NAME), which is not Lua code.  Returns buf.
 */
char *bl_module_text(const bl_module *m, char *buf, size_t size);

/* Applies m to x: a new reference; NULL with bl_error, which contains the module's path and both shapes. */
bl_tensor *bl_module_forward(bl_module *m, bl_tensor *x);

void bl_module_train(bl_module *m, bool training); /* recursive; modules start in training mode */
bool bl_module_training(const bl_module *m);
/*
 * Stores the normalisation of the images that m was trained on, (x / 255 - mean) / std for each channel.  A trainer
 * sets it on its encoder, so that later evaluations can normalise images in the same way.  mean and std (channels each)
 * are copied.
 */
int bl_module_set_input(bl_module *m, const float *mean, const float *std, int channels);
/* Returns the number of channels, and copies that many numbers to mean and std (either may be NULL); 0: unknown. */
int bl_module_input(const bl_module *m, float *mean, float *std);
/*
 * Initialises the parameters and buffers of every layer except funcs by random numbers of the seed, in the order of
 * bl_module_each.  The distributions are PyTorch's defaults, and torchvision's for ResNets.  Clears the provenance.
 */
void bl_module_init(bl_module *m, uint64_t seed);

/*
 * The provenance of a module states the origin of weights that are not the initial weights: a run that trains or has
 * trained the module, or another source, such as a file.  All modules of the same origin share one reference-counted
 * object, which may outlive the run.  A trainer sets the provenance of its modules and refuses modules of another run
 * (train.h).  Other code that writes weights sets it as well.
 */
typedef struct bl_provenance bl_provenance;
enum { BL_PROVENANCE_NAME = 64 }; /* bytes of a name with its NUL; longer names are cut */
/* run: is the origin a run?  Returns a new reference; NULL with bl_error: no memory. */
bl_provenance *bl_provenance_new(const char *name, bool run);
bl_provenance *bl_provenance_ref(bl_provenance *p);
void bl_provenance_unref(bl_provenance *p);
/* For a run: sets the number of steps made, and whether the run has begun and not ended.  Any thread may call this. */
void bl_provenance_set(bl_provenance *p, int64_t step, bool live);
const char *bl_provenance_name(const bl_provenance *p); /* borrowed */
bool bl_provenance_is_run(const bl_provenance *p);
int64_t bl_provenance_step(const bl_provenance *p);
bool bl_provenance_live(const bl_provenance *p);
bl_provenance *bl_module_provenance(const bl_module *m); /* borrowed; NULL: these are the initial weights */
/*
 * Sets the provenance of m and its descendants; NULL: clears it.  Modules without parameters and buffers, and modules
 * that belong to a live run, are left unchanged.
 */
void bl_module_set_provenance(bl_module *m, bl_provenance *p);

/* Children.  i counts from 0; names are borrowed. */
int bl_module_children(const bl_module *m);            /* number of children */
bl_module *bl_module_child(const bl_module *m, int i); /* borrowed */
const char *bl_module_child_name(const bl_module *m, int i);
/*
 * Writes the Lua expression that selects child i of its parent, as messages show it, into buf: ".layer1" for a child
 * with a name, and "[1]" for the first of numbered children.  (The names of its weights begin with "0.", since PyTorch
 * counts from 0.)  Returns buf.
 */
enum { BL_MODULE_CHILD_PATH = 96 };
char *bl_module_child_path(const bl_module *m, int i, char buf[BL_MODULE_CHILD_PATH]);
/*
 * The separator between a network's name and an error message about the network: "" if the message begins with a child,
 * as in "encoder[1] (linear ...)", otherwise ": ".  Static.
 */
const char *bl_module_joint(const char *message);

/*
 * bl_module_each calls fn for every parameter and buffer, depth first, in the order of PyTorch's state_dict; name and
 * t are borrowed.  If fn returns a value other than 0, the traversal ends, and this value is returned.
 */
typedef enum bl_param_kind { BL_PARAM_WEIGHT, BL_PARAM_BIAS, BL_PARAM_NORM, BL_PARAM_BUFFER } bl_param_kind;
typedef int bl_module_visit(void *ctx, const char *name, bl_tensor *t, bl_param_kind kind);
int bl_module_each(bl_module *m, bl_module_visit *fn, void *ctx);
int64_t bl_module_count(bl_module *m); /* number of elements of all parameters, without buffers */

/*
 * Runs the network on x and describes the first module whose output is not finite in buf: "[4] (conv2d 16 -> 32, 3x3):
 * made NaN at (0, 5, 1, 1)".  Returns 1 if there is such a module, if x is not finite, or if the forward pass fails;
 * buf contains the message.  Returns 0 if all values are finite.  Does not change the module.
 */
int bl_module_find_nonfinite(bl_module *m, bl_tensor *x, char *buf, size_t size);

/*
 * Layers.  All return a new reference, initialised with seed 0; NULL with bl_error on invalid arguments.  Formulas and
 * shapes are those of the functions of the same names in grad.h: linear is (N,in) -> (N,out), images are (N,C,H,W).
 */
bl_module *bl_nn_linear(int64_t in, int64_t out, bool bias);
bl_module *bl_nn_conv2d(int64_t in, int64_t out, int kernel, bl_conv_shape s, bool bias);
/* As bl_nn_conv2d, with a kernel of height kernel[0] and width kernel[1]. */
bl_module *bl_nn_conv2d_of(int64_t in, int64_t out, const int kernel[2], bl_conv_shape s, bool bias);
/* Makes all convolutions in m use this algorithm (see convolution.h); BL_CONV_AUTO: the default selection. */
void bl_nn_convolve(bl_module *m, bl_conv_algorithm a);
/* Batch norm of (N,features,H,W) if two_d is set, otherwise of (N,features).  affine: with weight and bias. */
bl_module *bl_nn_batchnorm(int64_t features, bool affine, bool two_d, float momentum, float eps);
bl_module *bl_nn_relu(void);
bl_module *bl_nn_tanh(void);
bl_module *bl_nn_sigmoid(void);
bl_module *bl_nn_maxpool2d(int kernel, int stride, int padding);
bl_module *bl_nn_avgpool2d(int kernel, int stride, int padding);
bl_module *bl_nn_global_avgpool(void); /* (N,C,H,W) -> (N,C,1,1) */
bl_module *bl_nn_flatten(void);        /* (N,...) -> (N,F) */
bl_module *bl_nn_identity(void);
/*
 * A module ("func") whose forward pass calls fn, which returns a new reference, or NULL with bl_error.  release(ctx),
 * unless NULL, is called when the module is freed, or by this function if it fails.  The name is copied.
 */
typedef bl_tensor *bl_func_fn(void *ctx, bl_tensor *x);
bl_module *bl_nn_func(const char *name, bl_func_fn *fn, void *ctx, void (*release)(void *));
/*
 * Registers t, a leaf that fn uses, as a parameter of the func m, and takes a reference to it.  A func has at most 5
 * parameters.  Negative with bl_error: m is not a func or has 5 parameters already, or the name is in use or invalid.
 */
int bl_nn_func_parameter(bl_module *m, const char *name, bl_tensor *t);

/* Containers.  They take references to their children. */
bl_module *bl_nn_sequential(void);                                                   /* without children */
int bl_nn_append(bl_module *sequential, const char *name_or_null, bl_module *child); /* NULL: the name "0", "1", ... */
/* y = relu(branch(x) + shortcut(x)), or the sum without ReLU if relu is false.  shortcut NULL: the identity. */
bl_module *bl_nn_residual(bl_module *branch, bl_module *shortcut, bool relu);

/* Networks: a new reference, initialised with seed 0; NULL with bl_error on invalid arguments. */
typedef struct bl_cnn_config {
	int64_t channels;      /* of the image */
	const int64_t *widths; /* (layers): output channels.  A layer is a 3x3 convolution, batch norm and ReLU */
	const int *strides;    /* (layers): of the convolutions */
	int layers;
	bool pool; /* global average pooling before the last module, which flattens */
} bl_cnn_config;
bl_module *bl_nn_cnn(const bl_cnn_config *c);

typedef struct bl_mlp_config {
	int64_t in;
	const int64_t *widths; /* (layers): outputs of the linear layers */
	int layers;
	bool norm;       /* batch norm between a linear layer and its ReLU */
	bool bias;       /* the linear layers have a bias; those of the Barlow Twins authors' projector do not */
	bool last_plain; /* the last linear layer has neither norm nor ReLU after it, as in the projector */
	bool flatten;    /* flatten the input first, so that it may be (N,C,H,W) */
} bl_mlp_config;
bl_module *bl_nn_mlp(const bl_mlp_config *c);

/* ResNet (He et al. 2015, arXiv 1512.03385), as in torchvision. */
typedef struct bl_resnet_config {
	int depth;        /* 18, 34, 50 */
	bool stem_small;  /* first layers: 3x3, stride 1, no max pool (CIFAR); false: 7x7, stride 2, max pool */
	int stem_padding; /* of the first convolution; 0 means 1 for the small stem (solo-learn has 2) and 3 for the large one */
	int64_t channels; /* of the image; torchvision: 3 */
	int64_t width;    /* of the first stage; torchvision: 64 */
	bool zero_init;   /* initialise the weight of the last norm in each block with 0 */
	int64_t classes;  /* > 0: outputs of the last layer `fc`, as in torchvision; 0: the output is the features */
} bl_resnet_config;
bl_module *bl_nn_resnet(const bl_resnet_config *c);

/*
 * The number of elements of m's output for one image (1,c,h,w), measured by running m in evaluation mode.  Negative
 * with bl_error: m does not accept the shape, or its output does not have one row.
 */
int64_t bl_module_features(bl_module *m, int64_t c, int64_t h, int64_t w);

/*
 * All parameters in one flat array and all gradients in another, so that an optimiser, an all-reduce or a checkpoint
 * handles two vectors.  bl_params_new moves the parameters of n modules (roots) into the arrays; afterwards the
 * modules' tensors are slices of the arrays.  prefixes[i], such as "encoder", is put before the names of root i;
 * prefixes may be NULL.  A tensor that is found twice (tied weights) is listed under its first name.  Slices begin at
 * multiples of 16 floats, and the gaps are 0.  The caller frees the result with bl_params_free.  NULL with bl_error.
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
int bl_params_length(const bl_params *p);                 /* number of parameters (tensors) */
const bl_param *bl_params_get(const bl_params *p, int i); /* borrowed; i from 0 */
int64_t bl_params_count(const bl_params *p);              /* length of the flat arrays, gaps included */
float *bl_params_values(const bl_params *p);              /* borrowed */
/* Borrowed.  Parameters that have received no gradient since bl_params_zero_grad have zeros. */
float *bl_params_grads(const bl_params *p);
void bl_params_zero_grad(bl_params *p);

#endif
