/* SPDX-License-Identifier: GPL-3.0-or-later */
/* machine.h (private): identifies the type of this machine. */
#ifndef BARLOW_STORE_MACHINE_H
#define BARLOW_STORE_MACHINE_H

enum { BL_MACHINE_TEXT = 80 };

/* The CPU's type and the kernels that it runs: "GenuineIntel-6-143-avx512".  Returns buf. */
const char *bl_machine(char buf[BL_MACHINE_TEXT]);

#endif
