/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * clones.h (private): function attributes for plain loops.  On x86-64, such a function is compiled for several levels
 * of the instruction set, and one of them is selected when the program starts.  On other machines it is compiled once.
 *
 * BL_CLONES_EXACT disables fused multiply-adds, so that every level computes the same bits.  With ThreadSanitizer,
 * functions are compiled once, because the level is selected before ThreadSanitizer is initialised.
 */
#ifndef BARLOW_BASE_CLONES_H
#define BARLOW_BASE_CLONES_H

#if defined __x86_64__ && defined __GNUC__ && !defined __clang__ && !defined __SANITIZE_THREAD__
/* clang-format off */
#define BL_CLONES_AS(...) \
	__attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4"), optimize(__VA_ARGS__)))
/* clang-format on */
#elif defined __GNUC__ && !defined __clang__
#define BL_CLONES_AS(...) __attribute__((optimize(__VA_ARGS__)))
#else
#define BL_CLONES_AS(...)
#endif

#define BL_CLONES BL_CLONES_AS("O3")
#define BL_CLONES_EXACT BL_CLONES_AS("O3", "fp-contract=off")

#endif
