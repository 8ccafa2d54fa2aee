/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * nn.h: modules: functions of tensors that have parameters, like PyTorch's nn.Module.
 *
 * Shapes, initialisation and names of parameters are PyTorch's, so that
 * weights can be exchanged with it in both directions ("conv1.weight", "bn1.running_mean",
 * "layer1.0.downsample.0.weight", "num_batches_tracked").  A module is
 * reference-counted; a container keeps references to its children.  Functions that
 * return int return 0, or negative with bl_error, unless their comment says otherwise.
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
 * Writes the Lua code that creates such a module, "nn.conv2d(3, 64, 3, {padding = 1})", into buf, cut at size bytes;
 * a func has its name as argument.  Returns buf.
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
 * Initialises the parameters and buffers of every layer but funcs, from the seed, in the order of bl_module_each, as
 * PyTorch does by default (for ResNets, as torchvision does).  Clears the provenance.
 */
void bl_module_init(bl_module *m, uint64_t seed);

/*
 * Provenance is where a module's weights come from, if they are not only initialised: from a run that trains or has
 * trained the module, or from something else, such as a file.  One reference-counted object is shared by all modules
 * of that origin, and outlives the run.  A trainer sets it on its modules, and refuses modules of another run
 * (train.h); other code that writes weights sets it, too.
 */
typedef struct bl_provenance bl_provenance;
enum { BL_PROVENANCE_NAME = 64 }; /* bytes of a name with its NUL; longer names are cut */
/* run: is the origin a run?  Returns a new reference; NULL with bl_error: no memory. */
bl_provenance *bl_provenance_new(const char *name, bool run);
bl_provenance *bl_provenance_ref(bl_provenance *p);
void bl_provenance_unref(bl_provenance *p);
/* Sets, for a run, the number of its steps, and whether it is live: begun and not ended.  Any thread may call this. */
void bl_provenance_set(bl_provenance *p, int64_t step, bool live);
const char *bl_provenance_name(const bl_provenance *p); /* borrowed */
bool bl_provenance_is_run(const bl_provenance *p);
int64_t bl_provenance_step(const bl_provenance *p);
bool bl_provenance_live(const bl_provenance *p);
bl_provenance *bl_module_provenance(const bl_module *m); /* borrowed; NULL: weights are as initialised */
/* Sets it for m and its descendants; p NULL: clears it.  Modules that belong to a live run keep theirs. */
void bl_module_set_provenance(bl_module *m, bl_provenance *p);

/* Children.  i counts from 0; names are borrowed. */
int bl_module_children(const bl_module *m);            /* their number */
bl_module *bl_module_child(const bl_module *m, int i); /* borrowed */
const char *bl_module_child_name(const bl_module *m, int i);
/*
 * Writes the Lua index that reaches child i from its parent, as messages show it, into buf: "[1]" for the first child
 * if children are numbered (its weights are named "0.weight", as in PyTorch, which counts from 0), ".layer1" for a
 * child with a name.  Returns buf.
 */
enum { BL_MODULE_PLACE = 96 };
char *bl_module_child_place(const bl_module *m, int i, char buf[BL_MODULE_PLACE]);
/*
 * The separator between a network's name and an error message of the network: "" if the message begins with a child's
 * index, as in "encoder[1] (linear ...)", else ": ".  Static.
 */
const char *bl_module_joint(const char *message);

/*
 * bl_module_each calls fn for every parameter and buffer, depth first, in the order of PyTorch's state_dict; name and
 * t are borrowed.  A non-zero result of fn ends the traversal and is returned.
 */
typedef enum bl_param_kind { BL_PARAM_WEIGHT, BL_PARAM_BIAS, BL_PARAM_NORM, BL_PARAM_BUFFER } bl_param_kind;
typedef int bl_module_visit(void *ctx, const char *name, bl_tensor *t, bl_param_kind kind);
int bl_module_each(bl_module *m, bl_module_visit *fn, void *ctx);
int64_t bl_module_count(bl_module *m); /* number of elements of all parameters, without buffers */

/*
 * Runs the network on x, finds the first module whose output is not finite, and
 * describes it in buf: "[4] (conv2d 16 -> 32, 3x3): made NaN at (0, 5, 1, 1)".
 * Returns 1 if there is one, or if x is not finite or the forward pass fails (buf
 * has the message); 0 if all is finite.  Does not change the module.
 */
int bl_module_find_nonfinite(bl_module *m, bl_tensor *x, char *buf, size_t size);

/*
 * Layers.  All return a new reference, initialised with seed 0; NULL with bl_error on invalid arguments.  Formulas and
 * shapes are those of the functions of the same names in grad.h: linear is (N,in) -> (N,out), images are (N,C,H,W).
 */
bl_module *bl_nn_linear(int64_t in, int64_t out, bool bias);
bl_module *bl_nn_conv2d(int64_t in, int64_t out, int kernel, bl_conv_shape s, bool bias);
/* The same with a kernel of height kernel[0] and width kernel[1]. */
bl_module *bl_nn_conv2d_of(int64_t in, int64_t out, const int kernel[2], bl_conv_shape s, bool bias);
/* Makes all convolutions in m use this algorithm (see convolution.h); BL_CONV_AUTO: the default selection. */
void bl_nn_convolve(bl_module *m, bl_conv_algorithm a);
/* Of (N,features,H,W) if two_d, else of (N,features); affine: with weight and bias. */
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
 * unless NULL, is called when the module is freed, or at once if it cannot be created.  The name is copied.
 */
typedef bl_tensor *bl_func_fn(void *ctx, bl_tensor *x);
bl_module *bl_nn_func(const char *name, bl_func_fn *fn, void *ctx, void (*release)(void *));
/*
 * Registers t, a leaf that fn uses, as a parameter of the func m, which can have 5; m takes a reference of its own.
 * Negative with bl_error: m is not a func or is full, or the name is in use or invalid.
 */
int bl_nn_func_parameter(bl_module *m, const char *name, bl_tensor *t);

/* Containers. Names are "0", "1", ... unless given. */
bl_module *bl_nn_sequential(void);                                                   /* without children */
int bl_nn_append(bl_module *sequential, const char *name_or_null, bl_module *child); /* takes its own reference */
/*
 * y = relu(branch(x) + shortcut(x)), or without the ReLU if relu is false.  shortcut NULL: the identity.  The module
 * takes references of its own.
 */
bl_module *bl_nn_residual(bl_module *branch, bl_module *shortcut, bool relu);

/* Networks: a new reference, initialised with seed 0; NULL with bl_error on invalid arguments. */
typedef struct bl_cnn_config {
	int64_t channels;      /* of the image */
	const int64_t *widths; /* (layers): output channels; a layer is 3x3 convolution, batch norm, ReLU */
	const int *strides;    /* (layers): of the convolutions */
	int layers;
	bool pool; /* global average pooling before the flatten at the end */
} bl_cnn_config;
bl_module *bl_nn_cnn(const bl_cnn_config *c);

typedef struct bl_mlp_config {
	int64_t in;
	const int64_t *widths; /* (layers): outputs of the linear layers */
	int layers;
	bool norm;       /* batch norm after each linear layer that a ReLU follows */
	bool bias;       /* of the linear layers; the projector of Barlow Twins' authors has none */
	bool last_plain; /* nothing follows the last linear layer, as in the projector; else norm and ReLU do, too */
	bool flatten;    /* begin with a flatten, to accept (N,C,H,W) */
} bl_mlp_config;
bl_module *bl_nn_mlp(const bl_mlp_config *c);

/* ResNet (He et al. 2015, arXiv 1512.03385), as in torchvision. */
typedef struct bl_resnet_config {
	int depth;        /* 18, 34, 50 */
	bool stem_small;  /* 3x3 stride 1 without max pool (CIFAR), else 7x7 stride 2 and max pool */
	int stem_padding; /* of the first convolution; 0: 1 for the small stem (solo-learn: 2), 3 for the large one */
	int64_t channels; /* of the image, 3 */
	int64_t width;    /* of the first stage, 64 */
	bool zero_init;   /* the weight of the last norm in each block starts at 0 */
	int64_t classes;  /* > 0: outputs of a last layer `fc`, as in torchvision; 0: the output is the features */
} bl_resnet_config;
bl_module *bl_nn_resnet(const bl_resnet_config *c);

/*
 * The number of elements of the output for one image (1,c,h,w), found by running m in evaluation mode.  Negative with
 * bl_error: m does not accept the shape, or its output does not have one row.
 */
int64_t bl_module_features(bl_module *m, int64_t c, int64_t h, int64_t w);

/*
 * All parameters in one flat array and their gradients in another, so that an
 * optimiser, an all-reduce or a checkpoint handles two vectors.  bl_params_new
 * moves the parameters of n modules there: afterwards their tensors are slices of
 * the arrays.  prefixes ("encoder", "projector"; may be NULL) go before the names.
 * A tensor that is found twice (tied weights) is listed under its first name.
 * Slices begin at multiples of 16 floats, and the gaps are 0.  The caller frees
 * the result with bl_params_free.  NULL with bl_error.
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
/* Borrowed; parameters without a gradient since bl_params_zero_grad have zeros. */
float *bl_params_grads(const bl_params *p);
void bl_params_zero_grad(bl_params *p);

#endif
