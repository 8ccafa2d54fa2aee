libbarlow_sources += \
	src/tensor/blas.c \
	src/tensor/blas.h \
	src/tensor/copy.c \
	src/tensor/npy.c \
	src/tensor/tensor.c \
	src/tensor/tensor.h \
	src/tensor/walk.c
