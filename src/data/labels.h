/* SPDX-License-Identifier: GPL-3.0-or-later */
/* labels.h: labels that are written as text, or given as numbers. */
#ifndef BARLOW_DATA_LABELS_H
#define BARLOW_DATA_LABELS_H

#include "data/dataset.h"
#include "data/listing.h"

/*
 * The set's labels from d->n texts.  Where all are whole numbers from 0 up to LABELS_MOST they are classes by number; else
 * each text is a class, in their sorted order, and class_names gets the texts, one a class, for the caller to free (in one).
 * Negative with bl_error.
 */
int bl_labels_of_texts(bl_dataset *d, const bl_names *texts, char ***class_names);

/* The set's labels are a copy of d->n numbers, each of which is 0 or more; else -1 with bl_error. */
int bl_labels_copy(bl_dataset *d, const int32_t *labels);

#endif
