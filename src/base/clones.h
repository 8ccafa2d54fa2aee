/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * clones.h (private): on x86-64, compiles plain loops for several levels of the instruction set, one of which is
 * selected when the program starts; on other machines, once.
 *
 * BL_CLONES_EXACT disables fused multiply-adds, so that every level computes the same bits.  With ThreadSanitizer,
 * which is not initialised yet when the level is selected, loops are compiled once.
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
