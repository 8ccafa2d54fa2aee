/* SPDX-License-Identifier: GPL-3.0-or-later */
/* labels.h: sets the labels of a data set from texts or numbers. */
#ifndef BARLOW_DATA_LABELS_H
#define BARLOW_DATA_LABELS_H

#include "data/dataset.h"
#include "data/listing.h"

/*
 * Sets the labels of d from d->n texts.  If all texts are whole numbers from 0 to 65535, these are the classes, and
 * *class_names becomes NULL.  Otherwise each distinct text is a class, in sorted order, and *class_names becomes the
 * list of these texts, which d refers to and which the caller frees with one call of free.  Negative with bl_error.
 */
int bl_labels_of_texts(bl_dataset *d, const bl_names *texts, char ***class_names);

/* Copies d->n labels, which count from 0, into d; d shows its classes with numbers from 1.  Negative with bl_error. */
int bl_labels_copy(bl_dataset *d, const int32_t *labels);

#endif
