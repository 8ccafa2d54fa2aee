libbarlow_sources += \
	src/grad/gradcheck.c \
	src/grad/node.c \
	src/grad/node.h \
	src/grad/ops.def
